// Whatever the sample feed brings, a decision is made again from its evidence alone, after it went through Avro: holds and
// what was cleared, with intermediaries, terms by corridor and by list, exceptions, reviews, and looks at later versions.
// Evidence that was tampered with is not.
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { goodIntent, withIntermediaries } from '../samples/intents.ts';
import { seeded } from '../samples/random.ts';
import { recordType } from '../schemas/avro-types.ts';
import type { Parties, ReviewOutcome, ScreeningEvidence } from '../schemas/types.generated.ts';
import { AT } from '../test/kit/builders.ts';
import { memoryLists, nextVersion, screenerOver } from '../test/kit/memory-screening.ts';
import { times } from '../test/kit/times.ts';
import { screeningTerms } from './configuration.ts';
import { withRecheck, withReview } from './evidence.ts';
import { explainEvidence } from './explain-evidence.ts';
import { entityHash, type ListVersion } from './lists/index.ts';
import { loadSampleList } from './lists/sample/load.ts';
import { reproduceDecision } from './reproduce.ts';
import { isIdentified } from './screened-party.ts';

const PASSPORT = { kind: 'passport', value: 'K 1234567' } as const;
let list: ListVersion;
/** The same entities as another publisher lists them, each with a passport. */
let other: ListVersion;
beforeAll(async () => {
  list = await loadSampleList();
  const listedAgain = list.entities.map((entity) => ({
    ...entity,
    id: `OTHER:${entity.sourceId}`,
    source: 'OTHER',
    identifiers: [{ ...PASSPORT, value: `${PASSPORT.value}${entity.sourceId}` }],
  }));
  other = { ...nextVersion(list, listedAgain, '2026-11-01'), source: 'OTHER' };
});

const ids = { transferId: 't', customerId: 'c', beneficiaryId: 'b' };
const PLACES = ['debtor', 'creditor', 'intermediary'] as const;
const TOKENS = { debtorToken: 'debtor', creditorToken: 'creditor', intermediaryTokens: ['intermediary', 'agent'] };

const cases = fc.record({
  seed: fc.nat(1_000_000),
  /** Which entity a party carries the name of, and which party. */
  listed: fc.option(fc.nat(1_000), { nil: undefined, freq: 4 }),
  place: fc.constantFrom(...PLACES),
  /** How the name is changed: a letter is lost, all letters are, or nothing. */
  slip: fc.option(fc.oneof(fc.nat(1_000), fc.constant('all' as const)), { nil: undefined }),
  samePassport: fc.boolean(),
  corridor: fc.constantFrom(undefined, 0.72, 0.9),
  bySource: fc.constantFrom(undefined, 0.74, 0.95),
  excused: fc.boolean(),
  review: fc.constantFrom('APPROVE', 'REJECT', undefined),
  /** Every n-th entity comes with a later version. */
  later: fc.constantFrom(1, 2, 3),
});
type Case = typeof cases extends fc.Arbitrary<infer T> ? T : never;

function partiesOf({ seed, listed, place, slip, samePassport }: Case): Parties {
  const random = seeded(seed);
  const intent = withIntermediaries(goodIntent(random, ids, AT), random);
  const parties = (intent.parties as { 'corridor.Parties': Parties })['corridor.Parties'];
  if (listed === undefined) return parties;
  const entity = list.entities[listed % list.entities.length]!;
  const { full } = entity.names[listed % entity.names.length]!;
  const at = typeof slip === 'number' ? slip % full.length : full.length;
  const name = slip === 'all' ? '\u{1F98A}' : full.slice(0, at) + full.slice(at + 1);
  const passport = { scheme: 'PASSPORT', value: `${PASSPORT.value}${entity.sourceId}`, country: null };
  const change = { name, birthDate: null, ...(samePassport ? { identifiers: [passport] } : {}) };
  if (place !== 'intermediary') return { ...parties, [place]: { ...parties[place], ...change } };
  const [first, ...others] = parties.intermediaries;
  return { ...parties, intermediaries: [{ ...first!, ...change }, ...others] };
}

/** The evidence as the events carry it: screened, reviewed, and looked at again when a later version came. */
async function decided(of: Case) {
  const parties = partiesOf(of);
  const lists = memoryLists();
  const before = list.entities.filter((_, i) => i % of.later > 0);
  await lists.put(nextVersion(list, before, '2026-11-01'));
  await lists.put(other);
  const exceptions = of.excused ? [...list.entities, ...other.entities] : [];
  const screener = screenerOver(lists, {
    terms: screeningTerms({
      ...(of.bySource === undefined ? {} : { thresholdBySource: { OTHER: of.bySource } }),
      ...(of.corridor === undefined ? {} : { corridors: { 'GBP-INR': { threshold: of.corridor } } }),
    }),
    exceptions: {
      find: async (tokens) =>
        tokens.flatMap((token) =>
          exceptions.map((entity) => ({
            exceptionId: `X-${entity.id}`,
            token,
            source: entity.source,
            entityId: entity.sourceId,
            entityHash: entityHash(entity),
            expiresAt: AT + 1,
            grantedBy: 'amara',
            reason: 'test',
          })),
        ),
    },
  });
  const request = { parties, instruction: { sourceCurrency: 'GBP', targetCurrency: 'INR', ...TOKENS } };
  const [findings] = await screener.screen([request]);
  const screened = reviewedAs(of, { ...findings!, screenedAt: AT, review: null });
  await lists.put(nextVersion(list, list.entities, '2026-11-22'));
  const [difference] = await screener.recheck([{ request, covered: screened.lists }]);
  const looked = difference
    ? reviewedAs(of, withRecheck(screened, { ...difference, reason: 'DISPATCH', screenedAt: AT + 1, review: null }))
    : screened;
  await screener.close();
  const type = recordType('ScreeningEvidence');
  const wire = (evidence: ScreeningEvidence) => type.fromBuffer(type.toBuffer(evidence)) as ScreeningEvidence;
  return { parties, evidence: wire(looked) };
}

