// Which version of law a decision had to go by: what the log proves is found, and what nobody can know is not.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { versionAt } from '../domain/policies/versions.ts';
import type { LimitUse, Reservation } from '../schemas/types.generated.ts';
import { AT, LIMIT_BOOK } from '../test/kit/builders.ts';
import type { LoggedLaw, VerifySources } from './ports.ts';
import type { Ending, History } from './testing/history.ts';
import { verified } from './testing/plant.ts';

const MINUTE_MS = 60_000;
/** Taken by the broker when it was let through, by both clocks. */
const law = (version: number, from: number, over: Partial<LoggedLaw> = {}): LoggedLaw => ({
  ...{ version, name: `house@${version}#${version}`, earliest: from, latest: from },
  ...over,
});

/** Everything was taken at AT; limits name `set`. */
async function found(limits: readonly LoggedLaw[], set: string | null, endings: readonly Ending[] = ['completed']) {
  const name = ({ entries }: History) => {
    for (const { topic, value } of entries) {
      const { reservation, stage } = (value ?? {}) as {
        reservation?: { limitRules: string | null } | null;
        stage?: string;
      };
      if (reservation) reservation.limitRules = set;
      if (topic === 'transfer.rejected' && stage === 'LIMITS' && set !== null)
        Object.assign(value!, { limitsRefusal: { limitRules: set, uses: [] } });
    }
  };
  const give = (sources: VerifySources) => void Object.assign(sources, { laws: { limits, terms: [] } });
  const { findings } = await verified(endings, name, give);
  return findings
    .filter(({ check }) => check === 'laws')
    .map(({ code, detail, transferId }) => ({ code, detail, transferId }));
}
const codes = async (...asked: Parameters<typeof found>) => (await found(...asked)).map(({ code }) => code);

