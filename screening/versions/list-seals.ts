// What is sealed of list versions: when one is imported, all but its entities, which its hash binds; when one is put in
// force, that, by whom and as the how-manieth of its source.
import { isSealed, type KeyRing, sealOf } from '../../domain/seals/seal.ts';
import type { Activation } from './store.ts';
import type { VersionHead } from './version.ts';

const headContent = (head: VersionHead): readonly string[] => [
  'imported',
  head.versionId,
  head.source,
  head.publicationDate ?? '',
  head.contentHash,
  head.entitiesHash,
  String(head.counts.entities),
  String(head.counts.names),
  JSON.stringify(head.report),
  String(head.importedAt),
  head.importedBy,
];

type Activated = Pick<Activation, 'source' | 'list' | 'entities' | 'names' | 'activatedAt' | 'activatedBy'>;

const activationContent = ({
  source,
  list,
  entities,
  names,
  activatedAt,
  activatedBy,
}: Activated): readonly string[] => [
  'activated',
  source,
  list.source,
  list.versionId,
  list.publishedOn,
  list.contentHash,
  String(list.activation),
  String(entities),
  String(names),
  String(activatedAt),
  activatedBy,
];

export const sealHead = (operators: KeyRing, head: VersionHead): string => sealOf(operators, 'list', headContent(head));

/** Whether this version was imported as it stands, through a program of operators. Never throws. */
export const isSealedHead = (operators: KeyRing, head: VersionHead, seal: unknown): boolean =>
  isTrue(operators, () => headContent(head), seal);

export const sealActivation = (operators: KeyRing, activated: Activated): string =>
  sealOf(operators, 'list', activationContent(activated));

/** Whether this version was put in force as it stands, through a program of operators. Never throws. */
export const isSealedActivation = (operators: KeyRing, activated: Activated, seal: unknown): boolean =>
  isTrue(operators, () => activationContent(activated), seal);

function isTrue(operators: KeyRing, parts: () => readonly string[], seal: unknown): boolean {
  try {
    return isSealed(operators, 'list', parts(), typeof seal === 'string' ? seal : undefined);
  } catch {
    // Of another shape than any that was ever written.
    return false;
  }
}
