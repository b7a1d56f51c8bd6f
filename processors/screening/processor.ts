// Wires screening: the engine for transfers, the claim on the hold for decisions.
import type { Parties } from '../../schemas/types.generated.ts';
import type { Cause, Failpoint, Processor } from '../contract.ts';
import { DEFAULT_HOLD_TTL_MS, type HoldClaims, settleReviews } from '../holds.ts';
import { type Topology, topology } from '../topology.ts';
import { decide, type ScreeningContext, type ScreeningInput } from './decide.ts';
import { evidenceHashOf } from './evidence.ts';
import type { Screener } from './ports.ts';

export interface ScreeningOptions {
  readonly screener: Screener;
  readonly holds: HoldClaims;
  /** ms since 1970 */
  readonly clock: () => number;
  /** How long a hold waits for a decision before it lapses, in ms. */
  readonly holdTtlMs?: number;
  /** Told of each decision that was dropped. */
  readonly onDropped?: (cause: Cause) => void;
  readonly failpoint?: Failpoint;
}

/** transfer.accepted -> transfer.screened | transfer.held; review.decided -> transfer.screened | transfer.rejected */
export function createScreening(options: ScreeningOptions): Processor<Topology['screening'], ScreeningContext> {
  const { screener, holds, clock, holdTtlMs = DEFAULT_HOLD_TTL_MS, onDropped, failpoint } = options;
  return {
    name: 'screening',
    edges: topology.screening,
    async prepare(batch) {
      const now = clock();
      const parties = batch.map(openParties);
      const findings = screener.screen(parties.filter((each) => each !== undefined));
      const decisions = batch.flatMap((input) => (input.topic === 'review.decided' ? [input] : []));
      const standings = await settleReviews(holds, decisions, {
        stage: 'SCREENING',
        now,
        evidenceHashOf: ({ held }) => (held.screening === null ? '' : evidenceHashOf(held.screening)),
      });
      if (standings.length > 0) await failpoint?.('screening.after-hold-claim');
      for (const standing of standings) if (standing.kind === 'dropped') onDropped?.(standing.cause);
      let nextFinding = 0;
      let nextStanding = 0;
      return batch.map((input, index): ScreeningContext => {
        if (input.topic === 'review.decided') return { kind: 'reviewed', standing: standings[nextStanding++]! };
        const found = parties[index] === undefined ? undefined : findings[nextFinding++]!;
        return { kind: 'screened', now, findings: found, holdTtlMs };
      });
    },
    decide,
  };
}

/** The parties to screen: undefined for a review, or when they are sealed. */
function openParties(input: ScreeningInput): Parties | undefined {
  if (input.topic === 'review.decided') return undefined;
  const { parties } = input.value;
  return 'corridor.Parties' in parties ? parties['corridor.Parties'] : undefined;
}
