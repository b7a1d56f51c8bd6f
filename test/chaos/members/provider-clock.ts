// Member: the provider tells a wrong time. It is hours ahead or behind, jumps, or runs backward.
//
// What must come of it: nothing is taken for expired by it, so nothing is sent again that may still be paid. Submits take
// effect late meanwhile, so that whoever believes the clock pays twice. The judge knows by the provider's own ledger; a case
// `PROVIDER_CLOCK` is explained by such a fault, and by nothing else.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../../../samples/random.ts';
import type { FaultPlanInput } from '../../../simulator/injected-faults.ts';
import type { Done } from '../injected.ts';
import { PROVIDER_FAULTS } from '../injected-provider-faults.ts';
import type { World } from '../world.ts';

export interface ClockFault {
  readonly kind: 'provider-clock';
  readonly how: 'ahead' | 'behind' | 'jumps' | 'backward';
  /** How wrong it is at first, ms. */
  readonly wrongByMs: number;
  readonly forMs: number;
}

const HOUR_MS = 3_600_000;
const HOWS = ['ahead', 'jumps', 'behind', 'backward'] as const;
const LOOK_EVERY_MS = 500;
/** Only what hangs is given up: a machine that is starved takes minutes for it. */
const MAX_LOOKS = 600;
/** Far beyond the timeout of a submit, so that it is asked about while it is still on its way. */
const LATE = { id: 'clock-submit-late', on: 'submit', kind: 'late', ms: 4_000, probability: 0.15 } as const;

/** In turn of every kind, the dangerous one first. */
export function clockFault(index: number, random: Random): ClockFault {
  const how = HOWS[index % HOWS.length]!;
  const wrongByMs = Math.round((1 + random.next() * 13) * HOUR_MS);
  return { kind: 'provider-clock', how, wrongByMs, forMs: 4_000 + random.below(6_000) };
}

/** The usual faults, and where none of them fires, a wrong clock. */
export function withWrongClock({ how, wrongByMs }: ClockFault): FaultPlanInput {
  const clock = {
    kind: 'clock',
    aheadMs: how === 'behind' ? -wrongByMs : wrongByMs,
    backward: how === 'backward',
    probability: how === 'jumps' ? 0.5 : 1,
  } as const;
  const rules = (['query', 'submit', 'cancel'] as const).map((on) => ({ ...clock, id: `clock-${on}`, on }));
  return { rules: [...(PROVIDER_FAULTS.rules ?? []), LATE, ...rules] };
}

export async function tellWrongTime(world: World, fault: ClockFault): Promise<Done> {
  await world.useProviderFaults(withWrongClock(fault));
  await sleep(fault.forMs);
  let answers = await answersOf(world);
  // Where nothing was asked meanwhile, until something is.
  for (let looks = 0; answers === 0 && looks < MAX_LOOKS; looks++) {
    await sleep(LOOK_EVERY_MS);
    answers = await answersOf(world);
  }
  await world.useProviderFaults(PROVIDER_FAULTS);
  const counts = answers > 0 ? ['providerClocks', `providerClock.${fault.how}`] : [];
  return { outcome: `${answers} answers bore it`, counts };
}

/** How many answers bore a wrong clock since the plan was set. */
async function answersOf(world: World): Promise<number> {
  const fired = await world.providerFaultsFired();
  return Object.entries(fired).reduce((sum, [rule, count]) => sum + (isOfClock(rule) ? count : 0), 0);
}

const isOfClock = (rule: string) => rule.startsWith('clock-') && rule !== LATE.id;
