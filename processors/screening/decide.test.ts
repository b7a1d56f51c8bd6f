// Given a transfer and what the screener found, or a decision of a person, screening emits one event.
import { beforeAll, describe, expect, it } from 'vitest';
import { holdIdOf } from '../../domain/event-id.ts';
import {
  AT,
  findings,
  only,
  received,
  reviewDecided,
  run,
  summary,
  transferAccepted,
  transferHeld,
  transferHeldByLimits,
  type Wishes,
} from '../../test/kit/builders.ts';
import { memoryHoldClaims } from '../../test/kit/memory-claims.ts';
import type { ScreeningInput } from './decide.ts';
import { evidenceHashOf } from './evidence.ts';
import type { ListVersion } from './lists/entity.ts';
import { listedPersons, loadSampleList } from './lists/sample/load.ts';
import { createNameEqualityScreener } from './name-equality.ts';
import { createScreening } from './processor.ts';

let list: ListVersion;
beforeAll(async () => {
  list = await loadSampleList();
});

function screening(holds = memoryHoldClaims(), clock = () => AT, dropped: string[] = []) {
  const screener = createNameEqualityScreener([list]);
  return createScreening({ screener, holds, clock, onDropped: ({ code }) => dropped.push(code) });
}
const accepted = (of: Wishes = {}): ScreeningInput => received('transfer.accepted', transferAccepted(of));
const named = (name: string): ScreeningInput => accepted({ debtor: { name } });

describe('a transfer', () => {
  it('whose parties are on no list goes on, with the evidence of it', async () => {
    const [decision] = await run(screening(), [accepted()]);
    const { screening: evidence, envelope } = only(decision, 'transfer.screened');
    expect(envelope).toMatchObject({
      sequence: 2,
      attempt: 1,
      homePartition: 3,
      causationId: 'cause-of-transfer.accepted',
    });
    expect(evidence).toMatchObject({
      outcome: 'CLEAR',
      engineVersion: 'name-equality/1',
      lists: [{ source: 'CORRIDOR', publishedOn: '2026-11-20', contentHash: list.entitiesHash }],
      screenedAt: AT,
      review: null,
    });
    expect(evidence.parties.map(({ role, outcome }) => [role, outcome])).toEqual([
      ['DEBTOR', 'CLEAR'],
      ['CREDITOR', 'CLEAR'],
    ]);
  });

  it.each([
    'VORSKOV, Anatoly Grigoryevich',
    'Anatoly Grigoryevich Vorskov',
    '  anatoly   GRIGORYEVICH vorskov ',
    'Anatoly Grígoryevich Vorskov',
    'Anatoly\u200b Grigoryevich Vorskov',
    'Kasim Al-Marzabani',
    'Northwind Capestan Trading LLC',
  ])('of a listed sender is held: %j', async (name) => {
    const [decision] = await run(screening(), [named(name)]);
    const { hold, screening: evidence, envelope } = only(decision, 'transfer.held');
    expect(hold).toMatchObject({
      holdId: holdIdOf(envelope.transferId, 2),
      stage: 'SCREENING',
      reasons: [{ code: 'RR04' }],
      evidenceHash: evidenceHashOf(evidence!),
    });
    expect(hold.expiresAt).toBeGreaterThan(AT);
    expect(evidence!.parties[0]).toMatchObject({
      role: 'DEBTOR',
      outcome: 'POTENTIAL_MATCH',
      candidates: [{ isHit: true, score: 1 }],
    });
  });

  it('of every person on the sample list is held', async () => {
    const names = listedPersons(list);
    expect(names.length).toBeGreaterThan(5);
    const decisions = await run(screening(), names.map(named));
    expect(decisions.map(summary)).toEqual(names.map(() => 'transfer.held'));
  });

  it('of a listed beneficiary is held too', async () => {
    const [decision] = await run(screening(), [accepted({ creditor: { name: 'Zeya Thaungmyat' } })]);
    expect(only(decision, 'transfer.held').hold.reasons[0]!.detail).toContain('beneficiary');
  });

  it('is not held for a weak alias alone, but the evidence names it', async () => {
    const [decision] = await run(screening(), [named('Tolya')]);
    const { screening: evidence } = only(decision, 'transfer.screened');
    expect(evidence.parties[0]!.candidates).toMatchObject([{ aliasQuality: 'WEAK', isHit: false }]);
  });

  it.each(['😀', '...', `${'a '.repeat(200)}`])('whose name cannot be screened is never clear: %j', async (name) => {
    const [decision] = await run(screening(), [named(name)]);
    expect(only(decision, 'transfer.held').screening!.outcome).toBe('UNSCREENABLE');
  });

  it('leaves no name in the reasons or the query hash', async () => {
    const [decision] = await run(screening(), [named('Anatoly Grigoryevich Vorskov')]);
    const { hold, screening: evidence } = only(decision, 'transfer.held');
    expect(JSON.stringify([hold, evidence!.parties[0]!.queryHash])).not.toMatch(/vorskov/i);
  });

  it('gives the same evidence when it runs again', async () => {
    const batch = [named('Zeya Thaungmyat'), accepted()];
    expect(await run(screening(), batch)).toEqual(await run(screening(), batch));
  });
});

