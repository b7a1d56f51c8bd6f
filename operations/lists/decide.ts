// Whether a person alone may put a list version in force. Pure.
import type { ListLoss } from '../../screening/lists/index.ts';
import type { Activation } from '../../screening/versions/store.ts';
import type { VersionHead } from '../../screening/versions/version.ts';
import { checkSecondPerson } from '../four-eyes/second-person.ts';

type InForce = Pick<Activation, 'list'>;

/** What it takes off the version in force; `unknown`: that cannot be read. */
export type Loss = ListLoss | 'unknown';

/**
 * What takes anything off the list in force, or goes back to an older one, needs another person than the one who imported it:
 * one person alone lets no listed one pass.
 * @throws CodedError SECOND_PERSON_NEEDED
 */
export function checkActivation(head: VersionHead, inForce: InForce, by: string, loss: Loss): void {
  const risk = riskOf(head, inForce, loss);
  if (risk === undefined) return;
  checkOther(head, by, risk);
}

/**
 * What begins a source needs another person too: with a list that is empty, or of somebody's own, everybody would pass from the
 * first transfer on, and no later version would be held against it.
 * @throws CodedError SECOND_PERSON_NEEDED
 */
export const checkFirstActivation = (head: VersionHead, by: string): void =>
  checkOther(head, by, 'is the first of its source');

function checkOther({ versionId, importedBy }: VersionHead, by: string, risk: string): void {
  const why = `${importedBy} imported it, so another person must look at it and activate it (--by)`;
  checkSecondPerson(importedBy, by, `${versionId} ${risk}: ${why}`);
}

/** Why one person alone may not put it in force: parties would no longer be found who are found today. */
function riskOf({ publicationDate }: VersionHead, { list }: InForce, loss: Loss): string | undefined {
  if (publicationDate !== undefined && publicationDate < list.publishedOn) return `is older than ${list.versionId}`;
  if (loss === 'unknown') return `cannot be compared with ${list.versionId}`;
  const { entities, weakened } = loss;
  if (entities === 0 && weakened === 0) return undefined;
  return `takes ${entities} entities off ${list.versionId}, and from ${weakened} something that parties are compared with`;
}
