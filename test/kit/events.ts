// Values of every chain topic, valid by themselves and consistent with each other: GBP to INR, one transfer at a time.
import { firstEnvelope, nextEnvelope } from '../../domain/transfers/envelope.ts';
import { heldOf } from '../../processors/holds.ts';
import type {
  Envelope,
  Instruction,
  Parties,
  Party,
  PayoutRequested,
  PayoutState,
  PayoutUpdated,
  Price,
  ReviewDecided,
  ScreeningEvidence,
  TransferAccepted,
  TransferCompleted,
  TransferHeld,
  TransferPriced,
  TransferRejected,
  TransferRequested,
  TransferReserved,
  TransferScreened,
} from '../../schemas/types.generated.ts';
import { homePartition } from '../../topics/home-partition.ts';
import { askedFor, HOLDING, sealOfReview } from './keys.ts';
import { NO_DECLARATIONS, NO_PLACES, NOT_INSTRUCTED, UNTERMED } from './undeclared.ts';

const AT = Date.UTC(2026, 0, 15, 9);
const HASH = 'ab'.repeat(32);

/** What tests vary. */
export interface Case {
  readonly transferId?: string;
  readonly partitions?: number;
  readonly at?: number;
  /** Minor units of the debit, GBP. */
  readonly minor?: bigint;
  readonly debtor?: Partial<Party>;
  readonly creditor?: Partial<Party>;
}

const party = (over: Partial<Party>): Party => ({
  customerId: 'cust-0001',
  kind: 'PERSON',
  name: 'Ada Example',
  birthDate: '1985-04-12',
  country: 'GB',
  nationalities: [],
  identifiers: [],
  address: '1 Sample Street, London',
  ...NO_PLACES,
  account: { scheme: 'IBAN', value: 'GB33BUKB20201555555555', agent: null },
  ...over,
});

export const partiesOf = (of: Case = {}): { 'corridor.Parties': Parties } => ({
  'corridor.Parties': {
    debtor: party({ ...of.debtor }),
    creditor: party({
      customerId: 'cust-0002',
      name: 'Ravi Sample',
      country: 'IN',
      address: null,
      birthDate: null,
      account: { scheme: 'BBAN', value: '00000000012345', agent: 'HDFC0000001' },
      ...of.creditor,
    }),
    remittanceInformation: null,
    intermediaries: [],
    verifiedPayeeName: null,
  },
});

export function requested(of: Case = {}): TransferRequested {
  return {
    transferId: of.transferId ?? 'transfer-0001',
    endToEndId: 'E2E-0001',
    requestedAt: of.at ?? AT,
    instructedAmount: { minor: of.minor ?? 50_000n, currency: 'GBP' },
    amountSide: 'SOURCE',
    sourceCurrency: 'GBP',
    targetCurrency: 'INR',
    chargeBearer: 'SHAR',
    purposeCode: 'DEPD',
    requestedExecutionDate: null,
    parties: partiesOf(of),
    ...NO_DECLARATIONS,
  };
}

export function instructionOf(of: Case = {}): Instruction {
  return {
    ...NOT_INSTRUCTED,
    producerId: null,
    endToEndId: 'E2E-0001',
    instructedAmount: { minor: of.minor ?? 50_000n, currency: 'GBP' },
    amountSide: 'SOURCE',
    sourceCurrency: 'GBP',
    targetCurrency: 'INR',
    sourceCountry: 'GB',
    targetCountry: 'IN',
    chargeBearer: 'SHAR',
    purposeCode: 'DEPD',
    debtorToken: 'debtor-token',
    creditorToken: 'creditor-token',
    intermediaryTokens: [],
    requestedAt: of.at ?? AT,
    requestedExecutionDate: null,
    originPosition: `transfer.requested:0:${of.transferId ?? 'transfer-0001'}`,
  };
}

export function accepted(of: Case = {}): TransferAccepted {
  const transferId = of.transferId ?? 'transfer-0001';
  const envelope = firstEnvelope('transfer.accepted', {
    transferId,
    causationId: `transfer.requested:0:${transferId}`,
    occurredAt: of.at ?? AT,
    homePartition: homePartition(transferId, of.partitions ?? 4),
  });
  return { envelope, instruction: instructionOf(of), parties: partiesOf(of) };
}

/** The envelope of the next event on a topic. */
export const following = (previous: Envelope, topic: string, over: { attempt?: number } = {}): Envelope =>
  nextEnvelope(previous, { topic, causationId: previous.eventId, occurredAt: previous.occurredAt + 5, ...over });

export function evidence(over: Partial<ScreeningEvidence> = {}): ScreeningEvidence {
  const lists = [{ source: 'CORRIDOR', versionId: 'v1', publishedOn: '2026-01-01', contentHash: HASH, activation: 1 }];
  const screenedParty = (role: 'DEBTOR' | 'CREDITOR') => ({
    role,
    outcome: 'CLEAR' as const,
    queryHash: HASH,
    candidates: [],
    unscreenableCode: null,
  });
  return {
    outcome: 'CLEAR',
    lists,
    engineVersion: 'test',
    configurationHash: HASH,
    threshold: 0.9,
    screenedAt: AT,
    parties: [screenedParty('DEBTOR'), screenedParty('CREDITOR')],
    review: null,
    configuration: '{}',
    rechecks: [],
    ...over,
  };
}

