// Intake on the real host over a log in memory: what is committed after crashes, repeats and bad records.
import { describe, expect, it } from 'vitest';
import type { TransferRequested } from '../../schemas/types.generated.ts';
import { AT, BOOK, only, received, run, summary, TOKEN_KEY, transferRequested } from '../../test/kit/builders.ts';
import { type Input, input, runProcessor } from '../../test/kit/harness.ts';
import { ManualClock } from '../../test/kit/manual-clock.ts';
import { memoryIntentClaims, memoryReplayClaims } from '../../test/kit/memory-claims.ts';
import { MemoryLog } from '../../test/kit/memory-log.ts';
import { replayOf } from '../../test/kit/replay.ts';
import { createIntake } from './processor.ts';

function intake(claims = memoryIntentClaims(), clock: () => number = () => AT) {
  return createIntake({ claims, corridors: BOOK, homePartitionOf: (id) => id.length % 4, tokenKey: TOKEN_KEY, clock });
}
const id = (n: number) => `transfer-${String(n).padStart(4, '0')}`;
const intent = (n: number, over: Partial<TransferRequested> = {}) =>
  transferRequested({ transferId: id(n), intent: over });
const fed = (value: TransferRequested, partition = 0) =>
  input('transfer.requested', value, { partition, appendedAt: AT });

const at = (value: TransferRequested, offset: number, appendedAt = AT) =>
  received('transfer.requested', value, { originPosition: `T1:0:${offset}`, appendedAt });

describe('intake', () => {
  it('lets two records of one batch with the same id see each other', async () => {
    const batch = [at(intent(1), 0), at(intent(1), 1), at(intent(1, { purposeCode: 'SALA' }), 2), at(intent(2), 3)];
    expect((await run(intake(), batch)).map(summary)).toEqual([
      'transfer.accepted',
      'intent.duplicated',
      'intent.rejected',
      'transfer.accepted',
    ]);
  });

  it('needs one round trip for a batch of new intents', async () => {
    const claims = memoryIntentClaims();
    await run(
      intake(claims),
      Array.from({ length: 50 }, (_, n) => at(intent(n), n)),
    );
    expect(claims.outages.calls).toBe(1);
  });

  it('recognises its own claim after a crash between claim and commit, and emits the same bytes', async () => {
    const claims = memoryIntentClaims();
    const batch = [at(intent(1), 0), at(intent(2), 1)];
    claims.outages.crashAfter = 1;
    await expect(
      run(
        intake(claims, () => AT),
        batch,
      ),
    ).rejects.toMatchObject({ code: 'MONGO_UNAVAILABLE' });
    const again = await run(
      intake(claims, () => AT + 90_000),
      batch,
    );
    expect(again).toEqual(await run(intake(), batch));
    expect(again.map(summary)).toEqual(['transfer.accepted', 'transfer.accepted']);
  });

  it('takes a repeat for a duplicate although it has become too old to be valid', async () => {
    const claims = memoryIntentClaims();
    const late = AT + 30 * 86_400_000;
    await run(intake(claims), [at(intent(1), 0)]);
    expect((await run(intake(claims), [at(intent(1), 9, late), at(intent(2), 10, late)])).map(summary)).toEqual([
      'intent.duplicated',
      'intent.rejected',
    ]);
  });

  it('gives an invalid intent no claim: the corrected one with the same id passes', async () => {
    const claims = memoryIntentClaims();
    const batch = [at(intent(1, { purposeCode: 'XXXX' }), 0), at(intent(1), 1)];
    expect((await run(intake(claims), batch)).map(summary)).toEqual(['intent.rejected', 'transfer.accepted']);
  });

  it('keeps the home partition of the claim when partitions are added later', async () => {
    const claims = memoryIntentClaims();
    await run(intake(claims), [at(intent(1), 0)]);
    const wider = createIntake({
      claims,
      corridors: BOOK,
      homePartitionOf: () => 11,
      tokenKey: TOKEN_KEY,
      clock: () => AT,
    });
    const [decision] = await run(wider, [at(intent(1), 0)]);
    expect(only(decision, 'transfer.accepted').envelope.homePartition).toBe(id(1).length % 4);
  });

  it.each(['before-commit', 'after-commit'] as const)('commits each intent once through a crash %s', async (point) => {
    const claims = memoryIntentClaims();
    let crashes = 0;
    const result = await runProcessor(() => intake(claims), {
      clock: new ManualClock(AT),
      inputs: [fed(intent(1)), fed(intent(1)), fed(intent(2)), fed(intent(3, { purposeCode: 'XXXX' })), fed(intent(4))],
      crash: (where) => (where === point && crashes++ < 2 ? 'crash' : undefined),
    });
    expect(result.crashes).toBeGreaterThan(0);
    const accepted = result.outputs('transfer.accepted').map(({ value }) => value.envelope.transferId);
    expect(accepted.sort()).toEqual([id(1), id(2), id(4)]);
    expect(result.outputs('intent.duplicated')).toHaveLength(1);
    expect(result.outputs('intent.rejected')).toHaveLength(1);
    expect(result.deadLetters).toEqual([]);
  });

  it('waits out an outage of the claims and dead-letters nothing', async () => {
    const claims = memoryIntentClaims();
    claims.outages.crashAfter = 4;
    const result = await runProcessor(() => intake(claims), {
      clock: new ManualClock(AT),
      inputs: [fed(intent(1)), fed(intent(1))],
    });
    expect(result.outputs('transfer.accepted')).toHaveLength(1);
    expect(result.outputs('intent.duplicated')).toHaveLength(1);
    expect(result.deadLetters).toEqual([]);
  });

  it('refuses a token key that is too short', () => {
    const options = { claims: memoryIntentClaims(), corridors: BOOK, homePartitionOf: () => 0, clock: () => AT };
    expect(() => createIntake({ ...options, tokenKey: Buffer.from('short') })).toThrow(RangeError);
  });
});

