// What transfers go by, as versions with a time from and a time to: derived from the log of policies, from activations of lists
// and from what a configuration says. Pure: the same log gives the same versions, whoever derives them and however often.
import { hash } from 'node:crypto';
import type { Corridor } from '../../domain/corridors/corridors.ts';
import { type LimitRuleSet, ruleSetName } from '../../domain/limits/limit-rules.ts';
import { type TermRow, type TermSet, termSetName } from '../../domain/terms/terms.ts';
import type { ReferenceVersion, ScreeningListActivated } from '../../schemas/types.generated.ts';
import { CONTRACT_VERSION } from '../../topics/analytics-contract.ts';
import { canonicalJson } from '../approvals/acts.ts';

/** What a version says, and nothing of when. */
export type ReferenceContent = Omit<ReferenceVersion, 'versionId' | 'validFrom' | 'validTo'>;

/** What is told together, and follows one another as a whole. */
export const KINDS_OF = {
  terms: ['MARGIN', 'FEE', 'TAX', 'LIFETIME', 'MARKET', 'SETTLEMENT', 'CANCELLATION'],
  limits: ['LIMIT_RULE'],
  corridors: ['CORRIDOR'],
  provider: ['PROVIDER'],
  lists: ['LIST'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/** A set that counts from a time on. */
export interface ReferenceSet {
  /** Of a policy, its number; 0: what the configuration says. */
  readonly number: number;
  /** ms since 1970 */
  readonly from: number;
  readonly contents: readonly ReferenceContent[];
}

const NOTHING = {
  ...{ corridorIds: [], code: null, currency: null, bps: null, flatMinor: null },
  ...{ limitMinor: null, metric: null, action: null, policyVersion: null },
} as const satisfies Partial<ReferenceContent>;

type Said = Pick<ReferenceContent, 'kind' | 'id' | 'version'> & Partial<ReferenceContent>;

function contentOf(said: Said, content: unknown): ReferenceContent {
  const text = canonicalJson(content);
  return {
    ...NOTHING,
    contentHash: hash('sha256', text, 'hex'),
    content: text,
    ...said,
    contractVersion: CONTRACT_VERSION,
  };
}

const numbered = (name: string, number: number): string => (number === 0 ? name : `${name}#${number}`);
const policyOf = (number: number) => ({ policyVersion: number === 0 ? null : number });

/** The rows of a set of terms. */
export function contentsOfTerms(set: TermSet, number: number): readonly ReferenceContent[] {
  const version = numbered(termSetName(set), number);
  const { markets, margins, fees, taxes, lifetimes, settlements, cancellations } = set;
  const row = (kind: string, { termId, where, ...rest }: TermRow, more: Partial<ReferenceContent> = {}) =>
    contentOf(
      { kind, id: termId, version, ...policyOf(number), corridorIds: where.corridors ?? [], ...more },
      { where, ...rest },
    );
  return [
    ...margins.map((each) => row('MARGIN', each, { bps: each.marginBps })),
    ...fees.map((each) =>
      row('FEE', each, { code: each.code, currency: each.currency, bps: each.bps, flatMinor: each.flatMinor }),
    ),
    ...taxes.map((each) => row('TAX', each, { code: each.kind, bps: each.rateBps })),
    ...lifetimes.map((each) => row('LIFETIME', each)),
    ...markets.map((each) => row('MARKET', each)),
    ...settlements.map((each) => row('SETTLEMENT', each)),
    ...cancellations.map((each) => row('CANCELLATION', each)),
  ];
}

/** The rules of a set of limits. */
export function contentsOfLimits(set: LimitRuleSet, number: number): readonly ReferenceContent[] {
  const version = numbered(ruleSetName(set), number);
  return set.rules.map(({ ruleId, ...rule }) => {
    const { metric, limitMinor, action, where } = rule;
    const counted = metric.kind === 'amount' ? `amount/${metric.of}` : metric.kind;
    return contentOf(
      {
        ...{ kind: 'LIMIT_RULE', id: ruleId, version, ...policyOf(number), corridorIds: where.corridors ?? [] },
        ...{ currency: metric.kind === 'amount' ? metric.currency : null, metric: counted, limitMinor, action },
      },
      rule,
    );
  });
}

/** A corridor, without what its terms say. */
export function contentOfCorridor(corridor: Corridor): ReferenceContent {
  const { id, marginBps: _, fees: __, priceTtlMs: ___, ...rest } = corridor;
  return byHash({ kind: 'CORRIDOR', id, corridorIds: [id] }, rest);
}

export const contentOfProvider = (name: string): ReferenceContent => byHash({ kind: 'PROVIDER', id: name }, { name });

function byHash(said: Omit<Said, 'version'>, content: unknown): ReferenceContent {
  const made = contentOf({ ...said, version: '' }, content);
  return { ...made, version: made.contentHash.slice(0, 12) };
}

const versionIdOf = ({ kind, id, version }: Pick<ReferenceVersion, 'kind' | 'id' | 'version'>): string =>
  `${kind}/${id}/${version}`;

const versionOf = (content: ReferenceContent, validFrom: number, validTo: number | null): ReferenceVersion => ({
  ...content,
  versionId: versionIdOf(content),
  validFrom,
  // What another overtook before it began never counted.
  validTo: validTo === null ? null : Math.max(validFrom, validTo),
});

/**
 * The versions of a policy that two persons put in force. A higher number that has begun ends all below it, for ever.
 * @param sets each number once
 */
export function policyVersionsOf(sets: readonly ReferenceSet[]): readonly ReferenceVersion[] {
  return sets.flatMap(({ number, from, contents }) => {
    const later = sets.filter((other) => other.number > number).map((other) => other.from);
    const to = later.length === 0 ? null : Math.min(...later);
    return contents.map((content) => versionOf(content, from, to));
  });
}

/** An activation, and when the broker took it (ms). */
export interface Activated {
  readonly activation: ScreeningListActivated;
  readonly appendedAt: number;
}

/**
 * The versions of lists. One that came back counts from its first time to its last; what counted in between is there too.
 * @param activated in the order of the log
 */
export function listVersionsOf(activated: readonly Activated[]): readonly ReferenceVersion[] {
  const bySource = Map.groupBy(latestOnly(activated), ({ activation }) => activation.list.source);
  return [...bySource.values()].flatMap((all) => {
    const found = new Map<string, ReferenceVersion>();
    for (const [nth, { activation, appendedAt }] of all.entries()) {
      const { list, entities, names } = activation;
      const { source, versionId, publishedOn, contentHash } = list;
      const said = { kind: 'LIST', id: source, version: versionId, contentHash };
      const made = versionOf(
        contentOf(said, { publishedOn, entities, names }),
        appendedAt,
        all[nth + 1]?.appendedAt ?? null,
      );
      const before = found.get(made.versionId);
      found.set(made.versionId, before ? { ...made, validFrom: before.validFrom } : made);
    }
    return [...found.values()];
  });
}

/** Without copies of earlier activations: the number of an activation rises. */
function latestOnly(activated: readonly Activated[]): readonly Activated[] {
  const newest = new Map<string, number>();
  return activated.filter(({ activation: { list } }) => {
    const isNewer = list.activation > (newest.get(list.source) ?? Number.NEGATIVE_INFINITY);
    if (isNewer) newest.set(list.source, list.activation);
    return isNewer;
  });
}

/** What a process goes by where no policy is in force. */
export interface Configured {
  readonly kinds: readonly string[];
  /** All of it. Undefined: it was told already. */
  readonly contents: readonly ReferenceContent[] | undefined;
  /** ms since 1970 */
  readonly now: number;
  /** When a policy takes its place, ms; null: none does. */
  readonly endsAt: number | null;
}

/**
 * What a configuration says from now on, and what that ends: of several processes the one that began last is right.
 * @param known all versions that were told before
 */
export function configuredVersionsOf(
  known: readonly ReferenceVersion[],
  { kinds, contents, now, endsAt }: Configured,
): readonly ReferenceVersion[] {
  const until = (validTo: number | null) => (endsAt === null ? validTo : Math.min(validTo ?? endsAt, endsAt));
  const before = known.filter(({ kind, policyVersion }) => policyVersion === null && kinds.includes(kind));
  if (contents === undefined)
    return before.map((version) => versionOf(version, version.validFrom, until(version.validTo)));
  const byId = new Map(before.map((version) => [version.versionId, version]));
  const made = contents.flatMap((content) => {
    const validFrom = byId.get(versionIdOf(content))?.validFrom ?? now;
    return endsAt !== null && validFrom >= endsAt ? [] : [versionOf(content, validFrom, endsAt)];
  });
  const said = new Set(contents.map(versionIdOf));
  const over = before
    .filter(({ versionId }) => !said.has(versionId))
    .map((version) => versionOf(version, version.validFrom, until(version.validTo ?? now)));
  return [...made, ...over];
}

/** Those that are not known as they are. */
export function changedVersions(
  known: readonly ReferenceVersion[],
  wanted: readonly ReferenceVersion[],
): readonly ReferenceVersion[] {
  const byId = new Map(known.map((version) => [version.versionId, canonicalJson(version)]));
  return wanted.filter((version) => byId.get(version.versionId) !== canonicalJson(version));
}
