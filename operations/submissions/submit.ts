// A transfer that is submitted over HTTP. The key of the request is the transfer's id, and is never forgotten.
//
//   look: was it submitted, or claimed by intake, before?   -> the same content: the same transfer; another: refused
//   check: by the rules of intake                            -> refused, and nothing is kept
//   claim the id for this producer and this content          -> of two at once, one stands
//   publish, acknowledged by every replica                   -> then the answer
//   note that it is published                                -> a repeat publishes nothing
//
// The process may die between any two of these (docs/adr/0012-key-of-a-submission.md): whoever asks again with the same key goes on where it ended, and at worst the
// intent is in the log twice, which intake takes for what it is. The log decides: an id that somebody writes to it in the
// meantime is intake's to give, and the claim here proves nothing against it (see ownerOf).
import type { CorridorBook } from '../../domain/corridors/corridors.ts';
import { CodedError } from '../../ports/fault.ts';
import { hashVersion, payloadHash } from '../../processors/intake/payload-hash.ts';
import type { IntentClaims } from '../../processors/intake/ports.ts';
import { DEFAULT_TIMING, reasonsAgainst } from '../../processors/intake/validate.ts';
import type { Reason, TransferRequested } from '../../schemas/types.generated.ts';
import type { IntentLog, Submission, Submissions } from './ports.ts';

export interface SubmitParts {
  readonly submissions: Submissions;
  readonly intentClaims: Pick<IntentClaims, 'find'>;
  readonly intents: IntentLog;
  readonly corridors: CorridorBook;
  /** ms since 1970 */
  readonly clock: () => number;
}

export interface SubmitRequest {
  /** Subject of the producer. */
  readonly producer: string;
  readonly transferId: string;
  /** The intent, if it bears this time where it names none (ms). */
  readonly intentAt: (now: number) => TransferRequested;
  readonly traceId: string;
}

export type SubmitOutcome =
  /** It is in the log: by this request, or (`isReplay`) the key was known, with the same content. */
  | { readonly kind: 'submitted'; readonly submission: Submission; readonly isReplay: boolean }
  /** The key stands for another content of this producer. */
  | { readonly kind: 'other-content' }
  /** The id is of somebody else. */
  | { readonly kind: 'of-another' }
  /** Intake would refuse it. Nothing was kept: the key is free. */
  | { readonly kind: 'invalid'; readonly reasons: readonly Reason[] };

/** @throws CodedError when a dependency is away, or nobody knows whether the log has it: ask again with the same key */
export async function submitTransfer(parts: SubmitParts, request: SubmitRequest): Promise<SubmitOutcome> {
  const { submissions, corridors, clock } = parts;
  const { transferId, producer, intentAt } = request;
  const known = await submissions.find(transferId);
  if (known) return repeated(parts, request, known);
  const now = clock();
  const intent = intentAt(now);
  const hash = payloadHash(intent)!;
  const fresh: Submission = {
    ...{ transferId, producer, hash, requestedAt: intent.requestedAt, submittedAt: now },
    publishedAt: undefined,
  };
  const [claim] = await parts.intentClaims.find([transferId]);
  if (claim) {
    // It came by Kafka. Who says the very same knows it all: it is the same transfer, and it is in the log.
    if (!isSameContent(intent, claim.hash)) return { kind: 'of-another' };
    const { standing } = await submissions.claim({ ...fresh, publishedAt: now });
    return repeated(parts, request, standing);
  }
  const reasons = reasonsAgainst(intent, now, { ...DEFAULT_TIMING, corridors });
  if (reasons.length > 0) return { kind: 'invalid', reasons };
  const { standing, isNew } = await submissions.claim(fresh);
  if (!isNew) return repeated(parts, request, standing);
  return { kind: 'submitted', submission: await published(parts, request, standing), isReplay: false };
}

/** The key is known: the same content is the same transfer, and is published unless it surely is. The log decides. */
async function repeated(parts: SubmitParts, request: SubmitRequest, known: Submission): Promise<SubmitOutcome> {
  if (known.producer !== request.producer) return { kind: 'of-another' };
  // What names no time of its own bears the time that it had at first.
  const intent = request.intentAt(known.requestedAt);
  if (!isSameContent(intent, known.hash)) return { kind: 'other-content' };
  const [claim] = await parts.intentClaims.find([known.transferId]);
  // Somebody who writes to Kafka was first after all.
  if (claim && !isSameContent(intent, claim.hash)) return { kind: 'of-another' };
  if (known.publishedAt !== undefined) return { kind: 'submitted', submission: known, isReplay: true };
  // What intake has claimed is in the log.
  const submission = await (claim ? marked(parts, known) : published(parts, request, known));
  return { kind: 'submitted', submission, isReplay: true };
}

async function published(
  parts: SubmitParts,
  { intentAt, traceId }: SubmitRequest,
  submission: Submission,
): Promise<Submission> {
  await parts.intents.publish(intentAt(submission.requestedAt), traceId);
  return marked(parts, submission);
}

async function marked({ submissions, clock }: SubmitParts, submission: Submission): Promise<Submission> {
  const publishedAt = clock();
  await submissions.markPublished(submission.transferId, publishedAt);
  return { ...submission, publishedAt };
}

/** @throws CodedError CLAIM_HASH_UNKNOWN when a newer version made the hash */
function isSameContent(intent: TransferRequested, hash: string): boolean {
  const own = payloadHash(intent, hashVersion(hash));
  if (own !== undefined) return own === hash;
  throw new CodedError('CLAIM_HASH_UNKNOWN', 'a newer version claimed this id: deploy that version');
}

/**
 * Whose transfer it is; undefined: nobody's that is known. Who submitted it over HTTP, unless intake gave the id to another
 * content, which came by Kafka.
 */
export async function ownerOf(
  { submissions, intentClaims }: Pick<SubmitParts, 'submissions' | 'intentClaims'>,
  transferId: string,
): Promise<Submission | undefined> {
  const submission = await submissions.find(transferId);
  if (submission === undefined) return undefined;
  const [claim] = await intentClaims.find([transferId]);
  return claim === undefined || claim.hash === submission.hash ? submission : undefined;
}
