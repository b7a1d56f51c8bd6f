// Intake: a valid intent becomes a transfer, once. Pure.

import { reason } from '../../domain/reasons.ts';
import { safeText } from '../../domain/text/text.ts';
import { firstEnvelope } from '../../domain/transfers/envelope.ts';
import { intentDuplicationId, intentRejectionId } from '../../domain/transfers/event-id.ts';
import { isTransferId } from '../../domain/transfers/transfer-id.ts';
import { uetrOf } from '../../domain/transfers/uetr.ts';
import type { Instruction, Reason, TransferRequested } from '../../schemas/types.generated.ts';
import type { Decision, EmittedTo, Received } from '../contract.ts';
import type { Topology } from '../topology.ts';
import type { ClaimOutcome } from './claims.ts';
import { customerIdOf } from './intermediaries.ts';
import type { IntentClaim } from './ports.ts';

export interface IntakeContext {
  /** ms since 1970 */
  readonly now: number;
  /** Every reason against the intent; empty when it is valid. */
  readonly reasons: readonly Reason[];
  /** Those that were not against it before operators edited it; absent: it was not edited. */
  readonly broughtByEdit?: readonly Reason[];
  readonly claimOutcome: ClaimOutcome;
  readonly tokenOf: (customerId: string) => string;
  /** Which key it makes them with; null or absent: it does not say. */
  readonly tokenKeyId?: string | null;
  /** Who the intent is provably from. */
  readonly producerId: string | null;
  /** Name and version of the rules of data that it was checked with; null or absent: there are none. */
  readonly rulesVersion?: string | null;
  /** Ids of those that it does not meet. */
  readonly brokenRules?: readonly string[];
  /** Ids of those that ask for a person. */
  readonly reviewRules?: readonly string[];
  /** The corridor that carries it; null or absent: none does. */
  readonly corridorId?: string | null;
}

/** What is no currency is shown as far as one would go. */
const CURRENCY_CHARACTERS = 3;

export type IntakeEvent = EmittedTo<Topology['intake']['writes']>;
type Input = Received<TransferRequested>;

export function decide(input: Input, context: IntakeContext): Decision<IntakeEvent> {
  const { reasons, broughtByEdit = [], claimOutcome } = context;
  if (broughtByEdit[0]) {
    // Its producer is told nothing that they did not say.
    const detail = `as it was edited it is no valid intent: ${broughtByEdit[0].code} ${broughtByEdit[0].detail ?? ''}`;
    return { kind: 'dead-letter', cause: { code: 'EDIT_REFUSED', detail } };
  }
  const shownId = shownIdOf(input.value.transferId, context.tokenOf);
  const refused = (against: readonly Reason[], first?: IntentClaim) =>
    intentRejection(input, against, { ...context, shownId }, first);
  switch (claimOutcome.kind) {
    case 'own':
      return [accepted(input, claimOutcome.claim, context)];
    case 'duplicate':
      return [duplicated(input, claimOutcome.claim, context)];
    case 'of-another':
      return [refused(withoutTwo([reason('PRID'), ...reasons]))];
    case 'other-payload':
      return [refused([reason('DUPL'), ...reasons], claimOutcome.claim)];
    case 'unknown-hash':
      return {
        kind: 'stop',
        cause: { code: 'CLAIM_HASH_UNKNOWN', detail: 'a newer version of intake claimed this id: deploy that version' },
      };
    case 'none':
      return [refused(reasons)];
  }
}

/** Each code that says all by itself, once. */
const withoutTwo = (reasons: readonly Reason[]): readonly Reason[] =>
  reasons.filter(({ code, detail }, place) => {
    const first = reasons.findIndex((other) => other.code === code && other.detail === detail);
    return first === place;
  });

