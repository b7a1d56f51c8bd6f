// Versions of what transfers go by: from and to as the rule of policies says, and exactly one at any time.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CORRIDORS } from '../../domain/corridors/corridor-table.ts';
import { BUILT_IN_LIMITS } from '../../domain/limits/limit-rules.ts';
import { versionAt } from '../../domain/policies/versions.ts';
import { BUILT_IN_TERMS, corridorTerms } from '../../domain/terms/corridor-terms.ts';
import type { ReferenceVersion } from '../../schemas/types.generated.ts';
import { memoryCodec } from '../../test/kit/memory-codec.ts';
import { times } from '../../test/kit/times.ts';
import {
  type Activated,
  changedVersions,
  configuredVersionsOf,
  contentOfCorridor,
  contentOfProvider,
  contentsOfLimits,
  contentsOfTerms,
  KINDS_OF,
  listVersionsOf,
  policyVersionsOf,
  type ReferenceContent,
} from './versions.ts';

const TERMS = corridorTerms(CORRIDORS, BUILT_IN_TERMS);
const setsOf = (froms: readonly number[]) =>
  froms.map((from, at) => ({ number: at + 1, from, contents: contentsOfLimits(BUILT_IN_LIMITS, at + 1) }));
const isAt = (at: number) => (version: ReferenceVersion) =>
  version.validFrom <= at && (version.validTo === null || at < version.validTo);
const spans = (versions: readonly ReferenceVersion[], id: string) =>
  versions.filter((each) => each.id === id).map(({ version, validFrom, validTo }) => [version, validFrom, validTo]);

describe('versions of a policy', () => {
  it('count when the rule of policies says so: of each rule exactly one, or none before the first', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(50), { minLength: 1, maxLength: 6 }), fc.nat(60), (froms, at) => {
        const sets = setsOf(froms);
        const counts = versionAt(sets.toReversed(), at);
        const found = policyVersionsOf(sets).filter(({ id }) => id === 'sender-day-gbp');
        expect(found.filter(isAt(at)).map(({ policyVersion }) => policyVersion)).toEqual(
          counts === undefined ? [] : [counts.number],
        );
        for (const { validFrom, validTo } of found) expect(validTo ?? validFrom).toBeGreaterThanOrEqual(validFrom);
      }),
      { numRuns: times(500) },
    );
  });

  it('are named as rows name them', () => {
    const [term] = contentsOfTerms(TERMS, 7);
    expect(term).toMatchObject({
      kind: 'MARGIN',
      version: 'built-in@1#7',
      policyVersion: 7,
      corridorIds: [CORRIDORS[0]!.id],
    });
    const [rule] = contentsOfLimits(BUILT_IN_LIMITS, 0);
    expect(rule).toMatchObject({
      ...{ kind: 'LIMIT_RULE', id: 'sender-day-gbp-review', version: 'built-in@1', policyVersion: null },
      ...{ currency: 'GBP', limitMinor: 800_000n, metric: 'amount/debit', action: 'hold' },
    });
  });

  it('fit their schema, each with its own id', () => {
    const codec = memoryCodec();
    const contents = [...contentsOfTerms(TERMS, 0), ...contentsOfLimits(BUILT_IN_LIMITS, 0)];
    const more = [...CORRIDORS.map(contentOfCorridor), contentOfProvider('simulator')];
    const versions = policyVersionsOf([{ number: 0, from: 5, contents: [...contents, ...more] }]);
    for (const version of versions) expect(() => codec.encode('reference.versions', version)).not.toThrow();
    expect(new Set(versions.map(({ versionId }) => versionId)).size).toBe(versions.length);
    const kinds: readonly string[] = Object.values(KINDS_OF).flat();
    for (const { kind } of versions) expect(kinds).toContain(kind);
  });
});

