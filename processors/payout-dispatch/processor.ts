// Wires payout dispatch: what changed on the lists since the parties were screened, and the claim on the hold for reviews.

import type { Failpoint } from '../../ports/failpoint.ts';
import type { TransferHeld, TransferReserved } from '../../schemas/types.generated.ts';
import { tokensOf } from '../../screening/counterparties.ts';
import type { Screener } from '../../screening/ports.ts';
import { differencesSince } from '../../screening/requests.ts';
import type { CustomerCases } from '../../screening/rescreening/customer-case.ts';
import type { Cause, Processor } from '../contract.ts';
import { discardableOf } from '../discard.ts';
import {
  DEFAULT_HOLD_TTL_MS,
  type HoldClaims,
  type HoldFailpoint,
  isApproved,
  type ReviewTrust,
  verdictsIn,
} from '../holds.ts';
import { type Topology, topology } from '../topology.ts';
import { DEFAULT_DISPATCH_RULES, type DispatchContext, type DispatchRules, decide } from './decide.ts';

export interface PayoutDispatchOptions {
  /** ms since 1970 */
  readonly clock: () => number;
  readonly holds: HoldClaims;
  readonly keys: ReviewTrust;
  readonly screener: Pick<Screener, 'recheck'>;
  /**
   * False: the law forbids another look at the lists once this transfer is under way, unless a case about one of its
   * parties is open. Default: always true.
   */
  readonly maySeeLists?: (value: Pick<TransferReserved, 'price'>) => boolean;
  /** Cases about customers; without them there are none. */
  readonly cases?: Pick<CustomerCases, 'blocked'>;
  readonly rules?: Partial<DispatchRules>;
  /** How long a hold waits for a decision before it lapses, in ms. */
  readonly holdTtlMs?: number;
  /** Called with each decision that was dropped. */
  readonly onDropped?: (cause: Cause) => void;
  readonly failpoint?: Failpoint<HoldFailpoint>;
}

/** transfer.reserved | review.decided -> payout.requested | transfer.requote-requested | transfer.held | transfer.rejected */
export function createPayoutDispatch(
  options: PayoutDispatchOptions,
): Processor<Topology['payout-dispatch'], DispatchContext> {
  const { clock, holds, keys, screener, maySeeLists = () => true, cases, onDropped, failpoint } = options;
  const rules = { ...DEFAULT_DISPATCH_RULES, ...options.rules };
  const holding = { ttlMs: options.holdTtlMs ?? DEFAULT_HOLD_TTL_MS, stages: keys.stages };
  const mayLook = ({ price }: TransferReserved | TransferHeld) => price !== null && maySeeLists({ price });

  /** The events whose parties are looked at again, in the places of the batch. */
  async function lookedAt<E extends TransferReserved | TransferHeld>(
    events: readonly (E | undefined)[],
  ): Promise<readonly (E | undefined)[]> {
    const closed = events.filter((event) => event !== undefined).filter((event) => !mayLook(event));
    if (closed.length === 0 || !cases) return events.map((event) => (event && mayLook(event) ? event : undefined));
    const blocks = await cases.blocked([...new Set(closed.flatMap(({ instruction }) => tokensOf(instruction)))]);
    return events.map((event) => {
      if (event === undefined || mayLook(event)) return event;
      return tokensOf(event.instruction).some((token) => blocks.has(token)) ? event : undefined;
    });
  }

  return {
    name: 'payout-dispatch',
    edges: topology['payout-dispatch'],
    async prepare(batch) {
      const now = clock();
      const verdicts = await verdictsIn(batch, {
        ...{ holds, keys, now, onDropped, stage: 'PAYOUT_DISPATCH' },
        afterClaim: () => failpoint?.('payout-dispatch.after-hold-claim'),
      });
      const events = batch.map((input, i) => {
        if (input.topic !== 'review.decided') return input.value;
        return isApproved(verdicts[i]) ? input.value.held : undefined;
      });
      const differences = await differencesSince(screener, await lookedAt<TransferReserved | TransferHeld>(events));
      return verdicts.map((verdict, i) => ({
        now,
        rules,
        holding,
        difference: differences[i],
        ...(verdict ? { verdict } : {}),
      }));
    },
    decide,
    discardable: (batch) =>
      discardableOf(batch, 'transfer.reserved', {
        ...{ holds, keys, now: clock(), onDropped, stage: 'PAYOUT_DISPATCH' },
        afterClaim: () => failpoint?.('payout-dispatch.after-hold-claim'),
      }),
  };
}
