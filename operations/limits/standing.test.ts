// What is shown of limits: which rules, in which windows, what is left, when it frees, and in which words.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LimitRule } from '../../domain/limits/limit-rules.ts';
import { senderDayRule } from '../../domain/limits/limit-rules.ts';
import { tokeniser } from '../../processors/intake/token.ts';
import { ruleBook } from '../../processors/limits/requests.ts';
import { TOKEN_KEY } from '../../test/kit/builders.ts';
import { limitStandings, subjectNamed, subjectsOf } from './standing.ts';
import { memoryEyes } from './testing/memory-eyes.ts';

const NOW = Date.UTC(2026, 10, 23, 10, 30);
const HOUR_MS = 3_600_000;
const base = senderDayRule({
  ruleId: 'day',
  currency: 'GBP',
  limitMinor: 100_00n,
  action: 'reject',
  freedByReturn: true,
});
const rule = (over: Partial<LimitRule>): LimitRule => ({ ...base, where: {}, ...over });
const sender = { kind: 'sender', token: 's' } as const;

async function standingBy(
  rules: readonly LimitRule[],
  counts: object = {},
  subject: Parameters<typeof limitStandings>[1]['subjects'][0] = sender,
) {
  const eyes = memoryEyes();
  for (const [bucket, count] of Object.entries(counts))
    eyes.counts.set(bucket, { used: 0n, open: 0, steps: [], ...count });
  const book = ruleBook({ name: 'house', version: '1', rules }, () => '', 7);
  const [standing] = await limitStandings(eyes, { subjects: [subject], book, at: NOW });
  return { standing: standing!, looks: eyes.looks };
}

