// Who has the price of a quote: resolves a batch against the claims that stand, so that of two transfers which name one quote,
// in one batch or in two processes, one has it.
import type { CorridorBook } from '../../domain/corridors/corridors.ts';
import type { KeyRing } from '../../domain/seals/seal.ts';
import { type Failpoint, NO_FAILPOINT } from '../../ports/failpoint.ts';
import type { PricingInput } from './decide.ts';
import type { PricingFailpoint, QuoteStore } from './ports.ts';
import type { Quote } from './quote.ts';
import { type Proof, proofOf, type SealedClaim, type SealedQuote, sealClaim } from './quote-seals.ts';
import { honoured, lookAtQuote, type QuoteStanding, type QuoteUser } from './quotes.ts';

export interface QuoteDesk {
  readonly corridors: CorridorBook;
  readonly store: QuoteStore;
  /** Under which quotes are sealed: the stages'. */
  readonly ring: KeyRing;
  /** As of QuoteFound. */
  readonly voidBefore?: number | undefined;
  readonly failpoint?: Failpoint<PricingFailpoint> | undefined;
}

/**
 * How each record stands to the quote that its transfer names, in order; undefined: it names none, or is priced again. Claims
 * what it may on the way, and nothing for a transfer that would be declined: that would take the quote from who may use it.
 * @param now ms since 1970
 * @throws CodedError MONGO_UNAVAILABLE
 */
export async function settleQuotes(
  { corridors, store, ring, voidBefore, failpoint = NO_FAILPOINT }: QuoteDesk,
  batch: readonly PricingInput[],
  now: number,
): Promise<readonly (QuoteStanding | undefined)[]> {
  const users = batch.map((record) => userIn(record, corridors));
  const ids = [...new Set(users.flatMap((user) => user?.instruction.quoteId ?? []))];
  if (ids.length === 0) return users.map(() => undefined);
  const { quotes: kept, claims } = await store.find(ids);
  const quotes = proofsOf(ring, kept);
  const standing = new Map(claims.map((claim) => [claim.quoteId, claim]));
  const lookAt = (user: QuoteUser) => {
    const id = user.instruction.quoteId!;
    return lookAtQuote({ proof: quotes.get(id) ?? NONE, claim: standing.get(id), ring, voidBefore }, user, now);
  };
  const wanted = new Map<string, SealedClaim>();
  for (const user of users) {
    if (user === undefined || lookAt(user).kind !== 'free') continue;
    const quoteId = user.instruction.quoteId!;
    if (wanted.has(quoteId)) continue;
    const { transferId, instruction } = user;
    const claim = { quoteId, transferId, originPosition: instruction.originPosition, claimedAt: now };
    wanted.set(quoteId, sealClaim(ring, claim));
  }
  if (wanted.size > 0) {
    await failpoint('fx-pricing.before-quote-claim');
    for (const claim of await store.claim([...wanted.values()])) standing.set(claim.quoteId, claim);
    await failpoint('fx-pricing.after-quote-claim');
  }
  return users.map((user): QuoteStanding | undefined => {
    if (user === undefined) return undefined;
    const look = lookAt(user);
    if (look.kind === 'own') return honoured(look.quote, look.claim);
    if (look.kind !== 'free') return look;
    throw new Error(`quote ${user.instruction.quoteId} was claimed by nobody`);
  });
}

const NONE = { kind: 'none' } as const;
const WORTH = { none: 0, 'unknown-key': 1, proven: 2 } as const;

/** Of several documents under one id that which is proven counts: nobody hides a quote by writing another beside it. */
export function proofsOf(ring: KeyRing, kept: readonly SealedQuote[]): ReadonlyMap<string, Proof<Quote>> {
  const proofs = new Map<string, Proof<Quote>>();
  for (const each of kept) {
    const proof = proofOf(ring, each);
    if (WORTH[proof.kind] > WORTH[proofs.get(each.quoteId)?.kind ?? 'none']) proofs.set(each.quoteId, proof);
  }
  return proofs;
}

function userIn({ topic, value, appendedAt }: PricingInput, corridors: CorridorBook): QuoteUser | undefined {
  const { instruction, envelope } = value;
  if (topic !== 'transfer.screened' || instruction.quoteId === null) return undefined;
  const corridor = corridors.between(instruction.sourceCurrency, instruction.targetCurrency);
  return { instruction, transferId: envelope.transferId, appendedAt, corridor };
}
