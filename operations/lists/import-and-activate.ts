// Importing and activating list versions: the same path for a regulator's list and for the sample.
import { personName } from '../../domain/people/identities.ts';
import { CodedError, isCoded } from '../../ports/fault.ts';
import type { ScreeningListActivated } from '../../schemas/types.generated.ts';
import { diffLists, type ListVersion, lossIn, refuseShrunk } from '../../screening/lists/index.ts';
import type { Activation, ListStore } from '../../screening/versions/store.ts';
import { versionIdOf } from '../../screening/versions/version.ts';
import { isSamePerson } from '../four-eyes/second-person.ts';
import { checkActivation, checkFirstActivation, type Loss } from './decide.ts';
import { entitiesOf } from './versions.ts';

export interface ImportTerms {
  readonly by: string;
  /** ms since 1970 */
  readonly now: number;
  /** Largest share of entities or names that may be missing against the version before. */
  readonly maxShrink?: number;
}

export interface Imported {
  readonly versionId: string;
  /** False: the same content of the same day was imported before. */
  readonly isNew: boolean;
  /** What it was compared with: the active version of the source, or else the one imported last. */
  readonly comparedWith: string | undefined;
}

/** Stores a parsed list as an immutable version. @throws ListRefused LIST_SHRANK; DomainError PERSON_INVALID */
export async function importVersion(store: ListStore, version: ListVersion, terms: ImportTerms): Promise<Imported> {
  const { source } = version;
  const by = personName(terms.by);
  const active = (await store.active()).find((each) => each.source === source && each.isSealed);
  const known = active ? [] : await store.heads({ source, limit: MAX_HEADS });
  const before = active ? await store.head(active.list.versionId) : known.find(({ isSealed }) => isSealed);
  if (before) refuseShrunk(before, version, terms.maxShrink);
  const isNew = await store.save(version, by, terms.now);
  return { versionId: versionIdOf(version), isNew, comparedWith: before?.versionId };
}

/** Writes an activation to the log; resolves when it is acknowledged. */
export type PublishActivation = (activation: ScreeningListActivated) => Promise<void>;

/** Versions of one source that are looked through for one to compare with. */
const MAX_HEADS = 100;

export interface ActivationTerms {
  readonly by: string;
  /** ms since 1970 */
  readonly now: number;
  /** What the log has as the last activation of a source: a database that is behind it was put back. */
  readonly lastOf?: (source: string) => Promise<ScreeningListActivated | undefined>;
  /** An installation for trials: there the first version of a source is put in force by whoever imported it. */
  readonly forTrials?: boolean;
  /** Who does it let it through under a broken glass, which another person reviews: one person is enough. */
  readonly underGlass?: boolean;
}

/**
 * Puts a version in force: durably first (so that nothing is submitted against an older one from then on), then for every
 * instance, through the log. Repeating it is harmless, and completes what was cut off between the two.
 * What takes anything off the list in force, goes back to an older one, or is the first of its source, needs another person than
 * the one who imported it.
 * @throws CodedError LIST_VERSION_UNKNOWN, SECOND_PERSON_NEEDED, ACTIVATION_RACED; DomainError PERSON_INVALID
 */
export async function activateVersion(
  store: ListStore,
  publish: PublishActivation,
  versionId: string,
  terms: ActivationTerms,
): Promise<{ readonly activation: Activation; readonly changed: boolean }> {
  const { now, lastOf } = terms;
  const by = personName(terms.by);
  const head = await store.head(versionId);
  const stored = (await store.active()).find(({ source }) => source === head.source);
  const logged = await lastOf?.(head.source);
  const floor = logged?.list.activation ?? 0;
  const isTrue = stored?.isSealed === true && stored.revision >= floor;
  const before = isTrue ? stored : logged;
  if (isTrue && stored.list.versionId === versionId) {
    // Again even when it was published: a command that was slower may have written an older one after it, and died.
    await publishActive(store, publish, stored);
    return { activation: stored, changed: false };
  }
  // Whoever did not import it is the second person already.
  if (!terms.underGlass && isSamePerson(head.importedBy, by)) {
    if (before) checkActivation(head, before, by, await lossOf(store, before.list.versionId, versionId));
    else if (!terms.forTrials) checkFirstActivation(head, by);
  }
  const activation = await store.activate(
    head,
    stored ? stored.revision : 0,
    by,
    now,
    1 + (isTrue ? stored.revision : floor),
  );
  if (!activation) {
    throw new CodedError(
      'ACTIVATION_RACED',
      `another version of ${head.source} was activated meanwhile: look, then try again`,
    );
  }
  await publishActive(store, publish, activation);
  return { activation, changed: true };
}

/** What would be found no more. A version in force that cannot be read, damaged or gone, may have had anything. */
async function lossOf(store: Pick<ListStore, 'load'>, before: string, after: string): Promise<Loss> {
  try {
    const [old, now] = await Promise.all([entitiesOf(store, before), entitiesOf(store, after)]);
    return lossIn(diffLists({ entities: old }, { entities: now }));
  } catch (error) {
    if (!isCoded(error) || error.faultClass === 'transient-dependency') throw error;
    return 'unknown';
  }
}

/** Publishes what is in force of a source until what was published last is in force still. */
async function publishActive(store: ListStore, publish: PublishActivation, first: Activation): Promise<void> {
  let current: Activation | undefined = first;
  while (current) {
    const sent: Activation = current;
    const { list, entities, names, activatedAt, activatedBy } = sent;
    await publish({ list, entities, names, activatedAt, activatedBy });
    await store.markPublished(sent.source, sent.revision);
    // Somebody was faster: what was sent just now may stand after theirs. What nobody sealed is told to nobody.
    current = (await store.active()).find(
      ({ source, revision, isSealed }) => isSealed && source === sent.source && revision > sent.revision,
    );
  }
}
