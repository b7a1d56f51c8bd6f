// What will be done to a run, and when: made from the profile and the seed alone, before anything starts.

import { WEBHOOK_FAILPOINTS } from '../../ports/webhook-failpoints.ts';
import { FAILPOINTS } from '../../runtime/failpoints.ts';
import { type Random, seeded } from '../../samples/random.ts';
import { describeMember, type MemberFault, memberFaults } from './members/members.ts';
import type { Profile } from './profile.ts';
import type { Refusal } from './refusing-redis.ts';
import { API_SLOT, type NetworkTarget, type ServerTarget, SLOTS, type SlotName } from './targets.ts';

export type Fault =
  /** kill -9, at a failpoint's nth pass from now, or (without one, or when it does not come by) wherever it is. */
  | { readonly kind: 'kill'; readonly slot: SlotName; readonly failpoint?: string; readonly nth?: number }
  | {
      readonly kind: 'zombie';
      readonly slot: SlotName;
      readonly forMs: number;
      readonly failpoint?: string;
      readonly nth?: number;
    }
  | { readonly kind: 'server-kill'; readonly server: ServerTarget; readonly downMs: number }
  | { readonly kind: 'redis-wipe' }
  /** It answers, and refuses every write. */
  | {
      readonly kind: 'redis-refusal';
      readonly target: 'redisLimits' | 'redisQueue';
      readonly how: Refusal;
      readonly forMs: number;
    }
  | { readonly kind: 'provider-kill'; readonly downMs: number }
  | {
      readonly kind: 'network';
      readonly target: NetworkTarget;
      readonly how: 'latency' | 'cut' | 'half-open';
      readonly forMs: number;
      readonly ms?: number;
      readonly hole?: 'both' | 'to-server' | 'to-client';
      /** Share of the connections that are hit. */
      readonly share: number;
    }
  | MemberFault;

export type Step =
  /** Publish so many records, evenly over the time. */
  | { readonly atMs: number; readonly feed: number; readonly overMs: number }
  | { readonly atMs: number; readonly id: string; readonly fault: Fault };

export interface Schedule {
  readonly seed: number;
  readonly profile: string;
  readonly steps: readonly Step[];
}

/** Records of a step are published over this long, and its fault comes somewhere in that time. */
const BURST_MS = 2_500;
/** Beyond the session timeout of the run (3 s), so that the partitions have gone to somebody else. */
const ZOMBIE_MS = [5_000, 12_000] as const;
/** Beyond the lease of a payout (20 s). */
const PAYOUT_ZOMBIE_MS = [22_000, 26_000] as const;

/** Failpoints that only the back of the pipeline passes. */
export const isBack = (failpoint: string): boolean => /^(payout\.|payout-executor|sink-|alo\.)/.test(failpoint);

/** Where a process that wakes up late does the most harm. */
const ZOMBIE_FAILPOINTS = [
  'eos.before-send',
  'sink-transfer-view.before-write',
  'payout.after-cas-submitting',
  'eos.after-send',
  'limits.after-ledger',
  'intent-claims.after-insert',
  'payout.after-submit',
  'eos.after-send-offsets',
  'settlement-claims.after-insert',
  'payout-executor.before-write',
  'alo.before-commit',
] as const;

/** Failpoints of rare events: a process armed with one of them would mostly die of old age. */
const RARE =
  /hold-claim|after-cancel|after-attempt-claimed|lease-given-up|after-replace|after-fence|before-claim$|-accepted$|sink-cases|screening.after-prepare/;

