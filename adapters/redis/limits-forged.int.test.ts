// A ledger into which somebody else writes, on a real Redis: what it says of a transfer is believed only with a proof of a stage,
// and one that says anything else is out of force, until it is made anew from the log.
import { describe, expect, inject, it } from 'vitest';
import { keyRing } from '../../domain/seals/seal.ts';
import type { LimitOperation, Settle } from '../../processors/limits/ports.ts';
import { KEYS } from '../../test/kit/keys.ts';
import { limitsLedger } from './limits.ts';
import { freshLedger, NOTHING, requestsOf, START, usesOf } from './testing/rules-of-limits.ts';
import { redis, useSharedLimits } from './testing/shared-limits.ts';

useSharedLimits(inject('stack').redisLimitsUrl);

const OF = { sender: 's-1', beneficiary: 'b-1', minor: 100n, at: START };
const reserve = (transferId: string, attempt = 1, minor = 100n): LimitOperation => ({
  ...({ kind: 'reserve', transferId, attempt, limitRules: 'house@1#7' } as const),
  requests: requestsOf({ ...OF, minor }),
});
const settle = (transferId: string, state: Settle['state'], attempt = 1): LimitOperation => ({
  ...{ kind: 'settle', transferId, attempt, state, uses: usesOf(OF) },
});

/** A ledger that knows one transfer of each state, and where it keeps them. */
async function known() {
  const { ledger, namespace } = await freshLedger();
  const before = ['a', 'open', 'released', 'committed', 'returned', 'twice'].map((id) => reserve(id, 1, 10n));
  await ledger.apply([...before, reserve('twice', 2, 10n), reserve('refused', 1, 601n)]);
  await ledger.apply([
    settle('released', 'released'),
    settle('committed', 'committed'),
    settle('returned', 'returned'),
  ]);
  const { marker } = await ledger.status();
  const prefix = `${namespace}:${marker!.split(':')[1]}:`;
  const record = (id: string) => redis.hgetall(`${prefix}t:${id}`);
  const write = (id: string, fields: Record<string, string>) => redis.hset(`${prefix}t:${id}`, fields);
  return { ledger, namespace, prefix, record, write };
}
type Known = Awaited<ReturnType<typeof known>>;

const DAMAGED = { code: 'LIMITS_LEDGER_DAMAGED', faultClass: 'transient-dependency' };

