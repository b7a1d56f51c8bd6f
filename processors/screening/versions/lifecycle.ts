// Importing and activating list versions: the same path for a regulator's list and for the sample.
import { CodedError } from '../../../runtime/ports/fault.ts';
import type { ScreeningListActivated } from '../../../schemas/types.generated.ts';
import { type ListVersion, refuseShrunk } from '../lists/index.ts';
import type { Activation, ListStore } from './store.ts';
import { versionIdOf } from './version.ts';

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

/** Stores a parsed list as an immutable version. @throws ListRefused LIST_SHRANK */
export async function importVersion(store: ListStore, version: ListVersion, terms: ImportTerms): Promise<Imported> {
  const { source } = version;
  const active = (await store.active()).find((each) => each.source === source);
  const before = active ? await store.head(active.list.versionId) : (await store.heads({ source, limit: 1 }))[0];
  if (before) refuseShrunk(before, version, terms.maxShrink);
  const isNew = await store.save(version, terms.by, terms.now);
  return { versionId: versionIdOf(version), isNew, comparedWith: before?.versionId };
}

/** Writes an activation to the log; resolves when it is acknowledged. */
export type PublishActivation = (activation: ScreeningListActivated) => Promise<void>;

export interface ActivationTerms {
  readonly by: string;
  /** ms since 1970 */
  readonly now: number;
}

/**
 * Puts a version in force: durably first (so that nothing is submitted against an older one from then on), then for every
 * instance, through the log. Repeating it is harmless, and completes what was cut off between the two.
 * @throws CodedError LIST_VERSION_UNKNOWN, ACTIVATION_RACED
 */
export async function activateVersion(
  store: ListStore,
  publish: PublishActivation,
  versionId: string,
  { by, now }: ActivationTerms,
): Promise<{ readonly activation: Activation; readonly changed: boolean }> {
  const head = await store.head(versionId);
  const before = (await store.active()).find(({ source }) => source === head.source);
  if (before?.list.versionId === versionId) {
    if (!before.published) await publishActive(store, publish, before);
    return { activation: before, changed: false };
  }
  const activation = await store.activate(head, before?.revision ?? 0, by, now);
  if (!activation) {
    throw new CodedError(
      'ACTIVATION_RACED',
      `another version of ${head.source} was activated meanwhile: look, then try again`,
    );
  }
  await publishActive(store, publish, activation);
  return { activation, changed: true };
}

/** Publishes what is in force of a source until what was published last is in force still. */
async function publishActive(store: ListStore, publish: PublishActivation, first: Activation): Promise<void> {
  let current: Activation | undefined = first;
  while (current) {
    const sent: Activation = current;
    const { list, entities, names, activatedAt, activatedBy } = sent;
    await publish({ list, entities, names, activatedAt, activatedBy });
    await store.markPublished(sent.source, sent.revision);
    // Somebody was faster: what was sent just now may stand after theirs.
    current = (await store.active()).find(({ source, revision }) => source === sent.source && revision > sent.revision);
  }
}