describe('what a configuration says', () => {
  const kinds = KINDS_OF.corridors;
  const [first] = CORRIDORS;
  const other = { ...first!, purposeCodes: ['SALA'] };
  const stated = (
    known: readonly ReferenceVersion[],
    now: number,
    corridors = CORRIDORS,
    endsAt: number | null = null,
  ) => {
    const wanted = configuredVersionsOf(known, { kinds, contents: corridors.map(contentOfCorridor), now, endsAt });
    return merged(known, wanted);
  };
  const merged = (known: readonly ReferenceVersion[], wanted: readonly ReferenceVersion[]) => [
    ...new Map([...known, ...wanted].map((version) => [version.versionId, version])).values(),
  ];

  it('counts from when it was told first, and the same again changes nothing', () => {
    const once = stated([], 10);
    expect(once).toHaveLength(CORRIDORS.length);
    for (const { validFrom, validTo } of once) expect([validFrom, validTo]).toEqual([10, null]);
    const again = configuredVersionsOf(once, {
      kinds,
      contents: CORRIDORS.map(contentOfCorridor),
      now: 20,
      endsAt: null,
    });
    expect(changedVersions(once, again)).toEqual([]);
  });

  it('ends when a process says something else, and what is no longer there ends too', () => {
    const changed = stated(stated([], 10), 20, [other, ...CORRIDORS.slice(1, -1)]);
    const [before, after] = [contentOfCorridor(first!).version, contentOfCorridor(other).version];
    expect(spans(changed, first!.id)).toEqual([
      [before, 10, 20],
      [after, 20, null],
    ]);
    expect(spans(changed, CORRIDORS.at(-1)!.id)).toMatchObject([[expect.any(String), 10, 20]]);
    // One that began earlier and begins again with what it had: what began last is right, and what came between is not forgotten.
    const back = stated(changed, 30);
    expect(spans(back, first!.id)).toEqual([
      [before, 10, 20],
      [after, 20, 30],
      [before, 30, null],
    ]);
    const again = { kinds, contents: CORRIDORS.map(contentOfCorridor), now: 40, endsAt: null };
    expect(changedVersions(back, configuredVersionsOf(back, again))).toEqual([]);
    expect(stated(back, 50, [other, ...CORRIDORS.slice(1)]).map(({ versionId }) => versionId)).toContain(
      `CORRIDOR/${first!.id}/${after}~2`,
    );
  });

  it('is of one content for ever under a name and version: another one is another row', () => {
    const [rule] = contentsOfLimits(BUILT_IN_LIMITS, 0);
    const other = { ...rule!, contentHash: 'f'.repeat(64), limitMinor: 1n };
    const say = (known: readonly ReferenceVersion[], content: ReferenceContent, now: number) =>
      merged(known, configuredVersionsOf(known, { kinds: KINDS_OF.limits, contents: [content], now, endsAt: null }));
    const all = say(say(say([], rule!, 10), other, 20), rule!, 30);
    const plain = `LIMIT_RULE/${rule!.id}/built-in@1`;
    expect(
      all.map(({ versionId, validFrom, validTo, limitMinor }) => [versionId, validFrom, validTo, limitMinor]),
    ).toEqual([
      [plain, 10, 20, rule!.limitMinor],
      [`${plain}~ffffffffffff`, 20, 30, 1n],
      [`${plain}~2`, 30, null, rule!.limitMinor],
    ]);
  });

  it('ends no provider of another process', () => {
    const say = (known: readonly ReferenceVersion[], name: string, now: number) =>
      configuredVersionsOf(known, { kinds: KINDS_OF.provider, contents: [contentOfProvider(name)], now, endsAt: null });
    const both = merged(say([], 'one', 10), say(say([], 'one', 10), 'two', 20));
    expect(both.map(({ id, validFrom, validTo }) => [id, validFrom, validTo])).toEqual([
      ['one', 10, null],
      ['two', 20, null],
    ]);
    expect(changedVersions(both, say(both, 'one', 30))).toEqual([]);
  });

  it('has at any time exactly one row of each, however processes with two files take turns', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 12 }), (turns) => {
        let known: readonly ReferenceVersion[] = [];
        for (const [nth, isOther] of turns.entries())
          known = stated(known, nth, isOther ? [other, ...CORRIDORS.slice(1)] : CORRIDORS);
        for (const [nth, isOther] of turns.entries()) {
          const counting = known.filter(({ id }) => id === first!.id).filter(isAt(nth));
          expect(counting.map(({ version }) => version)).toEqual([contentOfCorridor(isOther ? other : first!).version]);
        }
      }),
      { numRuns: times(100) },
    );
  });

  it('has ids that no two share, whatever stands in their parts', () => {
    const content = { ...contentOfProvider('a'), version: 'v' };
    const versions = policyVersionsOf([
      {
        number: 0,
        from: 0,
        contents: [
          { ...content, id: 'a/b' },
          { ...content, id: 'a', version: 'b/v' },
        ],
      },
    ]);
    expect(new Set(versions.map(({ versionId }) => versionId)).size).toBe(2);
  });

  it('is not told again by another release, nor opened again, nor with another content', () => {
    const [recorded] = policyVersionsOf([{ number: 1, from: 5, contents: [contentsOfLimits(BUILT_IN_LIMITS, 1)[0]!] }]);
    const ended = { ...recorded!, validTo: 9 };
    expect(changedVersions([ended], [{ ...recorded!, contractVersion: 9 }])).toEqual([]);
    expect(changedVersions([ended], [{ ...ended, content: '{}', contentHash: 'x' }])).toEqual([]);
    expect(changedVersions([ended], [recorded!], [])).toEqual([ended]);
    expect(changedVersions([recorded!], [{ ...ended, contractVersion: 9 }])).toEqual([ended]);
  });

  it('ends where a policy begins, and is not told behind that', () => {
    const once = stated([], 10);
    const later = configuredVersionsOf(once, { kinds, contents: undefined, now: 40, endsAt: 30 });
    expect(later.map(({ validFrom, validTo }) => [validFrom, validTo])).toEqual(CORRIDORS.map(() => [10, 30]));
    expect(stated([], 40, CORRIDORS, 30)).toEqual([]);
    expect(changedVersions(later, stated(later, 50, CORRIDORS, 30))).toEqual([]);
  });
});

describe('versions of a list', () => {
  const activated = (activation: number, versionId: string, source = 'UN'): Activated => ({
    appendedAt: activation * 10,
    activation: {
      list: { source, versionId, publishedOn: '2026-11-01', contentHash: `hash-${versionId}`, activation },
      ...{ entities: 2, names: 5, activatedAt: activation * 10, activatedBy: 'import' },
    },
  });

  it('follow one another by source; one that came back has one row, from its first time to its last', () => {
    const versions = listVersionsOf([
      ...[activated(1, 'a'), activated(1, 'x', 'EU'), activated(2, 'b'), activated(3, 'a'), activated(4, 'c')],
      // A copy of an earlier one, and an earlier number: neither counts.
      ...[activated(3, 'a'), activated(2, 'z')],
    ]);
    expect(spans(versions, 'UN')).toEqual([
      ['a', 10, 40],
      ['b', 20, 30],
      ['c', 40, null],
    ]);
    expect(spans(versions, 'EU')).toEqual([['x', 10, null]]);
    expect(versions[0]).toMatchObject({ kind: 'LIST', contentHash: 'hash-a', versionId: 'LIST/UN/a' });
    // Who activated it is nobody's concern here.
    expect(versions.map(({ content }) => content).join()).not.toContain('import');
  });
});