function accepted(input: Input, claim: IntentClaim, context: IntakeContext): IntakeEvent {
  const { transferId, homePartition, acceptedAt } = claim;
  const { parties } = input.value;
  return {
    to: 'transfer.accepted',
    value: {
      envelope: firstEnvelope('transfer.accepted', {
        transferId,
        causationId: input.originPosition,
        occurredAt: acceptedAt,
        homePartition,
      }),
      instruction: { ...instructionOf(input, context), producerId: claim.producerId },
      parties,
    },
  };
}

function instructionOf(
  { value, originPosition }: Input,
  { tokenOf, tokenKeyId = null, rulesVersion = null, reviewRules = [], corridorId = null }: IntakeContext,
): Omit<Instruction, 'producerId'> {
  const { transferId, parties, ...instructed } = value;
  // Sealed parties never pass validation.
  const {
    debtor,
    creditor,
    intermediaries,
    verifiedPayeeName: verified,
  } = (parties as Extract<typeof parties, { 'corridor.Parties': unknown }>)['corridor.Parties'];
  return {
    ...instructed,
    sourceCountry: debtor.country,
    targetCountry: creditor.country,
    debtorToken: tokenOf(debtor.customerId),
    creditorToken: tokenOf(creditor.customerId),
    intermediaryTokens: intermediaries.map((party) => tokenOf(customerIdOf(party))),
    // No customer id begins so: it may hold no line break.
    verifiedNameToken: verified === null ? null : tokenOf(`verified-name\n${verified}`),
    fundingToken: fromAccount(value)
      ? tokenOf(`funding-account\n${debtor.account.scheme}\n${debtor.account.value}`)
      : null,
    tokenKeyId,
    uetr: uetrOf(transferId),
    transferRules: rulesVersion,
    reviewRules,
    corridorId,
    originPosition,
  };
}

/** Whether the account of the sender is where the money comes from. */
const fromAccount = ({ funding }: Input['value']): boolean =>
  funding?.method === 'ACCOUNT' || funding?.method === 'CARD';

function duplicated({ originPosition }: Input, claim: IntentClaim, { now, producerId }: IntakeContext): IntakeEvent {
  return {
    to: 'intent.duplicated',
    value: {
      eventId: intentDuplicationId(originPosition),
      transferId: claim.transferId,
      originPosition,
      firstOriginPosition: claim.originPosition,
      occurredAt: now,
      producerId,
    },
  };
}

/**
 * What stands for what is no valid id: that may be a name or a sentence, and whoever reads the topic would read it. The colon says
 * that it is no id. Its producer finds the intent by its origin position.
 */
export const shownIdOf = (given: string, tokenOf: IntakeContext['tokenOf']): string =>
  isTransferId(given) ? given : `${NO_ID}${tokenOf(`transfer-id\n${given}`)}`;

/** Where nobody has a token for it. */
export const NO_ID = 'token:';

/** An intent that never becomes a transfer. */
export function intentRejection(
  { value, originPosition }: Input,
  reasons: readonly Reason[],
  {
    now,
    shownId,
    producerId,
    rulesVersion = null,
    brokenRules = [],
    corridorId = null,
  }: Pick<IntakeContext, 'now' | 'producerId' | 'rulesVersion' | 'brokenRules' | 'corridorId'> & {
    readonly shownId: string;
  },
  first: IntentClaim | undefined,
): IntakeEvent {
  return {
    to: 'intent.rejected',
    value: {
      eventId: intentRejectionId(originPosition),
      transferId: isTransferId(value.transferId) ? value.transferId : shownId,
      originPosition,
      occurredAt: now,
      reasons,
      firstOriginPosition: first?.originPosition ?? null,
      producerId,
      transferRules: rulesVersion,
      brokenRules,
      corridorId,
      sourceCurrency: safeText(value.sourceCurrency, CURRENCY_CHARACTERS),
      targetCurrency: safeText(value.targetCurrency, CURRENCY_CHARACTERS),
      instructedMinor: value.instructedAmount.minor,
      instructedCurrency: safeText(value.instructedAmount.currency, CURRENCY_CHARACTERS),
      amountSide: value.amountSide,
    },
  };
}
