// Quotes: a price that was made before the transfer, for one producer and one amount, and is used once. Pure.
import type { Corridor } from '../../domain/corridors/corridors.ts';
import { type ReasonCode, reason } from '../../domain/reasons.ts';
import type { KeyRing } from '../../domain/seals/seal.ts';
import type { TermBook } from '../../domain/terms/term-book.ts';
import type { Instruction, Price, Reason } from '../../schemas/types.generated.ts';
import { madePrice, outsideOf, type Priceable, priceableOf } from './price.ts';
import type { Quote, QuoteClaim, QuoteRequest } from './quote.ts';
import { claimProof, type Proof, type SealedClaim, validUntilOf } from './quote-seals.ts';
import type { Route } from './routes.ts';

export type QuoteAnswer =
  | { readonly kind: 'priced'; readonly quote: Quote }
  | { readonly kind: 'refused'; readonly reason: Reason };

/** How far the clocks of who asks and who answers, and the wait between them, may be apart: what is older has no answer, ms. */
export const MAX_REQUEST_AGE_MS = 60_000;

export interface QuoteMoment {
  /** ms since 1970 */
  readonly now: number;
  /** When the request was made, by the clock of who keeps it, ms since 1970. */
  readonly askedAt: number;
  readonly corridor: Corridor | undefined;
  readonly route: Route;
  /** @throws CodedError POLICY_UNUSABLE */
  readonly terms: () => TermBook;
  /** Whether operators have stopped the corridor. */
  readonly isStopped: boolean;
}

/**
 * The answer by the rates of now. A quote never waits: where no transfer would be priced now, it is refused.
 * @throws CodedError POLICY_UNUSABLE
 */
export function answerTo(request: QuoteRequest, moment: QuoteMoment): QuoteAnswer {
  const { now, askedAt, corridor, route, terms, isStopped } = moment;
  const refuse = (code: ReasonCode, detail?: string): QuoteAnswer => ({
    kind: 'refused',
    reason: reason(code, detail),
  });
  const { side, amount, sourceCurrency, targetCurrency, chargeBearer } = request;
  // Also one that was put back as if nobody had answered it.
  if (Math.abs(now - askedAt) > MAX_REQUEST_AGE_MS) return refuse('QOLD');
  if (corridor === undefined) return refuse('AG03');
  if (isStopped) return refuse('QSTP');
  if (!corridor.chargeBearers.includes(chargeBearer as never))
    return refuse('AG03', `chargeBearer ${chargeBearer} is not offered`);
  if (amount.currency !== (side === 'SOURCE' ? sourceCurrency : targetCurrency)) return refuse('AM11');
  if (amount.minor <= 0n) return refuse(amount.minor === 0n ? 'AM01' : 'AM12');
  if (route.kind !== 'fresh') return refuse('RATE', 'there is no rate of now that may be gone by: ask again later');
  const made = madePrice(request, { corridor, legs: route.legs, terms: terms(), now });
  if (!made.ok) return { kind: 'refused', reason: made.why };
  if (validUntilOf(made.price) <= now) return refuse('QEXP', 'by these terms a price binds too shortly for a quote');
  return { kind: 'priced', quote: { request, price: made.price } };
}

/** How a transfer stands to the quote that it names. */
export type QuoteLook =
  | { readonly kind: 'refused'; readonly reason: Reason }
  /** Nobody uses it yet: this transfer may claim it. */
  | { readonly kind: 'free'; readonly quote: Quote }
  /** This transfer claimed it: now, or before a crash, a retry or a replay. */
  | { readonly kind: 'own'; readonly quote: Quote; readonly claim: QuoteClaim }
  /** A seal is under a key that this process has not: nobody can tell until it has. */
  | { readonly kind: 'unclear'; readonly keyId: string };

export interface QuoteUser {
  readonly instruction: Instruction;
  readonly transferId: string;
  /** When the log took the event that asks for the price, ms since 1970: the same whenever it runs again. */
  readonly appendedAt: number;
  /** Undefined: none carries the pair any more. */
  readonly corridor: Corridor | undefined;
}

export interface QuoteFound {
  readonly proof: Proof<Quote>;
  /** The claim that stands on it, whoever wrote it; undefined: none. */
  readonly claim: SealedClaim | undefined;
  /** The stages'. */
  readonly ring: KeyRing;
  /** Quotes from before then are the price of nobody who has not claimed them, ms since 1970; undefined: all count. */
  readonly voidBefore?: number | undefined;
}

/**
 * Whether the transfer has the price of its quote. A claim of its own that a stage has sealed counts whatever the clock says: the
 * price was its own before, and stays what it was. It has expired when both clocks say so, that of the log (which took the event
 * too late) and that of the stage.
 * @param now ms since 1970
 */
