// Wires payout dispatch: what changed on the lists since the parties were screened, and the claim on the hold for reviews.
import type { TransferHeld, TransferReserved } from '../../schemas/types.generated.ts';
import type { Cause, Failpoint, Processor } from '../contract.ts';
import { type HoldClaims, settleReviews } from '../holds.ts';
import { evidenceHashOf } from '../screening/evidence.ts';
import type { Screener } from '../screening/ports.ts';
import { differencesSince } from '../screening/requests.ts';
import { type Topology, topology } from '../topology.ts';
import { DEFAULT_DISPATCH_RULES, type DispatchContext, type DispatchRules, decide } from './decide.ts';

export interface PayoutDispatchOptions {
  /** ms since 1970 */
  readonly clock: () => number;
  readonly holds: HoldClaims;
  readonly screener: Pick<Screener, 'recheck'>;
  /** False: the law forbids another look at the lists once this transfer is under way. Default: always true. */
  readonly maySeeLists?: (value: Pick<TransferReserved, 'price'>) => boolean;
  readonly rules?: Partial<DispatchRules>;
  /** Told of each decision that was dropped. */
  readonly onDropped?: (cause: Cause) => void;
  readonly failpoint?: Failpoint;
}

/** transfer.reserved | review.decided -> payout.requested | transfer.requote-requested | transfer.held | transfer.rejected */
export function createPayoutDispatch(
  options: PayoutDispatchOptions,
): Processor<Topology['payout-dispatch'], DispatchContext> {
  const { clock, holds, screener, maySeeLists = () => true, onDropped, failpoint } = options;
  const rules = { ...DEFAULT_DISPATCH_RULES, ...options.rules };
  const mayLook = (value: TransferReserved | TransferHeld) =>
    value.price !== null && maySeeLists({ price: value.price }) ? value : undefined;
  return {
    name: 'payout-dispatch',
    edges: topology['payout-dispatch'],
    async prepare(batch) {
      const now = clock();
      const decisions = batch.flatMap((input) => (input.topic === 'review.decided' ? [input] : []));
      const standings = await settleReviews(holds, decisions, {
        stage: 'PAYOUT_DISPATCH',
        now,
        evidenceHashOf: ({ held }) => (held.screening === null ? '' : evidenceHashOf(held.screening)),
      });
      if (standings.length > 0) await failpoint?.('payout-dispatch.after-hold-claim');
      for (const standing of standings) if (standing.kind === 'dropped') onDropped?.(standing.cause);
      let next = 0;
      const contexts = batch.map((input) => {
        if (input.topic !== 'review.decided') return { event: mayLook(input.value) };
        const standing = standings[next++]!;
        const goesOn = standing.kind === 'honour' && standing.approved;
        return { standing, event: goesOn ? mayLook(input.value.held) : undefined };
      });
      const differences = await differencesSince(
        screener,
        contexts.map(({ event }) => event),
      );
      return contexts.map(({ standing }, i) => ({
        now,
        rules,
        difference: differences[i],
        ...(standing ? { standing } : {}),
      }));
    },
    decide,
  };
}