/** The same arguments give the same schedule. `records`: how many will be fed; `more`: faults beside those of the profile. */
export function makeSchedule(
  profile: Profile,
  seed: number,
  records: number,
  more: (random: Random) => readonly Fault[] = () => [],
): Schedule {
  const random = seeded(seed);
  const faults = [...faultsOf(profile, random), ...more(random)];
  shuffle(faults, random);
  // Payouts whose worker is gone are given up after a lease: the first kills leave time to see it.
  // So does what takes long: it is not to hold up the end.
  const isLong = ({ kind }: Fault) => kind === 'late-schema';
  const ordered = [leavesLease(random), ...faults.filter(isLong), ...faults.filter((fault) => !isLong(fault))];
  // Once more: the first may meet a broker that is away.
  ordered.splice(Math.floor(ordered.length / 3), 0, leavesLease(random));
  const gap = profile.faultsMs / ordered.length;
  const steps: Step[] = [];
  const atOnce = Math.ceil(records / ordered.length);
  for (const [index, fault] of ordered.entries()) {
    const atMs = Math.round(index * gap);
    steps.push({ atMs, feed: Math.min(atOnce, records - index * atOnce), overMs: BURST_MS });
    const offset = 200 + random.below(BURST_MS - 500);
    steps.push({ atMs: atMs + offset, id: `f${String(index + 1).padStart(3, '0')}`, fault });
  }
  const useful = steps.filter((step) => !('feed' in step) || step.feed > 0);
  return { seed, profile: profile.name, steps: useful };
}

/** A kill that leaves a payout between its compare-and-set and its submit. */
function leavesLease(random: Random): Fault {
  return { kind: 'kill', slot: back(random), failpoint: 'payout.after-cas-submitting', nth: 1 + random.below(4) };
}

const back = (random: Random): SlotName => random.pick(['back-1', 'back-2'] as const);
const chain = (random: Random): SlotName => random.pick(['chain-1', 'chain-2'] as const);
const between = (random: Random, [low, high]: readonly [number, number]) => low + random.below(high - low);

/** One that answers 410 is in no run: it would be told nothing any more. */
const SENDING = WEBHOOK_FAILPOINTS.filter((name) => name !== 'webhooks.after-disable');

function faultsOf(profile: Profile, random: Random): Fault[] {
  const times = <T>(count: number, make: (index: number) => T) => Array.from({ length: count }, (_, i) => make(i));
  const killable = FAILPOINTS.filter((name) => !RARE.test(name));
  shuffle(killable, random);
  const zombieAt = random.below(2) === 0 ? [...ZOMBIE_FAILPOINTS] : [...ZOMBIE_FAILPOINTS].reverse();
  const server = (name: ServerTarget, low: number, high: number): Fault => {
    return { kind: 'server-kill', server: name, downMs: between(random, [low, high]) };
  };
  return [
    ...times(profile.kills, (): Fault => ({ kind: 'kill', slot: random.pick(SLOTS) })),
    ...times(profile.apiKills, (): Fault => ({ kind: 'kill', slot: API_SLOT })),
    ...times(Math.max(0, profile.killsAtFailpoints - 2), (index): Fault => {
      const failpoint = killable[index % killable.length]!;
      const slot = isBack(failpoint) ? back(random) : chain(random);
      return { kind: 'kill', slot, failpoint, nth: 1 + random.below(4) };
    }),
    ...times(profile.zombies, (): Fault => {
      return { kind: 'zombie', slot: random.pick(SLOTS), forMs: between(random, ZOMBIE_MS) };
    }),
    ...times(profile.zombiesAtFailpoints, (index) => zombie(zombieAt[index % zombieAt.length]!, random)),
    ...times(profile.brokerRestarts, (index) => {
      const broker = profile.brokers === 1 ? 1 : (((index % 3) + 1) as 1 | 2 | 3);
      return server(`kafka-${broker}`, 500, 5_000);
    }),
    ...times(profile.mongoKills, () => server('mongo', 500, 5_000)),
    ...times(profile.redisLimitsKills, () => server('redisLimits', 200, 5_000)),
    ...times(profile.redisQueueKills, () => server('redisQueue', 200, 8_000)),
    ...times(profile.redisWipes, (): Fault => ({ kind: 'redis-wipe' })),
    ...times(profile.redisRefusals, (index): Fault => {
      const how = index % 2 === 0 ? 'oom' : 'readonly';
      // Mostly that of the limits, where money waits for it.
      const target = index % 3 === 2 ? 'redisQueue' : 'redisLimits';
      return { kind: 'redis-refusal', target, how, forMs: between(random, [2_000, 10_000]) };
    }),
    ...times(profile.registryKills, () => server('registry', 1_000, 8_000)),
    ...times(profile.providerKills, (): Fault => ({ kind: 'provider-kill', downMs: between(random, [500, 6_000]) })),
    ...times(profile.networkFaults, (index) => network(index, random)),
    ...memberFaults(profile, random),
    ...times(profile.webhookKills, (index): Fault => {
      return {
        kind: 'kill',
        slot: back(random),
        failpoint: SENDING[index % SENDING.length]!,
        nth: 1 + random.below(20),
      };
    }),
  ];
}

