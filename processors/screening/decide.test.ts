// Given a transfer and what the screener found, or a decision of a person, screening emits one event.
import { beforeAll, describe, expect, it } from 'vitest';
import { holdIdOf } from '../../domain/transfers/event-id.ts';
import type { ReviewDecided, TransferAccepted, TransferHeld } from '../../schemas/types.generated.ts';
import { ENGINE_VERSION } from '../../screening/engine/index.ts';
import type { ListVersion } from '../../screening/lists/index.ts';
import { listedPersons, loadSampleList } from '../../screening/lists/sample/load.ts';
import type { Screener } from '../../screening/ports.ts';
import {
  AT,
  intermediary,
  only,
  received,
  reviewDecided,
  run,
  summary,
  transferHeldByLimits,
} from '../../test/kit/builders.ts';
import { KEYS } from '../../test/kit/keys.ts';
import { memoryHoldClaims } from '../../test/kit/memory-claims.ts';
import { type MemoryLists, memoryLists, screenerOver } from '../../test/kit/memory-screening.ts';
import { contentHashOf } from '../hold-content.ts';
import { isSealedAsHeld } from '../holds.ts';
import type { ScreeningInput } from './decide.ts';
import { createScreening } from './processor.ts';
import { accepted, named, stageOver } from './testing/stage.ts';

let list: ListVersion;
let lists: MemoryLists;
let screener: Screener;
beforeAll(async () => {
  list = await loadSampleList();
  lists = memoryLists();
  await lists.put(list);
  screener = screenerOver(lists);
});