export function lookAtQuote(found: QuoteFound, user: QuoteUser, now: number): QuoteLook {
  const refuse = (code: ReasonCode, detail?: string): QuoteLook => ({ kind: 'refused', reason: reason(code, detail) });
  const { proof } = found;
  const { instruction, appendedAt, corridor } = user;
  // Before anything of the quote: who is nobody for certain learns of none.
  if (instruction.producerId === null) return refuse('QPRD');
  if (proof.kind === 'unknown-key') return { kind: 'unclear', keyId: proof.keyId };
  // Those of others in the words for one that is not there: nobody learns which there are.
  if (proof.kind === 'none' || proof.of.request.producerId !== instruction.producerId) return refuse('QUNK');
  const { request, price } = proof.of;
  const differing = differingIn(instruction, request);
  if (differing.length > 0) return refuse('QDIF', `another ${differing.join(', ')} than was quoted`);
  if (request.kind !== 'GUARANTEED') return refuse('QIND');
  if (found.claim !== undefined) return lookAtClaim(proof.of, found.claim, user, found.ring);
  if (price.lockedAt < (found.voidBefore ?? 0)) return refuse('QVOI');
  if (Math.min(appendedAt, now) >= validUntilOf(price)) return refuse('QEXP');
  // Before it is claimed: who would be declined takes it from nobody.
  if (corridor === undefined) return refuse('AG03');
  const outside = outsideOf(corridor, price);
  if (outside !== undefined) return { kind: 'refused', reason: outside };
  return { kind: 'free', quote: proof.of };
}

/** Whose the quote is by the claim. One that no stage made is that of no transfer: it revives nothing, also nothing expired. */
function lookAtClaim(
  quote: Quote,
  claim: SealedClaim,
  { instruction, transferId }: QuoteUser,
  ring: KeyRing,
): QuoteLook {
  const used: QuoteLook = { kind: 'refused', reason: reason('QUSD') };
  if (claim.transferId !== transferId || claim.originPosition !== instruction.originPosition) return used;
  const proof = claimProof(ring, claim);
  if (proof.kind === 'unknown-key') return { kind: 'unclear', keyId: proof.keyId };
  return proof.kind === 'proven' ? { kind: 'own', quote, claim } : used;
}

/** What the transfer asks for otherwise than the quote was asked for, by name. */
function differingIn(instruction: Instruction, request: QuoteRequest): readonly string[] {
  const { amountSide } = instruction;
  if (amountSide === 'UNKNOWN') return ['side'];
  const [own, quoted] = [priceableOf(instruction, amountSide), request].map(textsOf) as [Texts, Texts];
  return Object.keys(own).filter((name) => own[name] !== quoted[name]);
}

type Texts = Readonly<Record<string, string>>;

const textsOf = (of: Priceable): Texts => ({
  side: of.side,
  amount: `${of.amount.minor} ${of.amount.currency}`,
  'source currency': of.sourceCurrency,
  'target currency': of.targetCurrency,
  'charge bearer': of.chargeBearer,
  'KYC tier': JSON.stringify(of.kycTier),
  'funding method': JSON.stringify(of.fundingMethod),
  taxes: JSON.stringify(of.declaredTaxes.map(({ kind, authority }) => `${kind}\n${authority}`).toSorted()),
});

/** Whether both ask for the same. */
export function isSameRequest(one: QuoteRequest, other: QuoteRequest): boolean {
  if (one.producerId !== other.producerId || one.kind !== other.kind) return false;
  return JSON.stringify(textsOf(one)) === JSON.stringify(textsOf(other));
}

/** What pricing goes by for a transfer that names a quote. */
export type QuoteStanding =
  | { readonly kind: 'refused'; readonly reason: Reason }
  /** `at`: when the transfer claimed it, ms since 1970: the time of its event. */
  | { readonly kind: 'honoured'; readonly price: Price; readonly at: number }
  /** It waits until this process has the key. */
  | { readonly kind: 'unclear'; readonly keyId: string };

/**
 * The price of the transfer that claimed the quote: as quoted, to the last digit. Only the time in which the sender may take it
 * back is counted from the use, since before there was nothing to take back.
 */
export function honoured(
  { price }: Quote,
  { claimedAt }: Pick<QuoteClaim, 'claimedAt'>,
): Extract<QuoteStanding, { kind: 'honoured' }> {
  // Clocks of two processes differ: no price is used before it was made.
  const at = Math.max(claimedAt, price.lockedAt);
  const cancelUntil = price.cancelUntil === null ? null : price.cancelUntil + at - price.lockedAt;
  return { kind: 'honoured', price: { ...price, cancelUntil }, at };
}