/** A process that is held at a failpoint and wakes up when others have taken over. */
export function zombie(failpoint: string, random: Random): Fault {
  const slot = isBack(failpoint) ? back(random) : chain(random);
  const forMs = between(random, failpoint.startsWith('payout.') ? PAYOUT_ZOMBIE_MS : ZOMBIE_MS);
  return { kind: 'zombie', slot, forMs, failpoint, nth: 1 + random.below(3) };
}

/** Mostly between the pipeline and Kafka, in turn of every kind. */
const NETWORK_TARGETS: readonly NetworkTarget[] = [
  'kafka',
  'mongo',
  'kafka',
  'provider',
  'redisLimits',
  'kafka',
  'redisQueue',
  'mongo',
  'kafka',
  'registry',
];

function network(index: number, random: Random): Fault {
  const target = NETWORK_TARGETS[index % NETWORK_TARGETS.length]!;
  const how = (['latency', 'cut', 'half-open'] as const)[random.below(3)]!;
  const common = { kind: 'network', target, how } as const;
  const share = random.pick([1, 0.5, 0.5, 0.25]);
  if (how === 'latency')
    return { ...common, forMs: between(random, [3_000, 9_000]), ms: between(random, [50, 900]), share: 1 };
  if (how === 'cut') return { ...common, forMs: between(random, [200, 5_000]), share };
  return {
    ...common,
    forMs: between(random, [2_000, 11_000]),
    hole: random.pick(['both', 'to-server', 'to-client']),
    share,
  };
}

function shuffle<T>(items: T[], random: Random): void {
  for (let i = items.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [items[i], items[j]] = [items[j]!, items[i]!];
  }
}

/** One line for a person. */
export function describe(fault: Fault): string {
  switch (fault.kind) {
    case 'kill':
      return `kill -9 ${fault.slot}${fault.failpoint ? ` at ${fault.failpoint} (time ${fault.nth})` : ''}`;
    case 'zombie':
      return `stop ${fault.slot} for ${seconds(fault.forMs)}${fault.failpoint ? ` at ${fault.failpoint} (time ${fault.nth})` : ''}`;
    case 'server-kill':
      return `kill -9 ${fault.server}, back after ${seconds(fault.downMs)}`;
    case 'redis-wipe':
      return 'wipe the Redis of the limits';
    case 'redis-refusal':
      return `${fault.target} refuses writes (${fault.how}) for ${seconds(fault.forMs)}`;
    case 'provider-kill':
      return `kill -9 the provider, back after ${seconds(fault.downMs)}`;
    case 'network': {
      const hole = fault.hole ? ` (${fault.hole})` : '';
      const ms = fault.ms ? ` ${fault.ms} ms` : '';
      return `network to ${fault.target}: ${fault.how}${ms}${hole} for ${seconds(fault.forMs)}, ${fault.share * 100} % of connections`;
    }
    default:
      return describeMember(fault);
  }
}

const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;