function screening(holds = memoryHoldClaims(), clock = () => AT, dropped: string[] = []) {
  return createScreening({ keys: KEYS, screener, holds, clock, onDropped: ({ code }) => dropped.push(code) });
}

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
      engineVersion: ENGINE_VERSION,
      configuration: '{}',
      lists: [{ source: 'CORRIDOR', publishedOn: '2026-11-20', contentHash: list.entitiesHash, activation: 1 }],
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
  ])('of a listed sender is held: %j', async (name) => {
    const [decision] = await run(screening(), [named(name)]);
    const held = only(decision, 'transfer.held');
    const { hold, screening: evidence, envelope } = held;
    expect(hold).toMatchObject({
      holdId: holdIdOf(envelope.transferId, 2),
      stage: 'SCREENING',
      reasons: [{ code: 'RR04' }],
    });
    expect(isSealedAsHeld(KEYS.stages, held)).toBe(true);
    expect(contentHashOf(held)).toBe(held.hold.evidenceHash);
    expect(hold.expiresAt).toBeGreaterThan(AT);
    expect(evidence!.parties[0]).toMatchObject({
      role: 'DEBTOR',
      outcome: 'POTENTIAL_MATCH',
      candidates: [{ isHit: true, threshold: 0.75, entity: { entityHash: expect.any(String) } }],
    });
  });

  it('of a listed company is held, however it writes its legal form', async () => {
    const company = accepted({ creditor: { name: 'Northwind Capestan Trading L.L.C.', kind: 'ORGANISATION' } });
    expect((await run(screening(), [company])).map(summary)).toEqual(['transfer.held']);
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

  it('of a listed intermediary is held too, and says which one', async () => {
    const intermediaries = [
      intermediary({ role: 'INTERMEDIARY_AGENT', kind: 'ORGANISATION', name: 'Sahyadri Settlement Bank' }),
      intermediary({ name: 'Zeya Thaungmyat', country: null }),
    ];
    const [decision] = await run(screening(), [accepted({ intermediaries })]);
    const { hold, screening: evidence, instruction } = only(decision, 'transfer.held');
    expect(hold.reasons).toEqual([{ code: 'RR04', detail: expect.stringMatching(/^the intermediary 2 resembles /) }]);
    expect(evidence!.parties.map(({ role, outcome }) => `${role} ${outcome}`)).toEqual([
      'DEBTOR CLEAR',
      'CREDITOR CLEAR',
      'INTERMEDIARY CLEAR',
      'INTERMEDIARY POTENTIAL_MATCH',
    ]);
    expect(instruction.intermediaryTokens).toHaveLength(2);
    expect(instruction.intermediaryTokens.join(' ')).not.toMatch(/thaungmyat|sahyadri/i);
  });

  it('of an agent with a listed identifier is held as a true match, and an intermediary without a name is never clear', async () => {
    const passport = { scheme: 'PASSPORT', value: 'x-0000007', country: 'IR' };
    const batch = [{ identifiers: [passport] }, { name: '...' }].map((of) =>
      accepted({ intermediaries: [intermediary(of)] }),
    );
    const outcomes = (await run(screening(), batch)).map((each) => only(each, 'transfer.held').screening!.outcome);
    expect(outcomes).toEqual(['TRUE_MATCH', 'UNSCREENABLE']);
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

describe('a decision', () => {
  let held: TransferHeld;
  beforeAll(async () => {
    held = only((await run(screening(), [named('Anatoly Grigoryevich Vorskov')]))[0], 'transfer.held');
  });
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

  it.each<[string, () => Partial<ReviewDecided>]>([
    ['EVIDENCE_MISMATCH', () => ({ evidenceHash: 'other' })],
    ['HOLD_MISMATCH', () => ({ holdId: 'other' })],
    ['EVIDENCE_MISMATCH', () => ({ held: { ...held, screening: { ...held.screening!, lists: [] } } })],
    ['HOLD_NOT_SEALED', () => ({ held: { ...held, envelope: { ...held.envelope, transferId: 'another-transfer' } } })],
  ])('that does not fit is dropped and told: %s', async (code, over) => {
    const dropped: string[] = [];
    const holds = memoryHoldClaims();
    expect(await run(screening(holds, undefined, dropped), [decided(over())])).toEqual([[]]);
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

describe('a check of name and account that did not match', () => {
  const asked = { reviewRules: ['payee-name-differs'] };
  const checked = { scheme: 'IN_LOOKUP', result: 'NMTC', checkedAt: AT, payerProceeded: true } as const;
  const differing = (over: Parameters<typeof accepted>[0] = {}) => {
    const record = accepted(over);
    const value = record.value as TransferAccepted;
    const instruction = { ...value.instruction, ...asked, payeeVerification: checked };
    return { ...record, value: { ...value, instruction } } as typeof record;
  };
  const stage = async () => {
    const own = memoryLists();
    await own.put(list);
    return stageOver(own);
  };

  it('holds the transfer by the rule that asks for a person, and never refuses it', async () => {
    const held = only((await run(await stage(), [differing()]))[0], 'transfer.held');
    expect(held.hold.reasons).toEqual([
      { code: 'BE01', detail: 'rule payee-name-differs: the check of name and account said NMTC' },
    ]);
    expect(held.screening!.outcome).toBe('CLEAR');
  });

  it('goes on once a person has approved, and is not asked about again', async () => {
    const held = only((await run(await stage(), [differing()]))[0], 'transfer.held');
    const review = received('review.decided', reviewDecided(held));
    const next = only((await run(await stage(), [review]))[0], 'transfer.screened');
    expect(next.screening.review).toMatchObject({ decision: 'APPROVE' });
  });

  it('ends with the ISO reason where a person declines', async () => {
    const held = only((await run(await stage(), [differing()]))[0], 'transfer.held');
    const review = received('review.decided', reviewDecided(held, { decision: 'REJECT' }));
    expect(only((await run(await stage(), [review]))[0], 'transfer.rejected').reasons).toMatchObject([
      { code: 'BE01' },
    ]);
  });

  it('is said beside what lists say', async () => {
    const listed = differing({ debtor: { name: 'Anatoly Grigoryevich Vorskov', birthDate: null } });
    const held = only((await run(await stage(), [listed]))[0], 'transfer.held');
    expect(held.hold.reasons.map(({ code }) => code)).toEqual(['RR04', 'BE01']);
  });
});
