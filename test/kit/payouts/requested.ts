// A payout.requested event for tests.

import { sealRecord } from '../../../domain/seals/record-seal.ts';
import type { KeyRing } from '../../../domain/seals/seal.ts';
import { eventIdOf } from '../../../domain/transfers/event-id.ts';
import type { Received } from '../../../processors/contract.ts';
import type { PayoutRequested } from '../../../schemas/types.generated.ts';
import { NO_PLACES, NOT_INSTRUCTED, UNTERMED } from '../undeclared.ts';

export interface RequestedOptions {
  readonly transferId: string;
  readonly attempt?: number;
  /** ms since the epoch. */
  readonly expiresAt: number;
  readonly now: number;
  /** The provider simulator ends payouts by its last six digits. */
  readonly account?: string;
  readonly homePartition?: number;
}

export function payoutRequestedFor(options: RequestedOptions): PayoutRequested {
  const { transferId, attempt = 1, expiresAt, now, account = '50100012345678', homePartition = 0 } = options;
  const inr = (minor: bigint) => ({ minor, currency: 'INR' });
  const gbp = (minor: bigint) => ({ minor, currency: 'GBP' });
  const sequence = 4 + attempt;
  const party = {
    customerId: 'c-1',
    kind: 'PERSON',
    birthDate: null,
    nationalities: [],
    identifiers: [],
    address: null,
    ...NO_PLACES,
  } as const;
  return {
    envelope: {
      eventId: eventIdOf('payout.requested', transferId, attempt, sequence),
      transferId,
      sequence,
      attempt,
      causationId: 'test',
      occurredAt: now,
      homePartition,
    },
    instruction: {
      ...NOT_INSTRUCTED,
      producerId: null,
      endToEndId: `E2E-${transferId}`.slice(0, 35),
      instructedAmount: gbp(10_000n),
      amountSide: 'SOURCE',
      sourceCurrency: 'GBP',
      targetCurrency: 'INR',
      sourceCountry: 'GB',
      targetCountry: 'IN',
      chargeBearer: 'SLEV',
      purposeCode: 'DEPD',
      debtorToken: 'd'.repeat(32),
      creditorToken: 'c'.repeat(32),
      intermediaryTokens: [],
      requestedAt: now,
      requestedExecutionDate: null,
      originPosition: 'topic:0:0',
    },
    parties: {
      'corridor.Parties': {
        debtor: {
          ...party,
          name: 'Test Debtor',
          country: 'GB',
          account: { scheme: 'BBAN', value: '12345678', agent: '200415' },
        },
        creditor: {
          ...party,
          name: 'Test Creditor',
          country: 'IN',
          account: { scheme: 'BBAN', value: account, agent: 'HDFC0000001' },
        },
        remittanceInformation: null,
        intermediaries: [],
        verifiedPayeeName: null,
      },
    },
    screening: {
      outcome: 'CLEAR',
      lists: [],
      engineVersion: 'test',
      configurationHash: 'test',
      threshold: 0.9,
      screenedAt: now,
      parties: [],
      review: null,
      configuration: '{}',
      rechecks: [],
    },
    price: {
      ...UNTERMED,
      snapshotId: 's-1',
      legs: [{ base: 'GBP', quote: 'INR', rate: '125.26', source: 'test', agreement: null, observedAt: now }],
      midRate: '125.26',
      marginBps: 50,
      customerRate: '124.6337',
      principal: gbp(9_900n),
      debit: gbp(10_000n),
      credit: inr(1_233_873n),
      fees: [{ code: 'FLAT', amount: gbp(100n) }],
      rounding: 'DOWN',
      residual: '0.63',
      margin: gbp(49n),
      lockedAt: now,
      expiresAt,
      positioned: true,
    },
    reservation: {
      reservationId: `${transferId}:${attempt}`,
      uses: [],
      reservedAt: now,
      approval: null,
      limitRules: null,
    },
  };
}

/** The same under the seal of these keys, as payout dispatch writes it. */
export function asDispatched(
  input: Received<PayoutRequested>,
  stages: KeyRing,
  value: Uint8Array,
): Received<PayoutRequested> {
  const parts = { topic: 'payout.requested', key: input.value.envelope.transferId, cause: 'AAAAAAAAAAAA:0:1', value };
  return { ...input, sealed: { ...parts, seal: sealRecord(stages, parts) } };
}

/** The event as the consumer hands it in. */
export function received(value: PayoutRequested): Received<PayoutRequested> {
  const { envelope, instruction } = value;
  return {
    topic: 'payout.requested',
    value,
    appendedAt: envelope.occurredAt,
    waitedMs: 0,
    originPosition: instruction.originPosition,
    position: `payout.requested:${envelope.homePartition}:0`,
    partition: envelope.homePartition,
    causationId: envelope.eventId,
  };
}
