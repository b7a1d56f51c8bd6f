// Wires settlement: the claim on the last payout version.
import { askSome } from '../../ports/ask-some.ts';
import type { Failpoint } from '../../ports/failpoint.ts';
import type { Cause, Processor } from '../contract.ts';
import { type Topology, topology } from '../topology.ts';
import { settleUpdates } from './claims.ts';
import { decide, type SettlementContext } from './decide.ts';
import { type Dispatched, dispatchedOf } from './dispatched.ts';
import type { SettlementClaims, SettlementFailpoint } from './ports.ts';

export interface SettlementOptions {
  readonly claims: SettlementClaims;
  /** Tells what payout dispatch has asked for. */
  readonly dispatched: Dispatched;
  /** ms since 1970 */
  readonly clock: () => number;
  /** Called with each update that was dropped as stale. */
  readonly onDropped?: (cause: Cause) => void;
  readonly failpoint?: Failpoint<SettlementFailpoint>;
}

/** payout.updated -> transfer.completed | transfer.returned | transfer.rejected | transfer.requote-requested */
export function createSettlement(options: SettlementOptions): Processor<Topology['settlement'], SettlementContext> {
  const { claims, dispatched, clock, onDropped, failpoint } = options;
  return {
    name: 'settlement',
    edges: topology.settlement,
    async prepare(batch) {
      const proven = await dispatchedOf(
        batch.map(({ value }) => value),
        dispatched,
      );
      // What is not proven claims nothing.
      const updates = batch.map((input, i) => {
        const requested = proven[i];
        return requested && { ...input, value: { ...input.value, requested } };
      });
      const outcomes = await askSome(updates, (asked) => settleUpdates(claims, asked, clock()));
      await failpoint?.('settlement.after-claim');
      return proven.map((requested, i): SettlementContext => {
        const outcome = outcomes[i];
        if (!requested || !outcome) return { outcome: { kind: 'unproven' } };
        if (outcome.kind === 'stale') onDropped?.(STALE);
        return { outcome, requested };
      });
    },
    decide,
  };
}

const STALE: Cause = { code: 'PAYOUT_VERSION_STALE', detail: 'a newer version of this payout was settled before' };