export function screened(of: Case = {}, before = accepted(of)): TransferScreened {
  return { ...before, envelope: following(before.envelope, 'transfer.screened'), screening: evidence() };
}

export function priceOf(of: Case = {}, over: Partial<Price> = {}): Price {
  const minor = of.minor ?? 50_000n;
  return {
    snapshotId: HASH,
    legs: [{ base: 'GBP', quote: 'INR', rate: '110', source: 'sample', agreement: null, observedAt: AT }],
    midRate: '110',
    marginBps: 0,
    customerRate: '110',
    principal: { minor, currency: 'GBP' },
    margin: { minor: 0n, currency: 'GBP' },
    debit: { minor, currency: 'GBP' },
    credit: { minor: minor * 110n, currency: 'INR' },
    fees: [],
    ...UNTERMED,
    rounding: 'DOWN',
    residual: '0',
    lockedAt: of.at ?? AT,
    expiresAt: (of.at ?? AT) + 1_800_000,
    positioned: true,
    ...over,
  };
}

export function priced(of: Case = {}, before = screened(of)): TransferPriced {
  return {
    ...before,
    envelope: following(before.envelope, 'transfer.priced'),
    price: priceOf(of),
    limitsApproval: null,
  };
}

export function reserved(of: Case = {}, before = priced(of)): TransferReserved {
  const { transferId, attempt } = before.envelope;
  const reservation = {
    reservationId: `${transferId}:${attempt}`,
    uses: [],
    reservedAt: AT,
    approval: null,
    limitRules: null,
  };
  const { limitsApproval: _, ...carried } = before;
  return { ...carried, envelope: following(before.envelope, 'transfer.reserved'), reservation };
}

export function dispatched(of: Case = {}, before = reserved(of)): PayoutRequested {
  return { ...before, envelope: following(before.envelope, 'payout.requested') };
}

export function payoutState(event: PayoutRequested, over: Partial<PayoutState> = {}): PayoutState {
  const { transferId, attempt } = event.envelope;
  return {
    payoutId: transferId,
    version: 1,
    status: 'PAID',
    provider: 'simulator',
    attemptKey: `${transferId}:${attempt}`,
    providerReference: 'ref-1',
    reason: null,
    changedAt: AT,
    ...over,
  };
}

export function payoutUpdated(
  of: Case = {},
  over: Partial<PayoutState> = {},
  before: PayoutRequested = dispatched(of),
): PayoutUpdated {
  const { transferId, attempt, homePartition: home } = before.envelope;
  const payout = payoutState(before, over);
  return {
    command: {
      commandId: `payout/${transferId}/${payout.version}`,
      transferId,
      attempt,
      issuedAt: AT,
      issuedBy: 'payout-executor',
      homePartition: home,
    },
    requested: before,
    payout,
    asked: payout.status === 'EXPIRED' ? askedFor(before) : null,
  };
}

export function completed(of: Case = {}, before: PayoutRequested = dispatched(of)): TransferCompleted {
  return { ...before, envelope: following(before.envelope, 'transfer.completed'), payout: payoutState(before) };
}

export function heldAtScreening(of: Case = {}, before = accepted(of)): TransferHeld {
  const envelope = following(before.envelope, 'transfer.held');
  const screening = evidence({ outcome: 'POTENTIAL_MATCH' });
  const reasons = [{ code: 'RR04', detail: 'a party resembles a listed entity' }];
  const event = { ...before, envelope, screening, reservation: null, price: null };
  return heldOf(event, { stage: 'SCREENING', reasons }, HOLDING);
}

export function reviewDecided(
  of: Case = {},
  decision: 'APPROVE' | 'REJECT' = 'APPROVE',
  held = heldAtScreening(of),
): ReviewDecided {
  const { transferId, attempt, homePartition: home } = held.envelope;
  const decided = {
    command: {
      commandId: `review/${held.hold.holdId}`,
      transferId,
      attempt,
      issuedAt: AT,
      issuedBy: 'operator-1',
      homePartition: home,
    },
    holdId: held.hold.holdId,
    decision,
    justification: 'not the same person',
    evidenceHash: held.hold.evidenceHash,
    held,
    seal: null,
    agreedBy: null,
    approvalId: null,
    approvalHash: null,
    glass: null,
  };
  return { ...decided, seal: sealOfReview(decided) };
}

export function rejected(of: Case = {}, before: TransferAccepted = accepted(of)): TransferRejected {
  return {
    ...before,
    envelope: following(before.envelope, 'transfer.rejected'),
    screening: null,
    price: null,
    reservation: null,
    payout: null,
    limitsRefusal: null,
    stage: 'SCREENING',
    reasons: [{ code: 'RR04', detail: 'declined' }],
  };
}
