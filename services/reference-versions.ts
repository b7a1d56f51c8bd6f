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
  const known = await knownVersions(parts);
  const wanted: ReferenceVersion[] = [];
  for (const each of groups) wanted.push(...(await versionsOf(parts, each, known, { isFirst, now })));
  const changed = changedVersions(known, wanted);
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

/** The last record of each key. */
async function knownVersions(parts: Parts): Promise<readonly ReferenceVersion[]> {
  const known = new Map<string, ReferenceVersion>();
  for (const { value } of await provenIn(parts, referenceVersions.name)) known.set(value.versionId, value);
  return [...known.values()];
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
  const sets = await setsInForce(parts, group);
  const endsAt = sets.length === 0 ? null : Math.min(...sets.map(({ from }) => from));
  const own =
    group === 'terms'
      ? () => contentsOfTerms(configuredTerms(config), 0)
      : () => contentsOfLimits(limitRuleSet(config), 0);
  return [...configured(own, endsAt), ...policyVersionsOf(sets)];
}

/** The versions that two persons put in force, and that this process can read. */
async function setsInForce(parts: Parts, kind: PolicyKind) {
  const book = policyBook(parts.config);
  const { versions } = await historyOf(book, policyLog(parts), kind);
  const contentsOf = kind === 'terms' ? contentsOfTerms : contentsOfLimits;
  type Content = Parameters<typeof contentsOfTerms>[0] & Parameters<typeof contentsOfLimits>[0];
  return usable(versions as Parameters<typeof usable<ReturnType<PolicyTerms['configured']>>>[0]).map(
    ({ version: number, from, content }) => ({ number, from, contents: contentsOf(content as Content, number) }),
  );
}

async function activations(parts: Parts): Promise<readonly Activated[]> {
  const found = await provenIn(parts, screeningListActivated.name);
  return found.map(({ value: activation, appendedAt }) => ({ activation, appendedAt }));
}

/** All records that their issuer has sealed, in the order of the log. What cannot be read is passed over. */
async function provenIn<T extends TopicName>(
  { log, codec, config: { keys } }: Parts,
  topic: T,
): Promise<readonly { readonly value: TopicValues[T]; readonly appendedAt: number }[]> {
  await codec.load([topic]);
  const reader = log.reader();
  const found: { readonly value: TopicValues[T]; readonly appendedAt: number }[] = [];
  await reader.read(await reader.offsets([topic]), async ({ records }) => {
    const proven = records.filter(
      (record) => !record.unreadable && record.value !== null && sealFlaw(keys, topic, record) === undefined,
    );
    const results = await codec.decode(
      topic,
      proven.map(({ value }) => value),
    );
    for (const [place, result] of results.entries()) {
      // What a newer program wrote is not written over.
      if (!result.ok && result.kind === 'newer-schema') throw new CodedError('NEWER_SCHEMA', result.detail);
      if (result.ok) found.push({ value: result.value, appendedAt: proven[place]!.timestamp });
    }
  });
  return found;
}
