// A known customer who resembles an entity that a new list version added or changed: a case for a person, and a block on
// payouts until it is cleared. Holds tokens and public list data only.
import { isOfTwo, type SecondPerson } from '../../domain/people/two-persons.ts';
import { deterministicId } from '../../domain/transfers/event-id.ts';
import type { ScreeningCandidate, ScreeningEvidence } from '../../schemas/types.generated.ts';
import { type Tokens, tokensOf } from '../counterparties.ts';
import type { Difference, ScreeningRequest } from '../ports.ts';
import { isIdentified } from '../screened-party.ts';

/** OPEN and CONFIRMED block payouts; CLEARED does not. */
export type CustomerCaseState = 'OPEN' | 'CONFIRMED' | 'CLEARED';

export interface CustomerCase {
  readonly caseId: string;
  /** Token of the customer (HMAC of the customer id). */
  readonly token: string;
  readonly source: string;
  readonly entityId: string;
  readonly entityHash: string;
  /** The list version that the entity is on. */
  readonly versionId: string;
  readonly candidate: ScreeningCandidate;
  /** A transfer of this customer, to look the parties up by (`corridor explain`). */
  readonly transferId: string;
  /** ms since 1970 */
  readonly openedAt: number;
  readonly state: CustomerCaseState;
  readonly decision: CustomerDecision | null;
}

export interface CustomerDecision extends SecondPerson {
  readonly state: 'CONFIRMED' | 'CLEARED';
  readonly by: string;
  readonly reason: string;
  /** ms since 1970 */
  readonly at: number;
}

/** Whether one person alone cleared what screening calls a true match, which takes two. */
export const isClearedByOne = ({ state, candidate, decision }: CustomerCase): boolean =>
  state === 'CLEARED' && isIdentified(candidate) && !(decision && isOfTwo(decision));

/** Customers' cases, durably. */
export interface CustomerCases {
  /** Opens those that do not exist yet. Returns how many were new. */
  open(cases: readonly CustomerCase[]): Promise<number>;
  /** What blocks payouts of these customers: the listed entities of their open and confirmed cases. One round trip. */
  blocked(tokens: readonly string[]): Promise<Blocks>;
}

/** An entity as it was when the case was opened. */
export type BlockingEntity = Pick<CustomerCase, 'source' | 'entityId' | 'entityHash'>;
/** By token; customers without a blocking case are left out. */
export type Blocks = ReadonlyMap<string, readonly BlockingEntity[]>;

/**
 * Whether a case blocks this transfer: one that is open or confirmed about any of its parties, unless a person approved this very
 * transfer although it resembles that entity as it is, or an exception excused it.
 */
export function isBlocked(blocks: Blocks, tokens: Tokens, evidence: ScreeningEvidence): boolean {
  const entities = tokensOf(tokens).flatMap((token) => blocks.get(token) ?? []);
  return entities.some((entity) => !isSettled(entity, evidence));
}

function isSettled(entity: BlockingEntity, evidence: ScreeningEvidence): boolean {
  return [evidence, ...evidence.rechecks].some(({ parties, review }) =>
    parties.some(({ candidates }) =>
      candidates.some(
        (candidate) =>
          candidate.source === entity.source &&
          candidate.entityId === entity.entityId &&
          candidate.entity?.entityHash === entity.entityHash &&
          (candidate.exceptionId !== null || (candidate.isHit && review?.decision === 'APPROVE')),
      ),
    ),
  );
}

/** The cases that a difference leads to, one per customer and entity as it is now: found again, it is the same case. */
export function casesFrom(
  transferId: string,
  { instruction }: ScreeningRequest,
  difference: Difference,
  openedAt: number,
): readonly CustomerCase[] {
  const tokens = tokensOf(instruction);
  return difference.parties.flatMap(({ candidates }, place) => {
    const token = tokens[place]!;
    return candidates
      .filter(({ isHit }) => isHit)
      .map((candidate): CustomerCase => {
        const { source, entityId } = candidate;
        const entityHash = candidate.entity?.entityHash ?? '';
        return {
          caseId: deterministicId(`customer-case\n${token}\n${source}:${entityId}\n${entityHash}`),
          token,
          source,
          entityId,
          entityHash,
          versionId: difference.lists.find((list) => list.source === source)?.versionId ?? '',
          candidate,
          transferId,
          openedAt,
          state: 'OPEN',
          decision: null,
        };
      });
  });
}
