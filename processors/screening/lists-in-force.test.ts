// What screening goes by when lists change under it, and what an exception lets pass.
import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { Parties, Party, TransferAccepted, TransferHeld } from '../../schemas/types.generated.ts';
import type { ScreeningException } from '../../screening/exceptions.ts';
import { entityHash, type ListEntity, type ListVersion } from '../../screening/lists/index.ts';
import { loadSampleList } from '../../screening/lists/sample/load.ts';
import { reproduceDecision } from '../../screening/reproduce.ts';
import {
  AT,
  intermediary,
  only,
  received,
  reviewDecided,
  run,
  summary,
  transferAccepted,
} from '../../test/kit/builders.ts';
import { listedPerson, memoryLists, nextVersion } from '../../test/kit/memory-screening.ts';
import { accepted, named, stageOver } from './testing/stage.ts';

let list: ListVersion;
beforeAll(async () => {
  list = await loadSampleList();
});

describe('a list version that becomes active', () => {
  const added = listedPerson('7001', 'Gwen Hartley');
  const grown = (...more: readonly ListEntity[]) => nextVersion(list, [...list.entities, ...more], '2026-11-22');
  async function heldUnderTheFirst() {
    const own = memoryLists();
    await own.put(list);
    const stage = stageOver(own);
    const [decision] = await run(stage, [named('Anatoly Grigoryevich Vorskov')]);
    return { own, stage, held: only(decision, 'transfer.held') };
  }
  const approve = (held: TransferHeld) => received('review.decided', reviewDecided(held));

  it('is what the next batch is screened against, once its index is ready', async () => {
    const own = memoryLists();
    await own.put(list);
    const stage = stageOver(own);
    expect((await run(stage, [accepted()])).map(summary)).toEqual(['transfer.screened']);
    await own.put(grown(added));
    await vi.waitFor(
      async () =>
        expect((await run(stage, [accepted({ debtor: { birthDate: null } })])).map(summary)).toEqual(['transfer.held']),
      { timeout: 60_000 },
    );
  });

  it('never clears anything before there is one', async () => {
    const stage = stageOver(memoryLists());
    await expect(run(stage, [accepted()])).rejects.toMatchObject({
      code: 'NO_ACTIVE_LIST',
      faultClass: 'transient-dependency',
    });
  });

  it('does not hold an approved transfer again for what was decided on', async () => {
    const { own, stage, held } = await heldUnderTheFirst();
    await own.put(grown(listedPerson('7002', 'Somebody Else Entirely')));
    const { screening: evidence } = only((await run(stage, [approve(held)]))[0], 'transfer.screened');
    expect(evidence).toMatchObject({
      outcome: 'APPROVED',
      review: { decision: 'APPROVE' },
      rechecks: [{ reason: 'RESUMED', outcome: 'CLEAR', lists: [{ publishedOn: '2026-11-22', activation: 2 }] }],
    });
  });

  it('holds an approved transfer again for a new hit, and that hold can be approved in turn', async () => {
    const { own, stage, held } = await heldUnderTheFirst();
    await own.put(grown(listedPerson('7003', 'Anatoli Grigorievich Vorskov')));
    const again = only((await run(stage, [approve(held)]))[0], 'transfer.held');
    expect(again.hold).not.toMatchObject({ holdId: held.hold.holdId });
    expect(again.hold.reasons[0]!.detail).toContain('CORRIDOR 7003');
    expect(again.hold.reasons[0]!.detail).not.toContain('9001');
    expect(again.screening).toMatchObject({ outcome: 'POTENTIAL_MATCH', review: { decision: 'APPROVE' } });
    const { screening: evidence } = only((await run(stage, [approve(again)]))[0], 'transfer.screened');
    expect(evidence).toMatchObject({ outcome: 'APPROVED', rechecks: [{ review: { decision: 'APPROVE' } }] });
    const parties = again.parties as { 'corridor.Parties': Parties };
    expect(reproduceDecision(evidence, parties['corridor.Parties'])).toEqual({ identical: true, differences: [] });
  });
});

