// Negative controls: one guarantee is taken away, and the harness has to notice.

import type { Random } from '../../samples/random.ts';
import type { UnsafeSwitch } from '../../services/unsafe-switches/unsafe.ts';
import { lateSchemaFault } from './members/late-schema.ts';
import { clockFault } from './members/provider-clock.ts';
import { type Fault, zombie } from './schedule.ts';

export interface NegativeControl {
  readonly name: UnsafeSwitch;
  /** What must come to light, in findings of the report. */
  readonly because: string;
  /** Faults in which the guarantee is what saves the day; they are also in every profile `full`. */
  faults(random: Random): readonly Fault[];
}

const kill = (slot: 'chain-1' | 'chain-2' | 'back-1' | 'back-2', failpoint: string, nth = 1): Fault => ({
  kind: 'kill',
  slot,
  failpoint,
  nth,
});

export const NEGATIVE_CONTROLS: readonly NegativeControl[] = [
  {
    name: 'no-intake-claim',
    because: 'a repeated intent becomes a transfer once more',
    faults: () => [],
  },
  {
    name: 'no-payout-cas',
    because: 'an executor that dies after a submit leaves it to another, which submits again',
    faults: () => [
      kill('back-1', 'payout.after-submit', 3),
      kill('back-2', 'payout.after-submit', 3),
      kill('back-1', 'payout.after-outcome-write', 3),
    ],
  },
  {
    name: 'offsets-outside-transaction',
    because: 'outputs are committed without the offset, and made again by the next owner',
    faults: () => [
      kill('chain-1', 'eos.after-commit', 2),
      kill('chain-2', 'eos.after-commit', 3),
      kill('chain-1', 'eos.after-commit', 5),
    ],
  },
  {
    name: 'no-fencing',
    because: 'a frozen owner of a partition wakes up and commits what its successor has committed',
    // Before it sends: an open transaction would only keep its successor waiting.
    faults: (random) => [
      zombie('eos.before-send', random),
      zombie('eos.before-send', random),
      zombie('eos.before-send', random),
      zombie('eos.before-send', random),
    ],
  },
  {
    name: 'no-own-clock',
    because:
      'a submit that is late counts as never made by the clock of the provider, is made again, and both are paid',
    faults: (random) => Array.from({ length: 5 }, () => ({ ...clockFault(0, random), forMs: 9_000 })),
  },
  {
    name: 'no-seal-checks',
    because: 'transfers that nobody asked for are paid',
    faults: () => Array.from({ length: 4 }, () => ({ kind: 'forgery', how: 'unsealed' })),
  },
  {
    name: 'no-replay-claim',
    because: 'a replay that was written twice is decided twice',
    faults: (random) => [lateSchemaFault(10, 'hand', random)],
  },
  {
    name: 'no-quote-claim',
    because: 'two transfers have the price of one quote',
    // Every run has transfers that name a quote of another.
    faults: () => [],
  },
  {
    name: 'topics-by-name',
    because: 'a topic that was made again repeats positions: what is new there passes for what was handled before',
    // Every run makes it again.
    faults: () => [],
  },
  {
    name: 'no-sequence-guard',
    because: 'a frozen sink wakes up and writes an old state over a newer one',
    faults: (random) => [
      zombie('sink-transfer-view.before-write', random),
      zombie('sink-transfer-view.before-write', random),
      zombie('sink-transfer-view.before-write', random),
      zombie('sink-transfer-view.before-write', random),
    ],
  },
];
