// Whatever the sample feed brings, a decision is made again from its evidence alone, after it went through Avro; and
// evidence that was tampered with is not.
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { goodIntent, listedSender } from '../../feed/intents.ts';
import { seeded } from '../../feed/random.ts';
import { recordType } from '../../schemas/avro-types.ts';
import type { Parties, ScreeningEvidence, TransferRequested } from '../../schemas/types.generated.ts';
import { AT } from '../../test/kit/builders.ts';
import { type MemoryLists, memoryLists, screenerOver } from '../../test/kit/memory-screening.ts';
import { times } from '../../test/kit/times.ts';
import { screeningTerms } from './configuration.ts';
import type { ListVersion } from './lists/index.ts';
import { listedPersons, loadSampleList } from './lists/sample/load.ts';
import { reproduceDecision } from './reproduce.ts';
import { tellEvidence } from './tell.ts';

let list: ListVersion;
let lists: MemoryLists;
beforeAll(async () => {
  list = await loadSampleList();
  lists = memoryLists();
  await lists.put(list);
});

const ids = { transferId: 't', customerId: 'c', beneficiaryId: 'b' };
/** A sample transfer, of somebody listed when `listed` says so; the name as it is, or with letters lost or doubled. */
function partiesFrom(seed: number, listed: number | undefined, slip: number | undefined): Parties {
  const random = seeded(seed);
  const names = [...listedPersons(list), ...list.entities.flatMap((entity) => entity.names.map(({ full }) => full))];
  const good: TransferRequested = goodIntent(random, ids, AT);
  const intent = listed === undefined ? good : listedSender(good, names[listed % names.length]!);
  const parties = (intent.parties as { 'corridor.Parties': Parties })['corridor.Parties'];
  if (slip === undefined) return parties;
  const { name } = parties.debtor;
  const at = slip % name.length;
  return { ...parties, debtor: { ...parties.debtor, name: name.slice(0, at) + name.slice(at + 1) } };
}

const cases = fc.record({
  seed: fc.nat(1_000_000),
  listed: fc.option(fc.nat(1_000), { nil: undefined, freq: 3 }),
  slip: fc.option(fc.nat(1_000), { nil: undefined }),
  threshold: fc.constantFrom(undefined, 0.72, 0.9),
  excused: fc.boolean(),
});

type Case = typeof cases extends fc.Arbitrary<infer T> ? T : never;

async function decided({ seed, listed, slip, threshold, excused }: Case) {
  const parties = partiesFrom(seed, listed, slip);
  const corridors = threshold === undefined ? {} : { 'GBP-INR': { threshold } };
  const exceptions = list.entities.map((entity) => ({
    exceptionId: `X-${entity.id}`,
    token: 'debtor',
    source: entity.source,
    entityId: entity.sourceId,
    entityHash: '',
    expiresAt: AT + 1,
    grantedBy: 'amara',
    reason: 'test',
  }));
  const screener = screenerOver(lists, {
    terms: screeningTerms({ corridors }),
    exceptions: {
      find: async () =>
        excused ? exceptions.map((each) => ({ ...each, entityHash: hashes.get(each.exceptionId)! })) : [],
    },
  });
  const instruction = {
    sourceCurrency: 'GBP',
    targetCurrency: 'INR',
    debtorToken: 'debtor',
    creditorToken: 'creditor',
  };
  const [findings] = await screener.screen([{ parties, instruction }]);
  const evidence: ScreeningEvidence = { ...findings!, screenedAt: AT, review: null };
  const type = recordType('ScreeningEvidence');
  return { parties, evidence: type.fromBuffer(type.toBuffer(evidence)) as ScreeningEvidence };
}

const hashes = new Map<string, string>();
beforeAll(async () => {
  const { entityHash } = await import('./lists/index.ts');
  for (const entity of list.entities) hashes.set(`X-${entity.id}`, entityHash(entity));
});

describe('a decision', () => {
  it('is made again, the same, from its evidence alone', async () => {
    const outcomes = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(cases, async (of) => {
        const { parties, evidence } = await decided(of);
        outcomes.set(evidence.outcome, (outcomes.get(evidence.outcome) ?? 0) + 1);
        expect(reproduceDecision(evidence, parties)).toEqual({ identical: true, differences: [] });
        expect(tellEvidence(evidence, parties).join('\n')).toContain('the same decision');
      }),
      { numRuns: times(300), seed: 7 },
    );
    expect(outcomes.get('CLEAR')).toBeGreaterThan(20);
    expect(outcomes.get('POTENTIAL_MATCH')).toBeGreaterThan(20);
  });

  it('is not the same when the evidence was tampered with, or the parties are others', async () => {
    let tampered = 0;
    await fc.assert(
      fc.asyncProperty(cases, async (of) => {
        const { parties, evidence } = await decided(of);
        const [debtor, creditor] = evidence.parties;
        const [first, ...rest] = debtor!.candidates;
        if (first === undefined) return;
        tampered += 1;
        const withFirst = (change: object) => ({
          ...evidence,
          parties: [{ ...debtor!, candidates: [{ ...first, ...change }, ...rest] }, creditor!],
        });
        const forged = [
          withFirst({ score: first.score / 2 }),
          withFirst({ isHit: !first.isHit }),
          withFirst({ matchedName: 'Somebody Else Entirely', family: null, given: null }),
          { ...evidence, outcome: evidence.outcome === 'CLEAR' ? 'POTENTIAL_MATCH' : 'CLEAR' } as ScreeningEvidence,
          { ...evidence, configuration: '{"threshold":0.99}' },
        ];
        for (const each of forged) expect(reproduceDecision(each, parties).identical).toBe(false);
        const other = { ...parties, debtor: { ...parties.debtor, name: `${parties.debtor.name} Brown` } };
        expect(reproduceDecision(evidence, other).identical).toBe(false);
      }),
      { numRuns: times(150), seed: 8 },
    );
    expect(tampered).toBeGreaterThan(30);
  });
});