/** What somebody writes, and who is asked about then. */
const FORGED: Readonly<Record<string, { do(of: Known): Promise<unknown>; asks: LimitOperation }>> = {
  'an end of a transfer that has none': {
    do: ({ write }) => write('new', { state: 'committed', attempt: '1', uses: '[]', outcome: '{"k":"ended"}' }),
    asks: reserve('new'),
  },
  'the end of another transfer': {
    do: async ({ record, write }) => write('new', await record('committed')),
    asks: reserve('new'),
  },
  'another end than was proved': {
    do: async ({ record, write }) =>
      write('new', {
        ...(await record('committed')),
        outcome: (await record('committed'))['outcome']!.replace('committed', 'released'),
      }),
    asks: reserve('new'),
  },
  'a later attempt that nobody has asked for': {
    do: async ({ record, write }) =>
      write('open', { attempt: '9', outcome: (await record('open'))['outcome']!.replace('"a":1', '"a":9') }),
    asks: reserve('open'),
  },
  'a later attempt, with the answer of this one': {
    do: ({ write }) => write('open', { attempt: '9' }),
    asks: reserve('open'),
  },
  'that an open transfer was refused, when its next attempt comes': {
    do: ({ write }) => write('open', { state: 'refused' }),
    asks: reserve('open', 2),
  },
  'a refusal in the place of a reservation': {
    do: async ({ record, write }) =>
      write('open', {
        state: 'refused',
        outcome: (await record('open'))['outcome']!.replace(
          '"k":"reserved"',
          '"k":"refused","refused":[1],"frees":[0]',
        ),
      }),
    asks: reserve('open', 1, 10n),
  },
  'a refusal that its own figures do not bear out': {
    do: async ({ record, write }) =>
      write('refused', {
        outcome: (await record('refused'))['outcome']!.replace(/"refused":\[\d+\]/, '"refused":[1]'),
      }),
    asks: reserve('refused', 1, 601n),
  },
  'less than the rules have stated': {
    do: async ({ record, write }) =>
      write('open', { outcome: (await record('open'))['outcome']!.replace(/("uses":.*?)"10"/, '$1"1"') }),
    asks: reserve('open', 1, 10n),
  },
  'uses of nobody': {
    do: async ({ record, write }) =>
      write('open', { outcome: (await record('open'))['outcome']!.replace(/"uses":.*$/, '"uses":[]}') }),
    asks: reserve('open', 1, 10n),
  },
  'rules by another name': {
    do: async ({ record, write }) =>
      write('open', { outcome: (await record('open'))['outcome']!.replace('house@1#7', 'house@9#9') }),
    asks: reserve('open', 1, 10n),
  },
  'a figure that is none': {
    do: async ({ record, write }) =>
      write('open', { outcome: (await record('open'))['outcome']!.replace(/"used":\["\d+"/, '"used":["all"') }),
    asks: reserve('open', 1, 10n),
  },
  'no answer at all': { do: ({ write }) => write('open', { outcome: '' }), asks: reserve('open') },
  'something that is no JSON': { do: ({ write }) => write('open', { outcome: '{"k":' }), asks: reserve('open') },
  'a state that nobody knows': { do: ({ write }) => write('open', { state: 'paid' }), asks: reserve('open', 2) },
  'an attempt that is no number': {
    do: ({ write }) => write('open', { attempt: 'x' }),
    asks: settle('open', 'released'),
  },
  'uses that are none': { do: ({ write }) => write('open', { uses: '[1]' }), asks: settle('open', 'released') },
  'a record without a state': {
    do: ({ prefix }) => redis.hdel(`${prefix}t:open`, 'state'),
    asks: reserve('open'),
  },
  'a record that is no hash': {
    do: async ({ prefix }) => {
      await redis.del(`${prefix}t:open`);
      await redis.set(`${prefix}t:open`, 'open');
    },
    asks: reserve('open'),
  },
  'a counter that is no number': {
    do: async ({ prefix }) => redis.hset(await firstOf(`${prefix}c:sender-day:*`), 'used', 'all of it'),
    asks: reserve('new'),
  },
  'a counter that counts in fractions': {
    do: async ({ prefix }) => redis.hset(await firstOf(`${prefix}c:sender-day:*`), 'used', 'nan'),
    asks: reserve('new'),
  },
  'a counter that is no hash': {
    do: async ({ prefix }) => {
      const key = await firstOf(`${prefix}c:sender-day:*`);
      await redis.del(key);
      await redis.set(key, '1');
    },
    asks: reserve('new'),
  },
};

async function firstOf(pattern: string): Promise<string> {
  const [key] = (await redis.keys(pattern)).sort();
  expect(key, pattern).toBeDefined();
  return key!;
}

describe('somebody writes', () => {
  it.each(Object.entries(FORGED))(
    '%s: nothing is decided by it, and the ledger is out of force',
    async (_what, { do: damage, asks }) => {
      const of = await known();
      await damage(of);
      await expect(of.ledger.apply([asks])).rejects.toMatchObject(DAMAGED);
      await expect(of.ledger.apply([asks])).rejects.toMatchObject({ code: 'LIMITS_NOT_HYDRATED' });
      // Made anew, it answers as the log has it: here it tells of nothing.
      expect(await of.ledger.replaceAll(NOTHING, null)).toBe('replaced');
      const [answer] = await of.ledger.apply([asks]);
      expect(['reserved', 'refused', 'settled']).toContain(answer!.kind);
    },
  );

  it.each(['x', '[1]', '{}'])(
    'a note that cannot be read, %s: it counts as lost, and can be made anew',
    async (text) => {
      const { ledger, namespace, prefix } = await known();
      const { marker } = await ledger.status();
      await redis.set(`${prefix}b:short`, text);
      expect(await ledger.status()).toEqual({ marker, hydrated: false });
      const other = limitsLedger(redis, { keys: KEYS.stages, namespace });
      await expect(other.apply([reserve('new')])).rejects.toMatchObject({ code: 'LIMITS_NOT_HYDRATED' });
      expect(await ledger.replaceAll(NOTHING, marker)).toBe('replaced');
      expect(await other.status()).toMatchObject({ hydrated: true });
    },
  );

  it('a beneficiary for whom nothing counts: the next one is counted as new', async () => {
    const of = await known();
    await redis.hset(await firstOf(`${of.prefix}c:sender-beneficiaries-day:*`), 'm:b-2', '0');
    await redis.hset(await firstOf(`${of.prefix}w:sender-beneficiaries:*`), 'm:b-2', '0');
    const [answer] = await of.ledger.apply([
      { ...reserve('new'), requests: requestsOf({ ...OF, beneficiary: 'b-2' }) } as LimitOperation,
    ]);
    const used = Object.fromEntries(
      (answer as { uses: readonly { ruleId: string; usedMinor: bigint }[] }).uses.map(({ ruleId, usedMinor }) => [
        ruleId,
        usedMinor,
      ]),
    );
    expect(used).toMatchObject({ 'sender-beneficiaries': 2n, 'sender-beneficiaries-day': 2n });
  });
});

describe('what a stage has written', () => {
  it('is believed: again, later, ended, refused and superseded', async () => {
    const { ledger } = await known();
    const answers = await ledger.apply([
      ...[reserve('open', 1, 10n), reserve('open', 1, 999n), reserve('refused', 1, 601n), reserve('refused', 2, 10n)],
      ...[reserve('twice', 1, 10n), reserve('twice', 2, 10n), reserve('released'), reserve('committed', 3)],
      ...[reserve('returned'), settle('open', 'released'), reserve('open', 2)],
    ]);
    expect(answers.map(({ kind }) => kind)).toEqual([
      ...['reserved', 'reserved', 'refused', 'ended', 'superseded', 'reserved'],
      ...['ended', 'ended', 'ended', 'settled', 'ended'],
    ]);
    // The answer of then, whatever is asked now.
    expect(answers[1]).toEqual(answers[0]);
  });

  it('is believed under a key that was replaced, for as long as it is in the ring, and out of force without it', async () => {
    const { namespace } = await known();
    const secret = 'another-key-of-stages-00000000000000000';
    const next = keyRing(`next:${secret}`);
    const both = { currentId: 'next', keys: new Map([...next.keys, ...KEYS.stages.keys]) };
    const during = limitsLedger(redis, { keys: both, namespace });
    expect(await during.apply([reserve('committed'), reserve('open', 1, 11n), reserve('new', 1, 10n)])).toMatchObject([
      { kind: 'ended' },
      { kind: 'reserved' },
      { kind: 'reserved' },
    ]);
    const after = limitsLedger(redis, { keys: next, namespace });
    expect(await after.apply([reserve('new', 1, 10n)])).toMatchObject([{ kind: 'reserved' }]);
    await expect(after.apply([reserve('committed')])).rejects.toMatchObject(DAMAGED);
  });

  it('is what was restored from the log too, with its own words', async () => {
    const { ledger } = await freshLedger();
    const { marker } = await ledger.status();
    const states = ['open', 'released', 'committed', 'returned'] as const;
    const records = states.map((state) => ({ transferId: state, attempt: 2, state, uses: usesOf(OF) }));
    await ledger.replaceAll({ records, counters: [] }, marker);
    const asked = states.map((state) => reserve(state, 2));
    const answers = await ledger.apply([...asked, reserve('open', 1)]);
    expect(answers.map(({ kind }) => kind)).toEqual(['reserved', 'ended', 'ended', 'ended', 'superseded']);
    expect(answers[0]).toMatchObject({ uses: usesOf(OF).map(({ ruleId }) => ({ ruleId })) });
  });
});