describe('an intent that operators discard', () => {
  const ask = async (claims: ReturnType<typeof memoryIntentClaims>, record: ReturnType<typeof at>) =>
    (await intake(claims).discardable!([record] as never))[0];
  const rejected = { kind: 'reject', occurredAt: AT };
  const refused = { kind: 'dead-letter', cause: { code: 'DISCARD_REFUSED' } };

  it('is ended where its id is free, or was claimed for it before intake broke; and never becomes a transfer then', async () => {
    const claims = memoryIntentClaims();
    expect(await ask(claims, at(intent(1), 0))).toMatchObject(rejected);
    expect((await run(intake(claims), [at(intent(1), 5)])).map(summary)).toEqual(['intent.duplicated']);
    // What runs again ends it again.
    expect(await ask(claims, at(intent(1), 0))).toMatchObject(rejected);
    await run(intake(claims), [at(intent(2), 1)]);
    expect(await ask(claims, at(intent(2), 1))).toMatchObject(rejected);
  });

  it('is not ended where the same was sent again and runs: its producer would pay twice', async () => {
    const claims = memoryIntentClaims();
    await run(intake(claims), [at(intent(1), 5)]);
    expect(await ask(claims, at(intent(1), 0))).toMatchObject(refused);
    expect(await ask(claims, at(intent(1, { purposeCode: 'SALA' }), 0))).toMatchObject(refused);
    // Also what intake would not take by now.
    expect(await ask(claims, at(intent(1), 0, AT + 30 * 86_400_000))).toMatchObject(refused);
  });

  it('that may not claim its id leaves it free for the corrected one', async () => {
    const claims = memoryIntentClaims();
    expect(await ask(claims, at(intent(1, { purposeCode: 'XXXX' }), 0))).toMatchObject(rejected);
    expect((await run(intake(claims), [at(intent(1), 5)])).map(summary)).toEqual(['transfer.accepted']);
  });
});

