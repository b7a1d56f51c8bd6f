// Wires intake: who an intent is from, validation, the claim on the transfer id, tokens.
import type { CorridorBook } from '../../domain/corridors/corridors.ts';
import { NO_INTENT_KEYS } from '../../domain/producers/intent-seal.ts';
import { NO_PRODUCERS, producerBook } from '../../domain/producers/producers.ts';
import type { Failpoint } from '../../ports/failpoint.ts';
import type { Processor } from '../contract.ts';
import { type Topology, topology } from '../topology.ts';
import { authorOf, type ProducerRules } from './author.ts';
import { settleClaims } from './claims.ts';
import { decide, type IntakeContext } from './decide.ts';
import type { IntakeFailpoint, IntentClaims } from './ports.ts';
import { tokeniser } from './token.ts';
import { DEFAULT_TIMING, type IntakeRules, reasonsAgainst } from './validate.ts';

export interface IntakeOptions {
  readonly claims: IntentClaims;
  readonly corridors: CorridorBook;
  /** Absent: any producer may use any id, and nobody is proven to be one. */
  readonly producers?: ProducerRules;
  /** Chain partition of a new transfer. */
  readonly homePartitionOf: (transferId: string) => number;
  /** Secret of the customer tokens, at least 16 bytes; a changed key separates customers from their limits. */
  readonly tokenKey: Uint8Array;
  /** ms since 1970 */
  readonly clock: () => number;
  readonly timing?: Pick<IntakeRules, 'maxClockSkewMs' | 'maxAgeMs'>;
  readonly failpoint?: Failpoint<IntakeFailpoint>;
}

/** transfer.requested -> transfer.accepted | intent.rejected | intent.duplicated */
export function createIntake(options: IntakeOptions): Processor<Topology['intake'], IntakeContext> {
  const { claims, corridors, homePartitionOf, clock, failpoint } = options;
  const { producers = { book: producerBook(NO_PRODUCERS), keys: NO_INTENT_KEYS } } = options;
  const rules: IntakeRules = { ...DEFAULT_TIMING, ...options.timing, corridors };
  const tokenOf = tokeniser(options.tokenKey);
  return {
    name: 'intake',
    edges: topology.intake,
    async prepare(batch) {
      const now = clock();
      const looked = batch.map((record) => {
        const { producerId, reasons } = authorOf(record, producers, corridors);
        return { producerId, reasons: [...reasons, ...reasonsAgainst(record.value, record.appendedAt, rules)] };
      });
      const applicants = batch.map(({ value, originPosition, appendedAt }, index) => {
        const { producerId, reasons } = looked[index]!;
        return { intent: value, originPosition, appendedAt, producerId, valid: reasons.length === 0 };
      });
      await failpoint?.('intake.before-claim');
      const outcomes = await settleClaims(claims, applicants, { now, homePartitionOf });
      await failpoint?.('intake.after-claim');
      return outcomes.map((claimOutcome, index) => ({ now, ...looked[index]!, claimOutcome, tokenOf }));
    },
    decide,
    discardable: async (batch) =>
      batch.map((record) => {
        const { producerId } = authorOf(record, producers, corridors);
        return { kind: 'reject', occurredAt: clock(), producerId };
      }),
  };
}