describe('a decision by limits', () => {
  it('by the version in force is none, nor one of before versions were named', async () => {
    expect(await codes([], 'built-in@1')).toEqual([]);
    expect(await codes([law(1, AT - MINUTE_MS)], 'house@1#1')).toEqual([]);
    expect(await codes([law(1, AT - 9 * MINUTE_MS)], null)).toEqual([]);
    expect(await codes([law(1, AT - 9 * MINUTE_MS), law(2, AT + 9 * MINUTE_MS)], 'house@1#1')).toEqual([]);
  });

  it('by one that was over, or by the file of the configuration, is found with both', async () => {
    const versions = [law(1, AT - 9 * MINUTE_MS), law(2, AT - MINUTE_MS)];
    expect(await found(versions, 'house@1#1')).toMatchObject([
      { code: 'LAW_NOT_IN_FORCE', detail: expect.stringMatching(/^house@1#1: version 2 had counted since /) },
    ]);
    expect(await codes(versions, 'built-in@1', ['reviewed-limit'])).toEqual(['LAW_NOT_IN_FORCE', 'LAW_NOT_IN_FORCE']);
  });

  it('by one that had not begun, or that is another one, is found, also where it is refused', async () => {
    const early = [law(1, AT - 9 * MINUTE_MS), law(2, AT + MINUTE_MS + 1)];
    expect(await codes(early, 'house@2#2')).toEqual(['LAW_NOT_IN_FORCE']);
    expect(await codes(early, 'house@2#2', ['over-limit'])).toEqual(['LAW_NOT_IN_FORCE']);
    expect(await found([law(1, AT - 9 * MINUTE_MS)], 'other@1#1')).toMatchObject([
      { code: 'LAW_NOT_IN_FORCE', detail: 'other@1#1: version 1 is house@1#1' },
    ]);
    // This build cannot read it, so it cannot say what it is called.
    expect(await codes([law(1, AT - 9 * MINUTE_MS, { name: null })], 'other@1#1')).toEqual([]);
  });

  it('around the beginning of a version may be by either of two', async () => {
    for (const from of [AT - MINUTE_MS + 1, AT, AT + MINUTE_MS]) {
      expect(await codes([law(1, AT - 9 * MINUTE_MS), law(2, from)], 'house@1#1')).toEqual([]);
      expect(await codes([law(1, AT - 9 * MINUTE_MS), law(2, from)], 'house@2#2')).toEqual([]);
    }
  });

  it('in a log that was copied since is not held against the times of the copy', async () => {
    const copied = [
      law(1, AT - 9 * MINUTE_MS, { latest: AT + 99 * MINUTE_MS }),
      law(2, AT - 5 * MINUTE_MS, { latest: AT + 99 * MINUTE_MS }),
    ];
    expect(await codes(copied, 'house@2#2')).toEqual([]);
    expect(await codes(copied, 'house@1#1')).toEqual([]);
  });

  it('by a version that the log has lost is a warning, once', async () => {
    expect(await found([law(1, AT - 9 * MINUTE_MS)], 'house@2#2', ['completed', 'completed'])).toMatchObject([
      { code: 'LIMIT_RULES_UNKNOWN', detail: expect.stringContaining('house@2#2') },
    ]);
  });

  it('by what counts by the append time is never found, however versions begin', async () => {
    const begins = fc.array(fc.integer({ min: -5 * MINUTE_MS, max: 5 * MINUTE_MS }), { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(begins, async (starts) => {
        const versions = starts.map((start, place) => law(place + 1, AT + start));
        const highestFirst = versions.map(({ version, latest: from, name }) => ({ version, from, name })).toReversed();
        const right = versionAt(highestFirst, AT);
        expect(await codes(versions, right?.name ?? 'built-in@1')).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });
});

describe('what was reserved', () => {
  const BOOK = { ...LIMIT_BOOK, name: 'house@1#1' };
  const versions = [law(1, AT - 9 * MINUTE_MS, { book: BOOK })];
  type Change = (uses: LimitUse[]) => LimitUse[];

  async function changed(change: Change, limits = versions, ending: Ending = 'completed') {
    const name = ({ entries }: History) => {
      for (const { value } of entries) {
        const { reservation } = (value ?? {}) as { reservation?: Reservation | null };
        if (!reservation) continue;
        Object.assign(reservation, { limitRules: 'house@1#1', uses: change(structuredClone([...reservation.uses])) });
      }
    };
    const give = (sources: VerifySources) => void Object.assign(sources, { laws: { limits, terms: [] } });
    const { findings } = await verified([ending], name, give);
    return findings.filter(({ check }) => check === 'laws').map(({ code, detail }) => `${code} ${detail}`);
  }

  it.each<Ending>(['completed', 'reviewed-limit'])('is what the version states: %s', async (ending) => {
    expect(await changed((uses) => uses, versions, ending)).toEqual([]);
    // What others have used no version knows.
    expect(
      await changed((uses) => uses.map((use) => ({ ...use, usedMinor: use.usedMinor + 1n })), versions, ending),
    ).toEqual([]);
  });

  it.each<[string, Change]>([
    ['less', ([use, ...more]) => [{ ...use!, reservedMinor: use!.reservedMinor - 1n }, ...more]],
    ['in the name of somebody else', ([use, ...more]) => [{ ...use!, subjectToken: 'somebody' }, ...more]],
    ['in another window', ([use, ...more]) => [{ ...use!, window: '2020-01-01' }, ...more]],
    ['with a higher limit', ([use, ...more]) => [{ ...use!, limitMinor: use!.limitMinor * 2n }, ...more]],
    ['so that it never stands against anything', ([use, ...more]) => [{ ...use!, action: 'SHADOW' }, ...more]],
    ['not at all', ([, ...more]) => more],
    ['twice', (uses) => [...uses, uses[0]!]],
    ['by a rule that there is not', (uses) => [...uses, { ...uses[0]!, ruleId: 'made-up' }]],
  ])('%s is found', async (_what, change) => {
    const found = await changed(change);
    expect(found.length).toBeGreaterThan(0);
    for (const each of found) expect(each).toMatch(/^LIMIT_USES_DIFFER house@1#1: /);
    // Of a version that this build cannot read there is nothing to say.
    expect(await changed(change, [law(1, AT - 9 * MINUTE_MS)])).toEqual([]);
  });

  it('by a rule for a corridor that there is no more: where it counts it is as stated, and whether it does nobody knows', async () => {
    const unsure = new Set(BOOK.rules.map(({ ruleId }) => ruleId));
    const then = [law(1, AT - 9 * MINUTE_MS, { book: BOOK, unsure })];
    expect(await changed((uses) => uses, then)).toEqual([]);
    expect(await changed(() => [], then)).toEqual([]);
    expect(await changed(([use, ...more]) => [{ ...use!, reservedMinor: 1n }, ...more], then)).toHaveLength(1);
  });
});

it('a price by terms that had not begun is found', async () => {
  const name = ({ entries }: History) => {
    for (const { value } of entries) {
      const { price } = (value ?? {}) as { price?: { terms: { set: string } | null } | null };
      if (price?.terms) price.terms.set = 'terms@2#2';
    }
  };
  const of = async (from: number) => {
    const terms = [law(2, from, { name: 'terms@2#2' })];
    const give = (sources: VerifySources) => void Object.assign(sources, { laws: { limits: [], terms } });
    const { findings } = await verified(['completed'], name, give);
    return findings.filter(({ check }) => check === 'laws').map(({ code }) => code);
  };
  expect(await of(AT - 1)).toEqual([]);
  expect(await of(AT + MINUTE_MS + 1)).toEqual(['LAW_NOT_IN_FORCE']);
  // What nobody knows, the check of terms tells.
  expect(await of(AT + 9 * MINUTE_MS)).toEqual(['LAW_NOT_IN_FORCE']);
});

describe('the price of a quote', () => {
  const MARGIN = 2 * MINUTE_MS;
  /** Quoted at AT by `set`. */
  async function codesOf(terms: readonly LoggedLaw[], set: string, quoteId: string | null) {
    const name = ({ entries }: History) => {
      for (const { value } of entries) {
        const { price, instruction } = (value ?? {}) as {
          price?: { terms: { set: string }; lockedAt: number } | null;
          instruction?: { quoteId: string | null };
        };
        if (instruction) instruction.quoteId = quoteId;
        if (price) Object.assign(price, { lockedAt: AT, terms: { ...price.terms, set } });
      }
    };
    const give = (sources: VerifySources) => void Object.assign(sources, { laws: { limits: [], terms } });
    const { findings } = await verified(['completed'], name, give);
    return findings.filter(({ check }) => check === 'laws').map(({ code }) => code);
  }

  it('is by the terms in force when it was made: one that another had replaced is found', async () => {
    const replaced = (at: number) => [law(1, AT - 9 * MINUTE_MS), law(2, at)];
    expect(await codesOf(replaced(AT - MARGIN), 'house@1#1', 'q')).toEqual(['LAW_NOT_IN_FORCE']);
    expect(await codesOf(replaced(AT - MARGIN + 1), 'house@1#1', 'q')).toEqual([]);
    expect(await codesOf(replaced(AT - MARGIN), 'house@2#2', 'q')).toEqual([]);
    expect(await codesOf(replaced(AT + MARGIN + 1), 'house@2#2', 'q')).toEqual(['LAW_NOT_IN_FORCE']);
    // When the broker took what another price was made for, its event does not say.
    expect(await codesOf(replaced(AT - MARGIN), 'house@1#1', null)).toEqual([]);
  });
});
