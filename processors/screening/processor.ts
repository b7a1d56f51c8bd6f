// Wires screening: the engine for transfers, the claim on the hold for decisions, and what changed since they were held.

import { askSome } from '../../ports/ask-some.ts';
import type { Failpoint } from '../../ports/failpoint.ts';
import type { Screener, ScreeningRequest } from '../../screening/ports.ts';
import { differencesSince, requestOf } from '../../screening/requests.ts';
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
import { decide, type ScreeningContext, type ScreeningInput } from './decide.ts';

export interface ScreeningOptions {
  readonly screener: Screener;
  readonly holds: HoldClaims;
  readonly keys: ReviewTrust;
  /** ms since 1970 */
  readonly clock: () => number;
  /** How long a hold waits for a decision before it lapses, in ms. */
  readonly holdTtlMs?: number;
  /** Called with each decision that was dropped. */
  readonly onDropped?: (cause: Cause) => void;
  readonly failpoint?: Failpoint<HoldFailpoint>;
}

/** transfer.accepted -> transfer.screened | transfer.held; review.decided -> those | transfer.rejected */
export function createScreening(options: ScreeningOptions): Processor<Topology['screening'], ScreeningContext> {
  const { screener, holds, keys, clock, holdTtlMs = DEFAULT_HOLD_TTL_MS, onDropped, failpoint } = options;
  const holding = { ttlMs: holdTtlMs, stages: keys.stages };
  return {
    name: 'screening',
    edges: topology.screening,
    async prepare(batch) {
      const now = clock();
      const findings = await askSome(batch.map(toRequest), (requests) => screener.screen(requests));
      const verdicts = await verdictsIn(batch, {
        ...{ holds, keys, now, onDropped, stage: 'SCREENING' },
        afterClaim: () => failpoint?.('screening.after-hold-claim'),
      });
      const approved = batch.map((input, i) =>
        input.topic === 'review.decided' && isApproved(verdicts[i]) ? input.value.held : undefined,
      );
      const differences = await differencesSince(screener, approved);
      return batch.map((_, i): ScreeningContext => {
        const verdict = verdicts[i];
        if (verdict) return { kind: 'reviewed', verdict, difference: differences[i], holding };
        return { kind: 'screened', now, findings: findings[i], holding };
      });
    },
    decide,
    discardable: (batch) =>
      discardableOf(batch, 'transfer.accepted', {
        ...{ holds, keys, now: clock(), onDropped, stage: 'SCREENING' },
        afterClaim: () => failpoint?.('screening.after-hold-claim'),
      }),
  };
}

/** What to screen of an input: undefined for a review, or when the parties are sealed. */
const toRequest = (input: ScreeningInput): ScreeningRequest | undefined =>
  input.topic === 'review.decided' ? undefined : requestOf(input.value);
