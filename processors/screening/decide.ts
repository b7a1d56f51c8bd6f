// Screening: clear goes on, everything else waits for a person. Pure.

import { nextEnvelope } from '../../domain/transfers/envelope.ts';
import type { ErrorCode } from '../../ports/error-codes.ts';
import type {
  Envelope,
  Reason,
  ReviewDecided,
  ScreeningEvidence,
  TransferAccepted,
  TransferScreened,
} from '../../schemas/types.generated.ts';
import { withRecheck, withReview } from '../../screening/evidence.ts';
import type { Difference, Findings } from '../../screening/ports.ts';
import type { Decision, Disposition, EmittedTo, Received, ReceivedFrom } from '../contract.ts';
import { type Holding, heldOf, type ReviewVerdict } from '../holds.ts';
import type { Topology } from '../topology.ts';
import { declinedAtScreening, mustAskAPerson, reasonsOf, verificationReasons } from './hold.ts';

export type ScreeningInput = ReceivedFrom<Topology['screening']['reads']>;
export type ScreeningEvent = EmittedTo<Topology['screening']['writes']>;

export type ScreeningContext =
  | {
      readonly kind: 'screened';
      /** ms since 1970 */
      readonly now: number;
      /** Undefined when the parties are sealed and could not be looked at. */
      readonly findings: Findings | undefined;
      readonly holding: Holding;
    }
  | {
      readonly kind: 'reviewed';
      readonly verdict: ReviewVerdict;
      /** What the lists in force hold that was not decided on; undefined: nothing new. */
      readonly difference?: Difference | undefined;
      readonly holding: Holding;
    };

export function decide(input: ScreeningInput, context: ScreeningContext): Decision<ScreeningEvent> {
  if (input.topic === 'review.decided') return resume(input, context);
  if (context.kind !== 'screened') throw new Error('a transfer was given the context of a review');
  const { findings, now, holding } = context;
  if (findings === undefined) {
    return { kind: 'dead-letter', cause: { code: 'PARTIES_SEALED', detail: 'sealed parties reached screening' } };
  }
  const evidence: ScreeningEvidence = { ...findings, screenedAt: now, review: null };
  return settled(input.value, evidence, { causationId: input.causationId, occurredAt: now, holding });
}

interface Terms {
  readonly causationId: string;
  /** ms since 1970 */
  readonly occurredAt: number;
  readonly holding: Holding;
}

/** On with a clear or approved transfer; a hold for everything else that is known. */
function settled(
  { envelope: previous, instruction, parties }: TransferAccepted,
  screening: ScreeningEvidence,
  terms: Terms,
): Decision<ScreeningEvent> {
  const { causationId, occurredAt } = terms;
  switch (screening.outcome) {
    case 'CLEAR':
    case 'APPROVED': {
      if (mustAskAPerson(instruction, screening)) {
        return [held(previous, { instruction, parties, screening }, verificationReasons(instruction), terms)];
      }
      const envelope = nextEnvelope(previous, { topic: 'transfer.screened', causationId, occurredAt });
      return [{ to: 'transfer.screened', value: { envelope, instruction, parties, screening } }];
    }
    case 'POTENTIAL_MATCH':
    case 'TRUE_MATCH':
    case 'UNSCREENABLE': {
      const reasons = [...reasonsOf(screening), ...verificationReasons(instruction)];
      return [held(previous, { instruction, parties, screening }, reasons, terms)];
    }
    default:
      return stop('OUTCOME_UNKNOWN', 'the screener found what this stage does not know');
  }
}

type Looked = Pick<TransferScreened, 'instruction' | 'parties' | 'screening'>;

function held(
  previous: Envelope,
  looked: Looked,
  reasons: readonly Reason[],
  { causationId, occurredAt, holding }: Terms,
): ScreeningEvent {
  const envelope = nextEnvelope(previous, { topic: 'transfer.held', causationId, occurredAt });
  const event = { envelope, ...looked, price: null, reservation: null };
  return { to: 'transfer.held', value: heldOf(event, { stage: 'SCREENING', reasons }, holding) };
}

function resume(input: Received<ReviewDecided, 'review.decided'>, context: ScreeningContext): Decision<ScreeningEvent> {
  if (context.kind !== 'reviewed') throw new Error('a review was given the context of a transfer');
  const { verdict, difference, holding } = context;
  if (verdict.kind === 'halt') return verdict.disposition;
  if (verdict.kind !== 'honour') return [];
  const { held } = input.value;
  const { envelope: previous, instruction, parties, screening: evidence } = held;
  if (evidence === null) {
    return { kind: 'dead-letter', cause: { code: 'EVIDENCE_MISSING', detail: 'a screening hold without evidence' } };
  }
  const { approved, review, occurredAt } = verdict;
  const { causationId } = input;
  const reviewed = withReview(evidence, review);
  if (approved) {
    const terms = { causationId, occurredAt, holding };
    if (difference === undefined) return settled(held, reviewed, terms);
    const recheck = { ...difference, reason: 'RESUMED', screenedAt: occurredAt, review: null };
    return settled(held, withRecheck(reviewed, recheck), terms);
  }
  const envelope = nextEnvelope(previous, { topic: 'transfer.rejected', causationId, occurredAt });
  return [
    {
      to: 'transfer.rejected',
      value: {
        envelope,
        instruction,
        parties,
        screening: reviewed,
        price: null,
        reservation: null,
        payout: null,
        limitsRefusal: null,
        stage: 'SCREENING',
        reasons: [declinedAtScreening(evidence, verdict.lapse !== undefined)],
      },
    },
  ];
}

const stop = (code: ErrorCode, detail: string): Disposition => ({ kind: 'stop', cause: { code, detail } });
