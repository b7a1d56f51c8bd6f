// Wires intake: who an intent is from, validation, the claim on the transfer id, tokens.
import type { CorridorBook } from '../../domain/corridors/corridors.ts';
import { NO_INTENT_KEYS } from '../../domain/producers/intent-seal.ts';
import { NO_PRODUCERS, producerBook } from '../../domain/producers/producers.ts';
import type { Failpoint } from '../../ports/failpoint.ts';
import type { Reason } from '../../schemas/types.generated.ts';
import type { Discardable, Processor, ReceivedFrom } from '../contract.ts';
import { refusal } from '../discard.ts';
import { type Topology, topology } from '../topology.ts';
import { authorOf, type ProducerRules } from './author.ts';
import { type ClaimOutcome, settleClaims } from './claims.ts';
import { decide, type IntakeContext, shownIdOf } from './decide.ts';
import type { IntakeFailpoint, IntentClaims } from './ports.ts';
import { type TransferRules, versionOf } from './rules/rule-set.ts';
import { tokeniser, tokenKeyIdOf } from './token.ts';
import { DEFAULT_TIMING, type IntakeRules, lookAt, reasonsAgainst } from './validate.ts';

export interface IntakeOptions {
  readonly claims: IntentClaims;
  readonly corridors: CorridorBook;
  /** What a transfer must say beside; absent: nothing. */
  readonly transferRules?: TransferRules | undefined;
  /** Absent: any producer may use any id, and nobody is proven to be one. */
  readonly producers?: ProducerRules;
  /** Chain partition of a new transfer. */
  readonly homePartitionOf: (transferId: string) => number;
  /** Secret of the customer tokens, at least 16 bytes; a changed key separates customers from their limits. */
  readonly tokenKey: Uint8Array;
  /** Stands in each token; absent: nothing does. */
  /** ms since 1970 */
  readonly clock: () => number;
  readonly timing?: Pick<IntakeRules, 'maxClockSkewMs' | 'maxAgeMs'>;
  readonly failpoint?: Failpoint<IntakeFailpoint>;
}

const isSame = (one: Reason, other: Reason): boolean => one.code === other.code && one.detail === other.detail;

/** transfer.requested -> transfer.accepted | intent.rejected | intent.duplicated */
export function createIntake(options: IntakeOptions): Processor<Topology['intake'], IntakeContext> {
  const { claims, corridors, transferRules, homePartitionOf, clock, failpoint } = options;
  const { producers = { book: producerBook(NO_PRODUCERS), keys: NO_INTENT_KEYS } } = options;
  const rules: IntakeRules = { ...DEFAULT_TIMING, ...options.timing, corridors, transferRules };
  const rulesVersion = transferRules === undefined ? null : versionOf(transferRules);
  const tokenOf = tokeniser(options.tokenKey);
  const tokenKeyId = tokenKeyIdOf(options.tokenKey);
  return {
    name: 'intake',
    edges: topology.intake,
    async prepare(batch) {
      const now = clock();
      const { looked, outcomes } = await standingOf(batch, now);
      const same = { now, tokenOf, tokenKeyId, rulesVersion };
      return outcomes.map((claimOutcome, index) => ({ ...same, ...looked[index]!, claimOutcome }));
    },
    decide,
    async discardable(batch) {
      const now = clock();
      const { looked, outcomes } = await standingOf(batch, now);
      return outcomes.map((outcome, index) => {
        const shownId = shownIdOf(batch[index]!.value.transferId, tokenOf);
        return discardableOf(outcome, now, { ...looked[index]!, shownId });
      });
    },
  };

  /** Who each record is from, what is against it, and how it stands to the claim on its id, which it makes where it may. */
  async function standingOf(batch: readonly ReceivedFrom<Topology['intake']['reads']>[], now: number) {
    const looked = batch.map((record) => {
      const { producerId, reasons } = authorOf(record, producers, corridors);
      const { reasons: against, ...ofRules } = lookAt(record.value, record.appendedAt, rules);
      const before = record.unedited && reasonsAgainst(record.unedited, record.appendedAt, rules);
      const broughtByEdit = before ? against.filter((each) => !before.some((known) => isSame(known, each))) : [];
      const corridorId = corridors.between(record.value.sourceCurrency, record.value.targetCurrency)?.id ?? null;
      return { producerId, reasons: [...reasons, ...against], ...ofRules, broughtByEdit, corridorId };
    });
    const applicants = batch.map(({ value, unedited, originPosition, appendedAt }, index) => {
      const { producerId, reasons } = looked[index]!;
      return { intent: unedited ?? value, originPosition, appendedAt, producerId, valid: reasons.length === 0 };
    });
    await failpoint?.('intake.before-claim');
    const outcomes = await settleClaims(claims, applicants, { now, homePartitionOf });
    await failpoint?.('intake.after-claim');
    return { looked, outcomes };
  }
}

type Rejectable = Extract<Discardable, { kind: 'reject' }>;

/**
 * An intent is ended only while no other record of its id became a transfer: its producer would take the one that runs for
 * rejected, and send the money again. The claim is made first, so that none becomes one later either.
 */
function discardableOf(
  { kind }: ClaimOutcome,
  occurredAt: number,
  { producerId, corridorId, shownId }: Pick<Required<Rejectable>, 'producerId' | 'corridorId' | 'shownId'>,
): Discardable {
  if (kind === 'own' || kind === 'none') return { kind: 'reject', occurredAt, producerId, corridorId, shownId };
  return { kind: 'dead-letter', cause: refusal('another record has taken its id: replay it, and intake says which') };
}
