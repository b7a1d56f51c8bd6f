// Screening: clear goes on, everything else waits for a person. Pure.
import { nextEnvelope } from '../../domain/envelope.ts';
import { reason } from '../../domain/reasons.ts';
import type { Reason, ReviewDecided, ScreeningEvidence, TransferAccepted } from '../../schemas/types.generated.ts';
import type { Decision, EmittedTo, Received, ReceivedFrom } from '../contract.ts';
import { holdOf, type ReviewStanding } from '../holds.ts';
import type { Topology } from '../topology.ts';
import { evidenceHashOf } from './evidence.ts';
import type { Findings } from './ports.ts';

export type ScreeningInput = ReceivedFrom<Topology['screening']['reads']>;
export type ScreeningEvent = EmittedTo<Topology['screening']['writes']>;

export type ScreeningContext =
  | {
      readonly kind: 'screened';
      /** ms since 1970 */
      readonly now: number;
      /** Undefined when the parties are sealed and could not be looked at. */
      readonly findings: Findings | undefined;
      readonly holdTtlMs: number;
    }
  | { readonly kind: 'reviewed'; readonly standing: ReviewStanding };

export function decide(input: ScreeningInput, context: ScreeningContext): Decision<ScreeningEvent> {
  if (input.topic === 'review.decided') return resume(input, context);
  if (context.kind !== 'screened') throw new Error('a transfer was given the context of a review');
  const { findings, now, holdTtlMs } = context;
  if (findings === undefined) {
    return { kind: 'dead-letter', cause: { code: 'PARTIES_SEALED', detail: 'sealed parties reached screening' } };
  }
  const evidence: ScreeningEvidence = { ...findings, screenedAt: now, review: null };
  switch (evidence.outcome) {
    case 'CLEAR':
      return [cleared(input, evidence, now)];
    case 'POTENTIAL_MATCH':
    case 'TRUE_MATCH':
    case 'UNSCREENABLE':
      return [held(input, evidence, now, holdTtlMs)];
    default:
      return {
        kind: 'stop',
        cause: { code: 'OUTCOME_UNKNOWN', detail: 'the screener found what this stage does not know' },
      };
  }
}

type Input = Received<TransferAccepted>;

function cleared({ value, causationId }: Input, screening: ScreeningEvidence, now: number): ScreeningEvent {
  const envelope = nextEnvelope(value.envelope, { topic: 'transfer.screened', causationId, occurredAt: now });
  return { to: 'transfer.screened', value: { ...value, envelope, screening } };
}

function held({ value, causationId }: Input, screening: ScreeningEvidence, now: number, ttlMs: number): ScreeningEvent {
  const envelope = nextEnvelope(value.envelope, { topic: 'transfer.held', causationId, occurredAt: now });
  const hold = holdOf({
    transferId: envelope.transferId,
    sequence: envelope.sequence,
    stage: 'SCREENING',
    reasons: explain(screening),
    evidenceHash: evidenceHashOf(screening),
    expiresAt: now + ttlMs,
  });
  return { to: 'transfer.held', value: { ...value, envelope, screening, price: null, reservation: null, hold } };
}

function explain(evidence: ScreeningEvidence): readonly Reason[] {
  return evidence.parties
    .filter((party) => party.outcome !== 'CLEAR')
    .map(({ role, outcome, candidates }) => {
      const who = role === 'DEBTOR' ? 'sender' : role === 'CREDITOR' ? 'beneficiary' : 'intermediary';
      if (outcome === 'UNSCREENABLE') return reason('RR04', `the name of the ${who} cannot be screened`);
      const entries = candidates
        .filter((candidate) => candidate.isHit)
        .map(({ source, entityId }) => `${source} ${entityId}`);
      return reason('RR04', `the ${who} resembles ${entries.join(', ')}`);
    });
}

function resume(input: Received<ReviewDecided, 'review.decided'>, context: ScreeningContext): Decision<ScreeningEvent> {
  if (context.kind !== 'reviewed') throw new Error('a review was given the context of a transfer');
  const { standing } = context;
  if (standing.kind === 'halt') return standing.disposition;
  if (standing.kind !== 'honour') return [];
  const { envelope: previous, instruction, parties, screening: evidence } = input.value.held;
  if (evidence === null) {
    return { kind: 'dead-letter', cause: { code: 'EVIDENCE_MISSING', detail: 'a screening hold without evidence' } };
  }
  const { approved, review, occurredAt } = standing;
  const { causationId } = input;
  if (approved) {
    const envelope = nextEnvelope(previous, { topic: 'transfer.screened', causationId, occurredAt });
    const screening: ScreeningEvidence = { ...evidence, outcome: 'APPROVED', review };
    return [{ to: 'transfer.screened', value: { envelope, instruction, parties, screening } }];
  }
  const envelope = nextEnvelope(previous, { topic: 'transfer.rejected', causationId, occurredAt });
  return [
    {
      to: 'transfer.rejected',
      value: {
        envelope,
        instruction,
        parties,
        screening: { ...evidence, review },
        price: null,
        reservation: null,
        payout: null,
        stage: 'SCREENING',
        reasons: [reason('RR04', 'declined after review of a possible sanctions match')],
      },
    },
  ];
}
