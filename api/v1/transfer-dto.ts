// A transfer as the API shows it. No personal data: analysts see parties as tokens, and this shows no parties.
import { z } from 'zod';
import type { TransferStanding } from '../../operations/queries/standing.ts';
import type { Step } from '../../operations/queries/transfer.ts';
import { instructedIn } from '../../operations/queries/transfers.ts';
import { instant, instantOf, moneyDto, moneyOf } from './dto.ts';

export const STATES = [
  ...(['ACCEPTED', 'SCREENED', 'HELD', 'PRICED', 'RESERVED', 'DISPATCHED', 'REQUOTING'] as const),
  ...(['COMPLETED', 'REJECTED', 'RETURNED', 'DEAD_LETTERED'] as const),
] as const;
const NOT_ACCEPTED = ['SUBMITTING', 'SUBMITTED', 'INTENT_REJECTED'] as const;
export const STAGES = ['INTAKE', 'SCREENING', 'FX_PRICING', 'LIMITS', 'PAYOUT_DISPATCH', 'SETTLEMENT'] as const;

export const transferDto = z
  .object({
    transferId: z.string(),
    state: z
      .enum([...STATES, ...NOT_ACCEPTED])
      .describe(
        'SUBMITTING: nobody knows whether it is in the log, send it again with the same key. SUBMITTED: it is, and nothing came of it yet. INTENT_REJECTED: refused by intake, it never became a transfer. DEAD_LETTERED: operators must act.',
      ),
    stage: z.enum(STAGES).describe('The stage that made this state.'),
    sequence: z.int().nullable(),
    attempt: z.int().nullable().describe('Pricing attempt.'),
    updatedAt: instant,
    requestedAt: instant.nullable(),
    corridor: z.string().nullable(),
    producer: z.string().nullable().describe('Who instructed it; null where nobody can tell.'),
    instructed: moneyDto.nullable().describe('What the producer instructed; null: not known here.'),
    debit: moneyDto.nullable().describe('What the sender pays, fees included; once priced.'),
    credit: moneyDto.nullable().describe('What the beneficiary gets; once priced.'),
    fees: moneyDto.nullable(),
    customerRate: z.string().nullable().describe('Decimal text.'),
    provider: z.string().nullable(),
    reasonCodes: z.array(z.string()).describe('Why it was held, rejected, returned or put aside.'),
  })
  .meta({ id: 'Transfer' });

export type TransferDto = z.output<typeof transferDto>;

/** `corridorIdOf`: the id of the corridor between two currencies. */
export function transferOf(
  standing: TransferStanding,
  corridorIdOf: (source: string, target: string) => string | undefined,
): TransferDto {
  if (standing.kind === 'intent-rejected') {
    const { transferId, occurredAt, reasonCodes, producer } = standing;
    return notAccepted(transferId, 'INTENT_REJECTED', { updatedAt: occurredAt, reasonCodes, producer });
  }
  if (standing.kind === 'submitted') {
    const { transferId, requestedAt, submittedAt, publishedAt, producer } = standing.submission;
    const state = publishedAt === undefined ? 'SUBMITTING' : 'SUBMITTED';
    return notAccepted(transferId, state, { updatedAt: publishedAt ?? submittedAt, requestedAt, producer });
  }
  const { _id: transferId, ...found } = standing.transfer;
  const { sourceCurrency, targetCurrency } = found;
  const instructed = instructedIn(found);
  const money = (minor: bigint | null, currency: string) => (minor === null ? null : moneyOf(minor, currency));
  return {
    transferId,
    // A state or stage of a newer version stops the record at the sink: it never gets here.
    state: found.state as TransferDto['state'],
    stage: found.stage as TransferDto['stage'],
    sequence: Number(found.sequence),
    attempt: Number(found.attempt),
    updatedAt: instantOf(found.updatedAt),
    requestedAt: instantOf(found.requestedAt),
    corridor: corridorIdOf(sourceCurrency, targetCurrency) ?? null,
    // Documents of before lack it.
    producer: (found.producerId as string | null | undefined) ?? null,
    instructed: instructed && moneyOf(instructed.minor, instructed.currency),
    debit: money(found.debitMinor, sourceCurrency),
    credit: money(found.creditMinor, targetCurrency),
    fees: money(found.feesMinor, sourceCurrency),
    customerRate: found.customerRate,
    provider: found.provider,
    reasonCodes: [...found.reasonCodes],
  };
}

interface NotAccepted {
  readonly updatedAt: number | Date;
  readonly producer: string | null;
  readonly requestedAt?: number;
  readonly reasonCodes?: readonly string[];
}

/** What is no transfer (yet): intake has it, or will. */
const notAccepted = (
  transferId: string,
  state: (typeof NOT_ACCEPTED)[number],
  { updatedAt, producer, requestedAt, reasonCodes = [] }: NotAccepted,
): TransferDto => ({
  ...{ transferId, state, stage: 'INTAKE', updatedAt: instantOf(updatedAt) },
  ...{ sequence: null, attempt: null, corridor: null, instructed: null, debit: null, credit: null, fees: null },
  ...{ producer, customerRate: null, provider: null, reasonCodes: [...reasonCodes] },
  requestedAt: requestedAt === undefined ? null : instantOf(requestedAt),
});

export const timelineDto = z
  .object({
    transferId: z.string(),
    steps: z.array(
      z.object({
        sequence: z.int().nullable().describe('Null for what is no transition.'),
        state: z.string(),
        stage: z.string(),
        occurredAt: instant,
        afterMs: z.int().describe('Since the first step.'),
        reasonCodes: z.array(z.string()),
      }),
    ),
  })
  .meta({ id: 'Timeline' });

export const timelineOf = (transferId: string, steps: readonly Step[]): z.output<typeof timelineDto> => ({
  transferId,
  steps: steps.map(({ sequence, occurredAt, reasonCodes, producer: _, ...step }) => ({
    ...step,
    sequence: sequence === undefined ? null : Number(sequence),
    occurredAt: instantOf(occurredAt),
    reasonCodes: [...reasonCodes],
  })),
});
