// Good-guy exceptions: this counterparty is known not to be this listed entity. Pure.
import type { ScreenedParty, ScreeningCandidate, ScreeningOutcome } from '../schemas/types.generated.ts';
import { isIdentified } from './screened-party.ts';

export interface ScreeningException {
  readonly exceptionId: string;
  /** Token of the counterparty (HMAC of the customer id). */
  readonly token: string;
  readonly source: string;
  readonly entityId: string;
  /** The exception is void when the entity is not as it was. */
  readonly entityHash: string;
  /** ms since 1970 */
  readonly expiresAt: number;
  /** Who asked for it; another person approved it. */
  readonly grantedBy: string;
  readonly reason: string;
}

/** What is sealed when an exception is asked for. */
export const askedContent = (exception: ScreeningException): readonly string[] => {
  const { exceptionId, token, source, entityId, entityHash, expiresAt, grantedBy, reason } = exception;
  return ['asked', exceptionId, token, source, entityId, entityHash, String(expiresAt), grantedBy, reason];
};

/** What is sealed when another person lets it through: all of it, and who. */
export const approvedContent = (exception: ScreeningException, by: string, at: number): readonly string[] => [
  ...askedContent(exception),
  'approved',
  by,
  String(at),
];

/** What is sealed when it is revoked. */
export const revokedContent = (
  exceptionId: string,
  { at, by, reason }: { readonly at: number; readonly by: string; readonly reason: string },
): readonly string[] => ['revoked', exceptionId, String(at), by, reason];

/** Those of the tokens, in the order of the parties, whose party has a hit which an exception could excuse. */
export const tokensWithHits = (parties: readonly ScreenedParty[], tokens: readonly string[]): readonly string[] =>
  parties.flatMap(({ candidates }, place) => {
    const token = tokens[place];
    return token !== undefined && candidates.some((candidate) => candidate.isHit && !isIdentified(candidate))
      ? [token]
      : [];
  });

/**
 * The parties with their exceptions applied: an excused candidate is no hit, and says by what it is excused.
 * @param exceptions that are in force
 * @param tokens of the parties, in their order
 */
export function applyExceptions(
  parties: readonly ScreenedParty[],
  exceptions: readonly ScreeningException[],
  tokens: readonly string[],
): readonly ScreenedParty[] {
  if (exceptions.length === 0) return parties;
  return parties.map((party, place) => {
    const token = tokens[place];
    const excused = party.candidates.map((candidate) => {
      const found = exceptions.find((exception) => exception.token === token && covers(exception, candidate));
      return found === undefined ? candidate : { ...candidate, isHit: false, exceptionId: found.exceptionId };
    });
    return withCandidates(party, excused);
  });
}

function covers(exception: ScreeningException, candidate: ScreeningCandidate): boolean {
  return (
    candidate.isHit &&
    !isIdentified(candidate) &&
    exception.source === candidate.source &&
    exception.entityId === candidate.entityId &&
    exception.entityHash === candidate.entity?.entityHash
  );
}

/** A party whose hits were all excused is clear, unless its name could not be compared whole. */
export function withCandidates(party: ScreenedParty, candidates: readonly ScreeningCandidate[]): ScreenedParty {
  const excused = candidates.some(({ exceptionId }) => exceptionId !== null);
  const left = candidates.some(({ isHit }) => isHit);
  if (!excused || left) return { ...party, candidates };
  const outcome: ScreeningOutcome = party.unscreenableCode === null ? 'CLEAR' : 'UNSCREENABLE';
  return { ...party, outcome, candidates };
}
