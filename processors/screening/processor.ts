// Wires screening: the engine for transfers, the claim on the hold for decisions, and what changed since they were held.

import type { Failpoint } from '../../ports/failpoint.ts';
import type { Screener, ScreeningRequest } from '../../screening/ports.ts';
import { differencesSince, requestOf } from '../../screening/requests.ts';
import type { Cause, Processor } from '../contract.ts';
import {
  DEFAULT_HOLD_TTL_MS,
  type HoldClaims,
  type HoldFailpoint,
  type HoldKeys,
  settleReviews,
  tellOfDropped,
} from '../holds.ts';
import { type Topology, topology } from '../topology.ts';
import { decide, type ScreeningContext, type ScreeningInput } from './decide.ts';

export interface ScreeningOptions {
  readonly screener: Screener;
  readonly holds: HoldClaims;
  readonly keys: HoldKeys;
  /** ms since 1970 */
  readonly clock: () => number;
  /** How long a hold waits for a decision before it lapses, in ms. */
  readonly holdTtlMs?: number;
  /** Told of each decision that was dropped. */
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
      const requests = batch.map(toRequest);
      const findings = await screener.screen(requests.filter((each) => each !== undefined));
      const decisions = batch.flatMap((input) => (input.topic === 'review.decided' ? [input] : []));
      const standings = await settleReviews(holds, decisions, { stage: 'SCREENING', now, keys });
      if (standings.length > 0) await failpoint?.('screening.after-hold-claim');
      tellOfDropped(standings, onDropped);
      const differences = await differencesSince(
        screener,
        decisions.map(({ value: { held } }, i) => {
          const standing = standings[i]!;
          return standing.kind === 'honour' && standing.approved ? held : undefined;
        }),
      );
      let nextFinding = 0;
      let nextStanding = 0;
      return batch.map((input, index): ScreeningContext => {
        if (input.topic === 'review.decided') {
          const place = nextStanding++;
          return { kind: 'reviewed', standing: standings[place]!, difference: differences[place], holding };
        }
        const found = requests[index] === undefined ? undefined : findings[nextFinding++]!;
        return { kind: 'screened', now, findings: found, holding };
      });
    },
    decide,
  };
}

/** What to screen of an input: undefined for a review, or when the parties are sealed. */
const toRequest = (input: ScreeningInput): ScreeningRequest | undefined =>
  input.topic === 'review.decided' ? undefined : requestOf(input.value);
