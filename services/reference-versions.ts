// What this process goes by, told to analysts as versions in reference.versions: derived from the log, and from its configuration
// once, at its start. Whoever derives the same log writes the same records, so that it may be done by several, and again.
import type { PolicyKind } from '../domain/policies/versions.ts';
import type { PolicyTerms } from '../operations/policies/ports.ts';
import { historyOf, usable } from '../operations/policies/versions.ts';
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
  mergedVersion,
  policyVersionsOf,
  type ReferenceContent,
} from '../operations/reference/versions.ts';
import { CodedError } from '../ports/fault.ts';
import { recordMaker } from '../ports/records.ts';
import { sealFlaw } from '../ports/seals.ts';
import type { ReferenceVersion } from '../schemas/types.generated.ts';
import { policyVersions, referenceVersions, screeningListActivated } from '../topics/boundary.ts';
import type { TopicName, TopicValues } from '../topics/catalogue.ts';
import { corridors, limitRuleSet } from './configured-rules.ts';
import type { Connections } from './connections.ts';
import { policyBook, policyLog } from './policies.ts';
import { configuredTerms } from './terms.ts';

export type ReferenceGroup = keyof typeof KINDS_OF;
type Parts = Pick<Connections, 'log' | 'codec' | 'config'>;

const OWNER = 'reference-versions';

/** Topics by which what is told changes. */
export const SOURCES_OF: Readonly<Record<ReferenceGroup, readonly TopicName[]>> = {
  ...{ terms: [policyVersions.name], limits: [policyVersions.name], lists: [screeningListActivated.name] },
  ...{ corridors: [], provider: [] },
};

/**
 * Writes the versions of these that are not in the log as they are now.
 * @param isFirst the configuration is told too
 * @returns what it wrote
 * @throws CodedError of the log, and what a configuration is refused for
 */
export async function tellVersions(
  parts: Parts,
  groups: readonly ReferenceGroup[],
  { isFirst, now }: { readonly isFirst: boolean; readonly now: number },
): Promise<readonly ReferenceVersion[]> {
  const { log, codec, config } = parts;
  const { known, last } = await toldVersions(parts);
  const wanted: ReferenceVersion[] = [];
  for (const each of groups) wanted.push(...(await versionsOf(parts, each, known, { isFirst, now })));
  const changed = changedVersions(known, wanted, last);
  if (changed.length === 0) return [];
  const make = recordMaker({ owner: OWNER, writes: [referenceVersions], codec, rings: config.keys });
  const writer = await log.writer(OWNER);
  try {
    await writer.send(changed.map((version) => make(referenceVersions.name, version, { partition: 0 })));
  } finally {
    await writer.close();
  }
  return changed;
}

/** All that was told, and the last record of each key where its issuer has sealed it: others hide what is true. */
async function toldVersions(parts: Parts) {
  const [known, last] = [new Map<string, ReferenceVersion>(), new Map<string, ReferenceVersion>()];
  await eachIn(parts, referenceVersions.name, ({ key, value }) => {
    if (value === undefined || value.versionId !== key) return void last.delete(key);
    last.set(key, value);
    known.set(key, mergedVersion(known.get(key), value));
  });
  return { known: [...known.values()], last: [...last.values()] };
}

async function versionsOf(
  parts: Parts,
  group: ReferenceGroup,
  known: readonly ReferenceVersion[],
  { isFirst, now }: { readonly isFirst: boolean; readonly now: number },
): Promise<readonly ReferenceVersion[]> {
  const { config } = parts;
  if (group === 'lists') return listVersionsOf(await activations(parts));
  const kinds = KINDS_OF[group];
  const configured = (contents: () => readonly ReferenceContent[], endsAt: number | null) =>
    configuredVersionsOf(known, { kinds, contents: isFirst ? contents() : undefined, now, endsAt });
  if (group === 'corridors') return configured(() => corridors(config).map(contentOfCorridor), null);
  if (group === 'provider') return configured(() => [contentOfProvider(config.provider.name)], null);
  const { sets, law } = await setsInForce(parts, group);
  const endsAt = law.length === 0 ? null : Math.min(...law.map(({ from }) => from));
  const own =
    group === 'terms'
      ? () => contentsOfTerms(configuredTerms(config), 0)
      : () => contentsOfLimits(limitRuleSet(config), 0);
  return [...configured(own, endsAt), ...policyVersionsOf(sets, law)];
}

/** The versions that two persons put in force: those that this process can read, and when each of all began. */
async function setsInForce(parts: Parts, kind: PolicyKind) {
  const book = policyBook(parts.config);
  const { versions } = await historyOf(book, policyLog(parts), kind);
  const contentsOf = kind === 'terms' ? contentsOfTerms : contentsOfLimits;
  type Content = Parameters<typeof contentsOfTerms>[0] & Parameters<typeof contentsOfLimits>[0];
  const law = versions
    .filter((each) => each.flaw === undefined || each.isLaw)
    .map(({ record, from }) => ({ number: record.version, from }));
  const sets = usable(versions as Parameters<typeof usable<ReturnType<PolicyTerms['configured']>>>[0]).map(
    ({ version: number, from, content }) => ({ number, from, contents: contentsOf(content as Content, number) }),
  );
  return { sets, law };
}

async function activations(parts: Parts): Promise<readonly Activated[]> {
  const found: Activated[] = [];
  await eachIn(parts, screeningListActivated.name, ({ value, appendedAt }) => {
    if (value !== undefined) found.push({ activation: value, appendedAt });
  });
  return found;
}

interface Found<T> {
  readonly key: string;
  /** Undefined: its issuer has not sealed it, or it cannot be read. */
  readonly value: T | undefined;
  /** ms since 1970 */
  readonly appendedAt: number;
}

/** All records in the order of the log. @throws CodedError NEWER_SCHEMA, and what the log throws */
async function eachIn<T extends TopicName>(
  { log, codec, config: { keys } }: Parts,
  topic: T,
  each: (found: Found<TopicValues[T]>) => void,
): Promise<void> {
  await codec.load([topic]);
  const reader = log.reader();
  await reader.read(await reader.offsets([topic]), async ({ records }) => {
    const proven = records.filter(
      (record) => !record.unreadable && record.value !== null && sealFlaw(keys, topic, record) === undefined,
    );
    const results = await codec.decode(
      topic,
      proven.map(({ value }) => value),
    );
    const resultOf = new Map(proven.map((record, place) => [record, results[place]!]));
    for (const record of records) {
      const result = resultOf.get(record);
      // What a newer program wrote is not written over.
      if (result && !result.ok && result.kind === 'newer-schema') throw new CodedError('NEWER_SCHEMA', result.detail);
      const value = result?.ok ? result.value : undefined;
      each({ key: record.key?.toString('utf8') ?? '', value, appendedAt: record.timestamp });
    }
  });
}