function reviewedAs({ review: decision }: Case, evidence: ScreeningEvidence): ScreeningEvidence {
  if (decision === undefined || evidence.outcome === 'CLEAR' || evidence.outcome === 'APPROVED') return evidence;
  const review: ReviewOutcome = {
    holdId: 'h',
    decision,
    decidedBy: 'amara',
    decidedAt: AT,
    evidenceHash: 'e',
    justification: 'j',
  };
  return withReview(evidence, review);
}

describe('a decision', () => {
  it('is made again, the same, from its evidence alone', async () => {
    const seen = new Map<string, number>();
    const count = (what: string, holds = true) => seen.set(what, (seen.get(what) ?? 0) + (holds ? 1 : 0));
    await fc.assert(
      fc.asyncProperty(cases, async (of) => {
        const { parties, evidence } = await decided(of);
        const looks = [evidence, ...evidence.rechecks].flatMap((look) => look.parties);
        count(evidence.outcome);
        count(
          'hit of an intermediary',
          looks.some(({ role, outcome }) => role === 'INTERMEDIARY' && outcome !== 'CLEAR'),
        );
        count(
          'excused',
          looks.some(({ candidates }) => candidates.some(({ exceptionId }) => exceptionId !== null)),
        );
        count(
          'found later',
          evidence.rechecks.some(({ outcome }) => outcome !== 'CLEAR'),
        );
        count(
          'several thresholds',
          new Set(looks.flatMap((party) => party.candidates.map((c) => c.threshold))).size > 1,
        );
        expect(reproduceDecision(evidence, parties)).toEqual({ identical: true, differences: [] });
        expect(explainEvidence(evidence, parties).join('\n')).toContain('the same decision');
      }),
      { numRuns: times(300), seed: 7 },
    );
    const wanted = ['CLEAR', 'POTENTIAL_MATCH', 'TRUE_MATCH', 'UNSCREENABLE', 'APPROVED', 'hit of an intermediary'];
    for (const what of [...wanted, 'excused', 'found later', 'several thresholds']) {
      expect(seen.get(what) ?? 0, what).toBeGreaterThan(3);
    }
  });

  it('is not the same when the evidence was tampered with, or the parties are others', async () => {
    let tampered = 0;
    await fc.assert(
      fc.asyncProperty(cases, async (of) => {
        const { parties, evidence } = await decided(of);
        const place = evidence.parties.findIndex(({ candidates }) => candidates.length > 0);
        const party = evidence.parties[place];
        const [first, ...rest] = party?.candidates ?? [];
        if (party === undefined || first === undefined) return;
        tampered += 1;
        const withFirst = (change: object) => ({
          ...evidence,
          parties: evidence.parties.with(place, { ...party, candidates: [{ ...first, ...change }, ...rest] }),
        });
        const forged = [
          withFirst({ score: first.score / 2 }),
          withFirst({ isHit: !first.isHit }),
          // Whoever has the same passport is a hit by any name.
          ...(isIdentified(first)
            ? []
            : [withFirst({ matchedName: 'Somebody Else Entirely', family: null, given: null })]),
          { ...evidence, outcome: evidence.outcome === 'CLEAR' ? 'POTENTIAL_MATCH' : 'CLEAR' } as ScreeningEvidence,
          { ...evidence, configuration: '{"threshold":0.99}' },
          { ...evidence, parties: evidence.parties.slice(0, -1) },
          { ...evidence, parties: [...evidence.parties, party] },
        ];
        for (const each of forged) expect(reproduceDecision(each, parties).identical).toBe(false);
        const [intermediary, ...more] = parties.intermediaries;
        const others = [
          { ...parties, debtor: { ...parties.debtor, name: `${parties.debtor.name} Brown` } },
          { ...parties, intermediaries: [{ ...intermediary!, name: `${intermediary!.name} Brown` }, ...more] },
          { ...parties, intermediaries: more },
        ];
        for (const each of others) expect(reproduceDecision(evidence, each).identical).toBe(false);
      }),
      { numRuns: times(150), seed: 8 },
    );
    expect(tampered).toBeGreaterThan(30);
  });
});
