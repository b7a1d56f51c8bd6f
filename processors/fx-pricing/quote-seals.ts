// What proves a quote, and the claim on one: the stages' seals. Whoever owns the store can lose a quote or hide it, and price
// nothing by another one; they can mark one as used, and give it to nobody. Pure.
import { isOfUnknownKey, isSealed, type KeyRing, sealOf } from '../../domain/seals/seal.ts';
import { deterministicId } from '../../domain/transfers/event-id.ts';
import { withDefaults } from '../../schemas/schema-defaults.ts';
import { MIN_REMAINING_MS } from '../remaining-time.ts';
import type { Quote, QuoteClaim } from './quote.ts';

/** As it is kept: the text, the seal over exactly this text, and the id that follows from it. */
export interface SealedQuote {
  readonly quoteId: string;
  readonly content: string;
  readonly seal: string;
}

/** A claim under the seal of the stage that made it. */
export interface SealedClaim extends QuoteClaim {
  readonly seal: string;
}

/** Whether something bears the stages' seal. */
export type Proof<T> =
  | { readonly kind: 'proven'; readonly of: T }
  /** Its seal is under a key that this process has not: it may be true, and nobody here can tell. */
  | { readonly kind: 'unknown-key'; readonly keyId: string }
  /** It is not there, or nobody with the stages' keys said it. */
  | { readonly kind: 'none' };

const FORM = 'quote-1';
const CLAIM_FORM = 'quote-claim-1';
const NONE = { kind: 'none' } as const;

/** Of the whole answer, price and time included: another answer to the same request is another quote. */
export const quoteIdOf = (content: string): string => deterministicId(`quote\n${content}`);

/** The quote under the stages' seal. */
export function sealQuote(ring: KeyRing, quote: Quote): SealedQuote {
  const content = JSON.stringify(quote, (_key, value: unknown) =>
    typeof value === 'bigint' ? { $minor: value.toString() } : value,
  );
  return { quoteId: quoteIdOf(content), content, seal: sealOf(ring, 'quote', [FORM, content]) };
}

/** What the stages have quoted under this id. */
export function proofOf(ring: KeyRing, { quoteId, content, seal }: SealedQuote): Proof<Quote> {
  if (quoteIdOf(content) !== quoteId) return NONE;
  if (isOfUnknownKey(ring, seal)) return { kind: 'unknown-key', keyId: keyIdOf(seal) };
  if (!isSealed(ring, 'quote', [FORM, content], seal)) return NONE;
  const quote = quoteIn(content);
  return quote === undefined ? NONE : { kind: 'proven', of: quote };
}

/** What was sealed; undefined: nobody with these keys said it, or not of this id. */
export function unsealedQuote(ring: KeyRing, sealed: SealedQuote): Quote | undefined {
  const proof = proofOf(ring, sealed);
  return proof.kind === 'proven' ? proof.of : undefined;
}

/**
 * What the text says, whoever wrote it: for those who show it. What a later schema has added to prices is what it is by default.
 * Undefined: it says no price.
 */
export function quoteIn(content: string): Quote | undefined {
  try {
    const said = JSON.parse(content, (_key, value: unknown) => minorIn(value) ?? value) as Quote | null;
    if (!Number.isSafeInteger(said?.price?.expiresAt) || !said?.request) return undefined;
    return { ...said, price: withDefaults('Price', said.price) as Quote['price'] };
  } catch {
    return undefined;
  }
}

function minorIn(value: unknown): bigint | undefined {
  if (value === null || typeof value !== 'object' || !('$minor' in value)) return undefined;
  return BigInt(String(value.$minor));
}

/** From then on no transfer is paid at this price, ms since 1970. */
export const validUntilOf = ({ expiresAt }: Pick<Quote['price'], 'expiresAt'>): number => expiresAt - MIN_REMAINING_MS;

const claimContent = ({ quoteId, transferId, originPosition, claimedAt }: QuoteClaim): readonly string[] => [
  ...[CLAIM_FORM, quoteId, transferId, originPosition, String(claimedAt)],
];

export const sealClaim = (ring: KeyRing, claim: QuoteClaim): SealedClaim => ({
  ...{ ...claim, seal: sealOf(ring, 'quote-claim', claimContent(claim)) },
});

/** Whether a stage made this claim. */
export function claimProof(ring: KeyRing, claim: SealedClaim): Proof<QuoteClaim> {
  if (isOfUnknownKey(ring, claim.seal)) return { kind: 'unknown-key', keyId: keyIdOf(claim.seal) };
  return isSealed(ring, 'quote-claim', claimContent(claim), claim.seal) ? { kind: 'proven', of: claim } : NONE;
}

const keyIdOf = (seal: string): string => seal.slice(0, seal.indexOf('.'));
