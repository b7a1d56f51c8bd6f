// Whose transfer an id is.
import type { IntentClaims } from '../../processors/intake/ports.ts';
import type { Submission, Submissions } from './ports.ts';

export interface OwnerSources {
  readonly submissions: Pick<Submissions, 'find'>;
  readonly intentClaims: Pick<IntentClaims, 'find'>;
}

export interface Owner {
  readonly producer: string;
  /** Where it was submitted over HTTP by that producer, with the content that intake took. */
  readonly submission: Submission | undefined;
}

/**
 * Whose transfer it is; undefined: nobody's that is known. The log decides: the producer that intake has proven; where it
 * could not tell, who submitted it over HTTP, unless intake gave the id to another content, which came by Kafka.
 */
export async function ownerOf(sources: OwnerSources, transferId: string): Promise<Owner | undefined> {
  const [[submission], [claim]] = await Promise.all([
    sources.submissions.find([transferId]),
    sources.intentClaims.find([transferId]),
  ]);
  const isTaken = submission !== undefined && (claim === undefined || claim.hash === submission.hash);
  const own = isTaken ? submission : undefined;
  if (claim === undefined || claim.producerId === null) return own && { producer: own.producer, submission: own };
  const { producerId: producer } = claim;
  return { producer, submission: own?.producer === producer ? own : undefined };
}
