// Wires settlement: the claim on the last payout version.
import type { Cause, Failpoint, Processor } from '../contract.ts';
import { type Topology, topology } from '../topology.ts';
import { settleUpdates } from './claims.ts';
import { decide, type SettlementContext } from './decide.ts';
import type { SettlementClaims } from './ports.ts';

export interface SettlementOptions {
  readonly claims: SettlementClaims;
  /** ms since 1970 */
  readonly clock: () => number;
  /** Told of each update that was dropped as stale. */
  readonly onDropped?: (cause: Cause) => void;
  readonly failpoint?: Failpoint;
}

/** payout.updated -> transfer.completed | transfer.returned | transfer.rejected | transfer.requote-requested */
export function createSettlement(options: SettlementOptions): Processor<Topology['settlement'], SettlementContext> {
  const { claims, clock, onDropped, failpoint } = options;
  return {
    name: 'settlement',
    edges: topology.settlement,
    async prepare(batch) {
      const outcomes = await settleUpdates(claims, batch, clock());
      await failpoint?.('settlement.after-claim');
      for (const { kind } of outcomes) if (kind === 'stale') onDropped?.(STALE);
      return outcomes.map((outcome) => ({ outcome }));
    },
    decide,
  };
}

const STALE: Cause = { code: 'PAYOUT_VERSION_STALE', detail: 'a newer version of this payout was settled before' };