describe('an exception', () => {
  const grant = (entityHash: string, token: string): ScreeningException => ({
    exceptionId: 'X-1',
    token,
    source: 'CORRIDOR',
    entityId: '9001',
    entityHash,
    expiresAt: AT + 1,
    grantedBy: 'amara',
    reason: 'another date of birth',
  });
  async function withException(change: (exception: ScreeningException) => ScreeningException, of: Partial<Party> = {}) {
    const own = memoryLists();
    await own.put(list);
    const input = received(
      'transfer.accepted',
      transferAccepted({ debtor: { name: 'Anatoly Grigoryevich Vorskov', birthDate: null, ...of } }),
    );
    const entity = list.entities.find(({ sourceId }) => sourceId === '9001')!;
    own.exceptions.push(change(grant(entityHash(entity), input.value.instruction.debtorToken)));
    const stage = stageOver(own);
    return (await run(stage, [input]))[0];
  }

  it('lets its counterparty pass for its entity, and is named in the evidence', async () => {
    const { screening: evidence } = only(await withException((same) => same), 'transfer.screened');
    expect(evidence.outcome).toBe('CLEAR');
    expect(evidence.parties[0]!.candidates).toMatchObject([{ entityId: '9001', isHit: false, exceptionId: 'X-1' }]);
  });

  it('for an intermediary lets that one pass, and nobody else of the transfer', async () => {
    const own = memoryLists();
    await own.put(list);
    const name = 'Anatoly Grigoryevich Vorskov';
    const beside = accepted({ intermediaries: [intermediary({ name })] });
    const { instruction } = beside.value as TransferAccepted;
    const entity = list.entities.find(({ sourceId }) => sourceId === '9001')!;
    own.exceptions.push(grant(entityHash(entity), instruction.intermediaryTokens[0]!));
    const stage = stageOver(own);
    const both = accepted({ debtor: { name, birthDate: null }, intermediaries: [intermediary({ name })] });
    const decisions = await run(stage, [beside, both]);
    expect(decisions.map(summary)).toEqual(['transfer.screened', 'transfer.held']);
    const { parties } = only(decisions[0], 'transfer.screened').screening;
    expect(parties[2]!.candidates).toMatchObject([{ entityId: '9001', isHit: false, exceptionId: 'X-1' }]);
  });

  it.each<[string, (exception: ScreeningException) => ScreeningException]>([
    ['of another counterparty', (exception) => ({ ...exception, token: 'another' })],
    ['for another entity', (exception) => ({ ...exception, entityId: '9002' })],
    ['for another source', (exception) => ({ ...exception, source: 'OFAC' })],
    ['that has expired', (exception) => ({ ...exception, expiresAt: AT })],
    ['for the entity as it was before it changed', (exception) => ({ ...exception, entityHash: 'before' })],
  ])('%s changes nothing', async (_, change) => {
    expect(summary(await withException(change))).toBe('transfer.held');
  });
});

it('holds an exact identifier as a true match, which no exception excuses', async () => {
  const passport = { scheme: 'PASSPORT', value: 'x-0000007', country: 'IR' };
  const input = received('transfer.accepted', transferAccepted({ debtor: { identifiers: [passport] } }));
  const own = memoryLists();
  await own.put(list);
  const entity = list.entities.find(({ sourceId }) => sourceId === '9007')!;
  own.exceptions.push({
    exceptionId: 'X-2',
    token: input.value.instruction.debtorToken,
    source: 'CORRIDOR',
    entityId: '9007',
    entityHash: entityHash(entity),
    expiresAt: AT + 1,
    grantedBy: 'amara',
    reason: 'none that counts',
  });
  const stage = stageOver(own);
  const { screening: evidence, hold } = only((await run(stage, [input]))[0], 'transfer.held');
  expect(evidence!.outcome).toBe('TRUE_MATCH');
  expect(hold.reasons[0]!.detail).toBe('the sender has an identifier of CORRIDOR 9007');
});
