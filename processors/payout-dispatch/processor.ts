// Wires payout dispatch: it needs nothing but the time.
import type { Processor } from '../contract.ts';
import { type Topology, topology } from '../topology.ts';
import { DEFAULT_DISPATCH_RULES, type DispatchContext, type DispatchRules, decide } from './decide.ts';

export interface PayoutDispatchOptions {
  /** ms since 1970 */
  readonly clock: () => number;
  readonly rules?: Partial<DispatchRules>;
}

/** transfer.reserved -> payout.requested | transfer.requote-requested | transfer.rejected */
export function createPayoutDispatch(
  options: PayoutDispatchOptions,
): Processor<Topology['payout-dispatch'], DispatchContext> {
  const rules = { ...DEFAULT_DISPATCH_RULES, ...options.rules };
  return {
    name: 'payout-dispatch',
    edges: topology['payout-dispatch'],
    async prepare(batch) {
      const now = options.clock();
      return batch.map(() => ({ now, rules }));
    },
    decide,
  };
}
