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

/** Of two different versions never the same: what joins the parts stands in none of them. */
const versionIdOf = ({ kind, id, version }: Pick<ReferenceVersion, 'kind' | 'id' | 'version'>): string =>
  [kind, id, version]
    .map((part) => part.replaceAll('%', '%25').replaceAll('/', '%2F').replaceAll('~', '%7E'))
    .join('/');

function versionOf(
  content: ReferenceContent,
  validFrom: number,
  validTo: number | null,
  versionId = versionIdOf(content),
): ReferenceVersion {
  // What another overtook before it began never counted.
  return { ...content, versionId, validFrom, validTo: validTo === null ? null : Math.max(validFrom, validTo) };
}

const earlier = (one: number | null, other: number | null): number | null =>
  one === null || other === null ? (one ?? other) : Math.min(one, other);

/**
 * The versions of a policy that two persons put in force. A higher number that has begun ends all below it, for ever.
 * @param sets those that this process can read, each number once
 * @param law all of them
 */
export function policyVersionsOf(
  sets: readonly ReferenceSet[],
  law: readonly Pick<ReferenceSet, 'number' | 'from'>[] = sets,
): readonly ReferenceVersion[] {
  return sets.flatMap(({ number, from, contents }) => {
    const later = law.filter((other) => other.number > number).map((other) => other.from);
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
 * What a configuration says from now on, and what that ends: of several processes the one that began last is right. What was told
 * stays as it was told: what comes back, or says something else under the same name, is a row of its own.
 * @param known all versions that were told before
 */
export function configuredVersionsOf(
  known: readonly ReferenceVersion[],
  { kinds, contents, now, endsAt }: Configured,
): readonly ReferenceVersion[] {
  const ended = (version: ReferenceVersion, to: number | null) =>
    versionOf(version, version.validFrom, earlier(to, endsAt), version.versionId);
  const before = known.filter(({ kind, policyVersion }) => policyVersion === null && kinds.includes(kind));
  if (contents === undefined) return before.map((version) => ended(version, version.validTo));
  const goesOn = ({ validTo }: ReferenceVersion) => validTo === null || (endsAt !== null && validTo >= endsAt);
  const made = contents.flatMap((content) => {
    const recorded = before.find((version) => isSame(version, content) && goesOn(version));
    if (recorded) return [ended(recorded, recorded.validTo)];
    return endsAt !== null && now >= endsAt ? [] : [versionOf(content, now, endsAt, nextIdOf(content, known))];
  });
  const said = new Set(made.map(({ versionId }) => versionId));
  const over = before
    .filter(({ versionId }) => !said.has(versionId))
    .map((version) => ended(version, version.validTo ?? (ENDS_WITH_NO_OTHER.has(version.kind) ? null : now)));
  return [...made, ...over];
}

/** Each process has one, and several count at once. */
const ENDS_WITH_NO_OTHER: ReadonlySet<string> = new Set(['PROVIDER']);

const isSame = (one: ReferenceContent, other: ReferenceContent): boolean =>
  one.kind === other.kind &&
  one.id === other.id &&
  one.version === other.version &&
  one.contentHash === other.contentHash;

/** The id of a row that comes now: with the content where that of this name is another one, and the how-manieth it is. */
function nextIdOf(content: ReferenceContent, known: readonly ReferenceVersion[]): string {
  const plain = versionIdOf(content);
  const first = known.find(({ versionId }) => versionId === plain);
  const isOther = first !== undefined && first.contentHash !== content.contentHash;
  const before = known.filter((version) => isSame(version, content)).length;
  const base = isOther ? `${plain}~${content.contentHash.slice(0, 12)}` : plain;
  return before === 0 ? base : `${base}~${before + 1}`;
}

/**
 * One row of all that was said of it. What was said first stands, and no end is taken back; but of a list, which may come back.
 * @param recorded what was said of it before
 */
export const mergedVersion = (recorded: ReferenceVersion | undefined, next: ReferenceVersion): ReferenceVersion =>
  recorded === undefined || next.kind === 'LIST'
    ? next
    : { ...recorded, validTo: earlier(recorded.validTo, next.validTo) };

/**
 * Those that do not stand in the log as they should: programs of different releases need not agree who writes.
 * @param known what was told before
 * @param last the last record of each key, where it is proven
 */
export function changedVersions(
  known: readonly ReferenceVersion[],
  wanted: readonly ReferenceVersion[],
  last: readonly ReferenceVersion[] = known,
): readonly ReferenceVersion[] {
  const textOf = (version: ReferenceVersion) => canonicalJson({ ...version, contractVersion: 0 });
  const toldById = new Map(known.map((version) => [version.versionId, version]));
  const textById = new Map(last.map((version) => [version.versionId, textOf(version)]));
  return wanted
    .map((version) => mergedVersion(toldById.get(version.versionId), version))
    .filter((version) => textById.get(version.versionId) !== textOf(version));
}
