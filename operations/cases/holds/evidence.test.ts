import { expect, it } from 'vitest';
import type { ReviewOutcome } from '../../../schemas/types.generated.ts';
import { AT, findings, heldByDispatch, transferHeld, transferHeldByLimits } from '../../../test/kit/builders.ts';
import { evidenceOfHold } from './evidence.ts';

const DAY_MS = 86_400_000;

it('puts each party beside the entry that it resembles, with the list and its age', () => {
  const held = transferHeld();
  const { looks } = evidenceOfHold(held, AT + 3 * DAY_MS);
  expect(looks).toHaveLength(1);
  const [hit] = looks[0]!.hits;
  const [candidate] = held.screening!.parties.flatMap(({ candidates }) => candidates);
  expect(hit).toMatchObject({
    who: 'sender',
    entity: `${candidate!.source}:${candidate!.entityId}`,
    listedName: candidate!.matchedName,
    score: candidate!.score,
    decided: null,
  });
  expect(hit!.facts.map(({ fact }) => fact)).toEqual([
    'name',
    'date of birth',
    'place of birth',
    'country',
    'identifier',
  ]);
  expect(hit!.facts[0]).toMatchObject({ party: 'Gwen Hartley', listed: candidate!.matchedName });
  const list = held.screening!.lists.find(({ source }) => source === candidate!.source);
  const days = Math.floor((AT + 3 * DAY_MS - Date.parse(list!.publishedOn)) / DAY_MS);
  expect(hit!.list).toEqual({ versionId: list!.versionId, publishedOn: list!.publishedOn, days });
});

it('says as the engine does whether facts agree, and that it does not know where one side says nothing', () => {
  const held = transferHeld();
  const verdictsOf = (features: readonly (readonly [string, string, number])[]) => {
    const [party, ...others] = held.screening!.parties;
    const candidate = party!.candidates[0]!;
    const made = features.map(([name, detail, value]) => ({ name, detail, value, kind: 'add' }));
    const parties = [{ ...party!, candidates: [{ ...candidate, isHit: true, features: made }] }, ...others];
    const found = evidenceOfHold({ ...held, screening: { ...held.screening!, parties } }, AT).looks[0]!.hits[0]!;
    return [found.isIdentified, ...found.facts.map(({ verdict }) => verdict)];
  };
  expect(verdictsOf([])).toEqual([false, 'SIMILAR', 'UNKNOWN', 'UNKNOWN', 'UNKNOWN', 'UNKNOWN']);
  const same = [
    ['name_words', '2', 1],
    ['birth_date', 'equal', 0.06],
    ['country', 'equal', 0],
    ['identifier', 'equal', 0.98],
  ];
  expect(verdictsOf(same as never)).toEqual([true, 'AGREES', 'AGREES', 'UNKNOWN', 'AGREES', 'AGREES']);
  const other = [
    ['name_words', '1', 0.8],
    ['birth_date', 'near', 0],
    ['country', 'differs', -0.1],
    ['identifier', 'differs', -0.1],
  ];
  expect(verdictsOf(other as never)).toEqual([false, 'SIMILAR', 'SIMILAR', 'UNKNOWN', 'DIFFERS', 'DIFFERS']);
});

it('tells what has come since the last decision: the newest look first, and what was decided on each', () => {
  const held = heldByDispatch();
  const review: ReviewOutcome = {
    holdId: 'h',
    decision: 'APPROVE',
    decidedBy: 'amara',
    decidedAt: AT,
    evidenceHash: 'e',
    justification: 'born 1985',
  };
  const screening = { ...held.screening!, parties: findings('POTENTIAL_MATCH').parties, review };
  const { looks } = evidenceOfHold({ ...held, screening }, AT);
  expect(looks.map(({ why, hits }) => [why, hits.map(({ decided }) => decided?.decidedBy ?? null)])).toEqual([
    ['DISPATCH', [null]],
    ['SCREENED', ['amara']],
  ]);
});

it('of a hold for another reason has no hit, and of sealed parties no personal data', () => {
  expect(evidenceOfHold(transferHeldByLimits(), AT).looks.flatMap(({ hits }) => hits)).toEqual([]);
  expect(evidenceOfHold({ ...transferHeld(), screening: null }, AT)).toEqual({ looks: [] });
  const parties = { 'corridor.SealedParties': { keyId: 'k', algorithm: 'a', ciphertext: Buffer.from('x') } };
  const [fact] = evidenceOfHold({ ...transferHeld(), parties }, AT).looks[0]!.hits[0]!.facts;
  expect(fact).toMatchObject({ fact: 'name', party: '' });
});
