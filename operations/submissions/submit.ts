// Transfers that are submitted over HTTP. The key of each is the transfer's id, and is never forgotten. Those that come together
// go together: each step is one round trip for all of them.
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
import type { ProducerBook } from '../../domain/producers/producers.ts';
import { Batcher } from '../../ports/batcher.ts';
import { CodedError } from '../../ports/fault.ts';
import { hashVersion, payloadHash } from '../../processors/intake/payload-hash.ts';
import type { IntentClaim, IntentClaims } from '../../processors/intake/ports.ts';
import type { TransferRules } from '../../processors/intake/rules/rule-set.ts';
import { DEFAULT_TIMING, reasonsAgainst } from '../../processors/intake/validate.ts';
import type { Reason, TransferRequested } from '../../schemas/types.generated.ts';
import type { IntentLog, Submission, Submissions } from './ports.ts';

export interface SubmitComponents {
  readonly submissions: Submissions;
  readonly intentClaims: Pick<IntentClaims, 'find'>;
  readonly intents: IntentLog;
  readonly corridors: CorridorBook;
  /** Those that intake goes by; absent: none. */
  readonly transferRules?: TransferRules | undefined;
  readonly producers: ProducerBook;
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
  | { readonly kind: 'invalid'; readonly reasons: readonly Reason[] }
  /** Something is wrong with this one alone. */
  | { readonly kind: 'failed'; readonly error: CodedError };

/** What is to be done about one request, by what is known. */
type Plan =
  | { readonly kind: 'ends'; readonly outcome: SubmitOutcome }
  /** Nobody has used the id. */
  | { readonly kind: 'claim'; readonly fresh: Submission }
  | { readonly kind: 'publish'; readonly submission: Submission; readonly isReplay: boolean }
  /** The log has it already: that is noted. */
  | { readonly kind: 'mark'; readonly submission: Submission; readonly isReplay: boolean };

/**
 * Submits transfers, no id twice.
 * @returns the outcome of each, in order
 * @throws CodedError when a dependency is away, or nobody knows whether the log has them: ask again with the same keys
 */
export async function submitTransfers(
  parts: SubmitComponents,
  requests: readonly SubmitRequest[],
): Promise<readonly SubmitOutcome[]> {
  const { submissions, intentClaims } = parts;
  const ids = requests.map(({ transferId }) => transferId);
  const [submitted, claimed] = await Promise.all([submissions.find(ids), intentClaims.find(ids)]);
  const [known, claims] = [byId(submitted), byId(claimed)];
  const plans = requests.map((request) =>
    guardedPlan(() => {
      const submission = known.get(request.transferId);
      const claim = claims.get(request.transferId);
      return submission ? repeated(request, submission, claim) : first(parts, request, claim);
    }),
  );
  return finish(parts, requests, await claimFree(parts, requests, plans));
}

/** One by itself. @throws CodedError as above, and what is wrong with it alone */
export async function submitTransfer(parts: SubmitComponents, request: SubmitRequest): Promise<SubmitOutcome> {
  const [outcome] = await submitTransfers(parts, [request]);
  if (outcome!.kind === 'failed') throw outcome!.error;
  return outcome!;
}

/** Most transfers of one round trip. */
const MAX_TOGETHER = 500;

/** Submits one transfer, together with those that come meanwhile; two of one id go one after the other. */
export function submitter(parts: SubmitComponents): (request: SubmitRequest) => Promise<SubmitOutcome> {
  const batcher = new Batcher<SubmitRequest, SubmitOutcome>({
    run: (requests) => submitTransfers(parts, requests),
    maxItems: MAX_TOGETHER,
    keyOf: ({ transferId }) => transferId,
    gathersTurn: true,
  });
  return (request) => batcher.add(request);
}

const byId = <T extends { readonly transferId: string }>(found: readonly T[]): ReadonlyMap<string, T> =>
  new Map(found.map((each) => [each.transferId, each]));

/** What one request makes impossible is told to it alone. */
function guardedPlan(plan: () => Plan): Plan {
  try {
    return plan();
  } catch (error) {
    if (error instanceof CodedError) return ends({ kind: 'failed', error });
    throw error;
  }
}

const ends = (outcome: SubmitOutcome): Plan => ({ kind: 'ends', outcome });

/** Nobody has submitted it; intake may know it from Kafka. */
function first(parts: SubmitComponents, request: SubmitRequest, claim?: IntentClaim): Plan {
  const { corridors, transferRules, producers, clock } = parts;
  const { transferId, producer, intentAt } = request;
  const now = clock();
  const intent = intentAt(now);
  const hash = payloadHash(intent)!;
  const fresh: Submission = {
    ...{ transferId, producer, hash, requestedAt: intent.requestedAt, submittedAt: now },
    publishedAt: undefined,
  };
  const corridor = corridors.between(intent.sourceCurrency, intent.targetCurrency)?.id;
  const against = producers.reasonsAgainst(producer, transferId, corridor);
  if (claim) {
    // It came by Kafka. Its own producer, or where nobody knows that one whoever says the very same, has it in the log already.
    if (isOfAnother(claim, producer) || !isSameContent(intent, claim.hash)) return ends({ kind: 'of-another' });
    if (against.length === 0) return { kind: 'claim', fresh: { ...fresh, publishedAt: now } };
  }
  const reasons = [...against, ...reasonsAgainst(intent, now, { ...DEFAULT_TIMING, corridors, transferRules })];
  return reasons.length > 0 ? ends({ kind: 'invalid', reasons }) : { kind: 'claim', fresh };
}

/** The key is known: the same content is the same transfer, and is published unless it surely is. The log decides. */
function repeated(request: SubmitRequest, known: Submission, claim: IntentClaim | undefined): Plan {
  if (known.producer !== request.producer) return ends({ kind: 'of-another' });
  // What names no time of its own bears the time that it had at first.
  const intent = request.intentAt(known.requestedAt);
  if (!isSameContent(intent, known.hash)) return ends({ kind: 'other-content' });
  // Somebody who writes to Kafka was first after all.
  if (claim && (isOfAnother(claim, request.producer) || !isSameContent(intent, claim.hash)))
    return ends({ kind: 'of-another' });
  if (known.publishedAt !== undefined) return ends({ kind: 'submitted', submission: known, isReplay: true });
  // What intake has claimed is in the log.
  return { kind: claim ? 'mark' : 'publish', submission: known, isReplay: true };
}

/** Claims what is free. Of two that want an id at once, one stands, and the other goes by that. */
async function claimFree(
  { submissions, intentClaims }: SubmitComponents,
  requests: readonly SubmitRequest[],
  plans: readonly Plan[],
): Promise<readonly Plan[]> {
  const wanted = plans.flatMap((plan) => (plan.kind === 'claim' ? plan.fresh : []));
  if (wanted.length === 0) return plans;
  const made = new Map(
    (await submissions.claim(wanted)).map((claimed) => [claimed.standing.transferId, claimed] as const),
  );
  const lost = [...made.values()].filter(({ isNew }) => !isNew).map(({ standing }) => standing.transferId);
  const claims = byId(lost.length === 0 ? [] : await intentClaims.find(lost));
  return plans.map((plan, place) => {
    if (plan.kind !== 'claim') return plan;
    const { standing, isNew } = made.get(plan.fresh.transferId)!;
    if (!isNew) return guardedPlan(() => repeated(requests[place]!, standing, claims.get(standing.transferId)));
    if (standing.publishedAt === undefined) return { kind: 'publish', submission: standing, isReplay: false };
    return ends({ kind: 'submitted', submission: standing, isReplay: true });
  });
}

/** Publishes what the log does not have for sure, then notes what it has. */
async function finish(
  { submissions, intents, clock }: SubmitComponents,
  requests: readonly SubmitRequest[],
  plans: readonly Plan[],
): Promise<readonly SubmitOutcome[]> {
  const outgoing = plans.flatMap((plan, place) => {
    if (plan.kind !== 'publish') return [];
    const { intentAt, traceId, producer } = requests[place]!;
    return [{ place, intent: intentAt(plan.submission.requestedAt), producer, traceId }];
  });
  const flaws = outgoing.length === 0 ? [] : await intents.publish(outgoing);
  const failed = new Map(outgoing.flatMap(({ place }, at) => (flaws[at] ? [[place, flaws[at]] as const] : [])));
  const publishedAt = clock();
  const marked = plans.flatMap((plan, place) =>
    (plan.kind === 'publish' || plan.kind === 'mark') && !failed.has(place) ? plan.submission.transferId : [],
  );
  if (marked.length > 0) await submissions.markPublished(marked, publishedAt);
  return plans.map((plan, place): SubmitOutcome => {
    const error = failed.get(place);
    if (error) return { kind: 'failed', error };
    if (plan.kind === 'ends') return plan.outcome;
    if (plan.kind === 'claim') throw new CodedError('OUTCOMES_MISSING', 'a submission was not claimed');
    const { submission, isReplay } = plan;
    return { kind: 'submitted', submission: { ...submission, publishedAt }, isReplay };
  });
}

/** @throws CodedError CLAIM_HASH_UNKNOWN when a newer version made the hash */
function isSameContent(intent: TransferRequested, hash: string): boolean {
  const own = payloadHash(intent, hashVersion(hash));
  if (own !== undefined) return own === hash;
  throw new CodedError('CLAIM_HASH_UNKNOWN', 'a newer version claimed this id: deploy that version');
}

const isOfAnother = ({ producerId }: IntentClaim, producer: string): boolean =>
  producerId !== null && producerId !== producer;