describe('a topic of intents that was deleted and made again', () => {
  const invalid = (n: number) => intent(n, { purposeCode: '?' });

  it('repeats no position: what is sent again has ids of its own, and no transfer is made twice', async () => {
    const clock = new ManualClock(AT);
    const log = new MemoryLog({ partitions: 4, clock, manual: true });
    const claims = memoryIntentClaims();
    const inputs = [fed(intent(1)), ...[2, 3, 4].map((n) => fed(invalid(n)))];
    log.remake('transfer.requested');
    const common = { inputs, log, clock };
    await runProcessor(intake(claims), common);
    log.remake('transfer.requested');
    const last = await runProcessor(intake(claims), common);
    const rejected = last.outputs('intent.rejected').map(({ value }) => value.eventId);
    expect(rejected).toHaveLength(6);
    expect(new Set(rejected).size).toBe(6);
    expect(last.outputs('transfer.accepted')).toHaveLength(1);
    expect(last.outputs('intent.duplicated')).toHaveLength(1);
    expect(last.deadLetters).toEqual([]);
  });

  it('is told from itself: a claim of before topics had ids is met by its own record, not by its namesake', async () => {
    const ID = '0123456789abcdef0123456789abcdef';
    const claims = memoryIntentClaims();
    const byName = received('transfer.requested', intent(1), {
      originPosition: 'transfer.requested:0:7',
      appendedAt: AT,
    });
    await run(intake(claims), [byName]);
    const byId = (appendedAt: number) =>
      received('transfer.requested', intent(1), { originPosition: `${ID}:0:7`, appendedAt });
    expect((await run(intake(claims), [byId(AT)])).map(summary)).toEqual(['transfer.accepted']);
    expect((await run(intake(claims), [byId(AT + 3_600_000)])).map(summary)).not.toContain('transfer.accepted');
  });
});

describe('the dead letter of an intent', () => {
  const unable = (real: ReturnType<typeof intake>, claims: boolean) => ({
    ...real,
    prepare: claims ? real.prepare : async (batch: readonly unknown[]) => batch.map(() => undefined as never),
    decide: () => ({ kind: 'dead-letter', cause: { code: 'ID_CONFLICT', detail: 'for a test' } }) as const,
  });

  async function letterOf(claimsFirst: boolean) {
    const clock = new ManualClock(AT);
    const common = { inputs: [], clock, log: new MemoryLog({ partitions: 4, clock, manual: true }) };
    const [claims, replayClaims] = [memoryIntentClaims(), memoryReplayClaims()];
    const first = { ...common, inputs: [fed(intent(1))], replayClaims };
    const { deadLetters } = await runProcessor(unable(intake(claims), claimsFirst), first);
    const go = (inputs: readonly Input[] = []) => runProcessor(intake(claims), { ...common, inputs, replayClaims });
    const replay = (replayId: string) =>
      common.log.append([replayOf(deadLetters[0]!.record, { owner: 'intake', replayId })]);
    return { go, replay };
  }

  it('that had claimed its id becomes the transfer, once, however often it is replayed', async () => {
    const { go, replay } = await letterOf(true);
    replay('r-1');
    replay('r-2');
    await go();
    replay('r-3');
    const last = await go();
    expect(last.outputs('transfer.accepted')).toHaveLength(1);
    expect(last.outputs('intent.duplicated')).toHaveLength(0);
  });

  it('whose transfer exists by now is one duplicate', async () => {
    const { go, replay } = await letterOf(false);
    await go([fed(intent(1))]);
    replay('r-1');
    await go();
    replay('r-2');
    const last = await go();
    expect(last.outputs('transfer.accepted')).toHaveLength(1);
    expect(last.outputs('intent.duplicated')).toHaveLength(1);
  });
});