describe('the hash of the evidence', () => {
  it('is bound to hits, parties and list version, and to nothing else', () => {
    const base = { ...findings('POTENTIAL_MATCH'), screenedAt: 1, review: null };
    const [party, other] = base.parties;
    const variants = [
      base,
      { ...base, lists: [{ ...base.lists[0]!, versionId: 'next' }] },
      { ...base, parties: [{ ...party!, queryHash: 'x' }, other!] },
      { ...base, parties: [{ ...party!, candidates: [{ ...party!.candidates[0]!, entityId: 'x' }] }, other!] },
      { ...base, parties: [{ ...party!, candidates: [] }, other!] },
    ];
    expect(new Set(variants.map(evidenceHashOf)).size).toBe(variants.length);
    expect(evidenceHashOf({ ...base, screenedAt: 2 } as typeof base)).toBe(evidenceHashOf(base));
  });
});

describe('a decision', () => {
  const held = transferHeld();
  const decided = (over: Parameters<typeof reviewDecided>[1] = {}): ScreeningInput =>
    received('review.decided', reviewDecided(held, over));

  it('to approve resumes where the hold left off, with the review in the evidence', async () => {
    const [decision] = await run(screening(), [decided()]);
    const { envelope, screening: evidence } = only(decision, 'transfer.screened');
    expect(envelope).toMatchObject({ sequence: held.envelope.sequence + 1, transferId: held.envelope.transferId });
    expect(evidence).toEqual({
      ...held.screening,
      outcome: 'APPROVED',
      review: {
        holdId: held.hold.holdId,
        decision: 'APPROVE',
        decidedBy: 'amara',
        decidedAt: AT + 1_000,
        evidenceHash: held.hold.evidenceHash,
        justification: 'checked against the passport',
      },
    });
  });

  it('to reject declines with RR04', async () => {
    const [decision] = await run(screening(), [decided({ decision: 'REJECT' })]);
    expect(only(decision, 'transfer.rejected')).toMatchObject({ stage: 'SCREENING', reasons: [{ code: 'RR04' }] });
  });

  it.each([
    ['EVIDENCE_MISMATCH', { evidenceHash: 'other' }],
    ['HOLD_MISMATCH', { holdId: 'other' }],
    ['EVIDENCE_MISMATCH', { held: { ...held, screening: { ...held.screening!, lists: [] } } }],
    ['HOLD_MISMATCH', { held: { ...held, envelope: { ...held.envelope, transferId: 'another-transfer' } } }],
  ])('that does not fit is dropped and told: %s', async (code, over) => {
    const dropped: string[] = [];
    const holds = memoryHoldClaims();
    expect(await run(screening(holds, undefined, dropped), [decided(over)])).toEqual([[]]);
    expect(dropped).toEqual([code]);
    expect(holds.store.size).toBe(0);
  });

  it('of a hold that another stage set is left to that stage', async () => {
    const dropped: string[] = [];
    const input = received('review.decided', reviewDecided(transferHeldByLimits()));
    expect(await run(screening(undefined, undefined, dropped), [input])).toEqual([[]]);
    expect(dropped).toEqual([]);
  });

  it('of a kind that is not known stops the stage', async () => {
    const [decision] = await run(screening(), [decided({ decision: 'UNKNOWN' })]);
    expect(summary(decision)).toBe('stop DECISION_UNKNOWN');
  });

  it('is honoured once: the second command of one batch, or of another day, changes nothing', async () => {
    const dropped: string[] = [];
    const holds = memoryHoldClaims();
    const other = { ...reviewDecided(held).command, commandId: 'second' };
    const reject = decided({ decision: 'REJECT', command: other });
    expect((await run(screening(holds, undefined, dropped), [decided(), reject])).map(summary)).toEqual([
      'transfer.screened',
      '',
    ]);
    expect((await run(screening(holds, undefined, dropped), [reject])).map(summary)).toEqual(['']);
    expect(dropped).toEqual(['HOLD_TAKEN', 'HOLD_TAKEN']);
  });

  it('recognises itself after a crash between claim and commit, and emits the same again', async () => {
    const holds = memoryHoldClaims();
    const batch = [decided(), accepted()];
    holds.outages.crashAfter = 1;
    await expect(run(screening(holds), batch)).rejects.toMatchObject({ code: 'MONGO_UNAVAILABLE' });
    const [again] = await run(
      screening(holds, () => AT + 60_000),
      batch,
    );
    expect(again).toEqual((await run(screening(), batch))[0]);
  });

  it('honours a decision once although its command was published twice', async () => {
    const holds = memoryHoldClaims();
    const dropped: string[] = [];
    const again = { ...decided(), position: 'review.decided:3:8' };
    expect(
      (await run(screening(holds, undefined, dropped), [decided(), again])).map((each) => (each as unknown[]).length),
    ).toEqual([1, 0]);
    expect(await run(screening(holds, undefined, dropped), [again])).toEqual([[]]);
    expect(dropped).toEqual(['DECISION_REPEATED', 'DECISION_REPEATED']);
  });
});
