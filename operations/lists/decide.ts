// Whether a person alone may put a list version in force. Pure.
import { MAX_SHRINK } from '../../screening/lists/index.ts';
import type { Activation } from '../../screening/versions/store.ts';
import type { VersionHead } from '../../screening/versions/version.ts';
import { checkSecondPerson } from '../four-eyes/second-person.ts';

type InForce = Pick<Activation, 'list' | 'entities' | 'names'>;

/**
 * What takes much off the list in force, or goes back to an older one, needs another person than the one who imported it.
 * @throws CodedError SECOND_PERSON_NEEDED
 */
export function checkActivation(head: VersionHead, inForce: InForce, by: string): void {
  const risk = riskOf(head, inForce);
  if (risk === undefined) return;
  const { versionId, importedBy } = head;
  const why = `${importedBy} imported it, so another person must look at it and activate it (--by)`;
  checkSecondPerson(importedBy, by, `${versionId} ${risk}: ${why}`);
}

/** Why one person alone may not put it in force: parties would no longer be found who are found today. */
function riskOf({ counts, publicationDate }: VersionHead, { list, entities, names }: InForce): string | undefined {
  if (publicationDate !== undefined && publicationDate < list.publishedOn) return `is older than ${list.versionId}`;
  const shrank = entities - counts.entities > entities * MAX_SHRINK || names - counts.names > names * MAX_SHRINK;
  if (!shrank) return undefined;
  return `has ${counts.entities} entities and ${counts.names} names, ${list.versionId} has ${entities} and ${names}`;
}