describe('how somebody stands', () => {
  it('is shown by the rules in force on that subject, under the name of their version', async () => {
    const { standing } = await standingBy([
      rule({ ruleId: 'now' }),
      rule({ ruleId: 'from-tomorrow', validFrom: '2026-11-24' }),
      rule({ ruleId: 'until-today', validTo: '2026-11-23' }),
      rule({ ruleId: 'of-others', subject: 'beneficiary' }),
    ]);
    expect(standing.limitRules).toBe('house@1#7');
    expect(standing.rules.map(({ rule: { ruleId } }) => ruleId)).toEqual(['now']);
    expect(standing).toMatchObject({ isSeen: false, missing: [] });
    const provider = { subject: 'provider', metric: { kind: 'amount', of: 'credit', currency: 'INR' } } as const;
    const floats = [
      rule({ ...provider, ruleId: 'a', provider: 'alpha' }),
      rule({ ...provider, ruleId: 'b', provider: 'beta' }),
    ];
    const alpha = await standingBy(floats, {}, { kind: 'provider', token: 'alpha' });
    expect(alpha.standing.rules.map(({ rule: { ruleId } }) => ruleId)).toEqual(['a']);
  });

  it('in a calendar window is free again when the window ends', async () => {
    const { standing } = await standingBy([rule({})], { 'day:s:2026-11-23': { used: 90_00n, open: 2 } });
    expect(standing.isSeen).toBe(true);
    expect(standing.rules).toMatchObject([
      {
        used: 90_00n,
        left: 10_00n,
        open: 2,
        frees: { at: Date.UTC(2026, 10, 24), left: 100_00n },
        endsAt: Date.UTC(2026, 10, 24),
      },
    ]);
    expect(standing.rules[0]!.text).toBe(
      'Of 100.00 GBP a calendar day (UTC, 2026-11-23) (day), the sender has used 90.00 GBP; 10.00 GBP are left, and 100.00 GBP from 2026-11-24 00:00 UTC on.',
    );
  });

  it('above a limit has nothing left, and more only when enough has grown old', async () => {
    const step = Math.floor(NOW / 300_000);
    const steps = [
      { step: step - 20, held: 30_00n },
      { step: step - 10, held: 45_00n },
      { step: step - 1, held: 65_00n },
    ];
    const window = { kind: 'rolling', unit: 'hour', length: 24 } as const;
    const { standing } = await standingBy([rule({ action: 'hold', window })], {
      [`day:s:r300x288.${step}`]: { used: 140_00n, steps },
    });
    const at = (step - 10 + 1 + 288) * 300_000;
    expect(standing.rules).toMatchObject([{ left: 0n, frees: { at, left: 35_00n }, endsAt: null }]);
    expect(at - NOW).toBeLessThan(24 * HOUR_MS);
    expect(standing.rules[0]!.text).toMatch(
      /^Of 100\.00 GBP in 24 hours \(day\), the sender has used 140\.00 GBP; 0\.00 GBP are left, and 35\.00 GBP from 2026-11-24 09:\d\d UTC on; above that a person decides\.$/,
    );
  });

  it('says what frees by nothing but a return, or nobody can tell when', async () => {
    const life = rule({
      ruleId: 'life',
      window: { kind: 'lifetime' },
      metric: { kind: 'count' },
      action: 'shadow',
      limitMinor: 5n,
    });
    const people = rule({
      ...{ ruleId: 'people', metric: { kind: 'beneficiaries' }, limitMinor: 2n, action: 'documents' },
      window: { kind: 'rolling', unit: 'day', length: 30 },
    });
    const step = Math.floor(NOW / HOUR_MS);
    const { standing, looks } = await standingBy([life, people], {
      'life:s:lifetime': { used: 1n },
      [`people:s:r3600x720.${step}`]: { used: 1n },
    });
    expect(standing.rules.map(({ frees }) => frees)).toEqual([null, null]);
    expect(standing.rules.map(({ text }) => text)).toEqual([
      'Of 5 transfers in all (life), the sender has used 1 transfer; 4 transfers are left; the rule is on trial and refuses nothing. It does not free by time.',
      'Of 2 beneficiaries in 30 days (people), the sender has used 1 beneficiary; 1 beneficiary is left; above that documents are asked for. It frees as what was used grows old.',
    ]);
    expect(looks).toHaveLength(1);
    expect(looks[0]!.map(({ hasMembers }) => hasMembers)).toEqual([false, true]);
  });

  it('tells the condition of a rule, what is declared elsewhere, and a limit of one transfer', async () => {
    const one = rule({
      ...{ window: { kind: 'transfer' }, declaredUse: true },
      where: { corridors: ['IN-GB', 'IN-DE'], arrangements: ['LRS'], kycTiers: ['NONE'], sourceCurrencies: ['INR'] },
    });
    const { standing, looks } = await standingBy([one]);
    expect(standing.rules[0]).toMatchObject({
      condition: 'Only transfers in IN-GB or IN-DE, from INR, under LRS, of senders of tier NONE.',
      text: '100.00 GBP in one transfer (day) may be sent. What the sender declares to have used elsewhere counts beside it.',
    });
    // Nothing is remembered, so nothing is asked.
    expect(looks).toEqual([]);
  });

  it('never leaves less than nothing, and frees only what makes more left', () => {
    const limited = rule({ window: { kind: 'rolling', unit: 'hour', length: 24 } });
    const step = Math.floor(NOW / 300_000);
    const held = fc.array(
      fc.record({ ago: fc.integer({ min: 0, max: 288 }), minor: fc.bigInt({ min: 1n, max: 90_00n }) }),
    );
    return fc.assert(
      fc.asyncProperty(held, async (all) => {
        const sums = new Map<number, bigint>();
        for (const { ago, minor } of all) sums.set(step - ago, (sums.get(step - ago) ?? 0n) + minor);
        const steps = [...sums].sort(([a], [b]) => a - b).map(([at, sum]) => ({ step: at, held: sum }));
        const used = steps.reduce((sum, each) => sum + each.held, 0n);
        const { standing } = await standingBy([limited], { [`day:s:r300x288.${step}`]: { used, steps } });
        const [{ left, frees }] = standing.rules as [(typeof standing.rules)[0]];
        expect(left).toBe(used > 100_00n ? 0n : 100_00n - used);
        if (used === 0n) expect(frees).toBeNull();
        else {
          expect(frees!.left).toBeGreaterThan(left);
          expect(frees!.left).toBeLessThanOrEqual(100_00n);
          expect(frees!.at).toBeGreaterThan(NOW);
        }
      }),
    );
  });
});

describe('a subject', () => {
  const [one, other] = ['customer-1', 'customer-2'].map(tokeniser(TOKEN_KEY)) as [string, string];

  it('is named by a token, and never by the id of a customer', () => {
    expect(subjectNamed('pair', `${one}.${other}`)).toEqual({ kind: 'pair', token: `${one}.${other}` });
    expect(subjectNamed('funding-account', one).token).toBe(one);
    expect(subjectNamed('producer', 'acme@bank.test').token).toBe('acme@bank.test');
    const wrong = [
      ...([
        ['sender', 'customer-1'],
        ['sender', `${one}.${other}`],
        ['pair', one],
        ['pair', `${one}.x`],
      ] as const),
      ...([
        ['producer', 'a:b'],
        ['producer', 'a b'],
        ['provider', 'alpha/beta'],
        ['beneficiary', `${one}*`],
      ] as const),
    ];
    for (const [kind, id] of wrong)
      expect(() => subjectNamed(kind, id), `${kind} ${id}`).toThrow(
        expect.objectContaining({ code: 'LIMIT_SUBJECT_INVALID' }),
      );
  });

  it('of a transfer is everybody whom it names', () => {
    const named = { debtorToken: one, creditorToken: other };
    expect(subjectsOf({ ...named, producerId: 'acme' })).toEqual([
      { kind: 'sender', token: one },
      { kind: 'beneficiary', token: other },
      { kind: 'pair', token: `${one}.${other}` },
      { kind: 'producer', token: 'acme' },
    ]);
    expect(subjectsOf({ ...named, producerId: null })).toHaveLength(3);
  });
});
