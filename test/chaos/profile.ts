// How much of everything a run has. Counts of faults are what is scheduled; the report says what was reached.
export interface Profile {
  readonly name: string;
  /** Transfers (inputs that become transfers); repeats and malformed records come on top. */
  readonly transfers: number;
  /** In per mille of the transfers. */
  readonly duplicates: number;
  readonly outOfOrder: number;
  readonly malformed: number;
  /** While this long the faults are spread, ms. */
  readonly faultsMs: number;
  /** kill -9 of pipeline processes at random moments, and at failpoints between two side effects. */
  readonly kills: number;
  readonly killsAtFailpoints: number;
  /** Processes held (SIGSTOP) for longer than the session timeout, at random and at failpoints. */
  readonly zombies: number;
  readonly zombiesAtFailpoints: number;
  readonly brokerRestarts: number;
  readonly mongoKills: number;
  readonly redisLimitsKills: number;
  readonly redisQueueKills: number;
  readonly redisWipes: number;
  readonly registryKills: number;
  readonly providerKills: number;
  readonly networkFaults: number;
  /** The longest the drain may go without anything moving, ms. */
  readonly quietMs: number;
  /** Findings are checked against a lower bound on these (the report says which were missed). */
  readonly brokers: 1 | 3;
}

const full: Profile = {
  name: 'full',
  transfers: 20_000,
  duplicates: 105,
  outOfOrder: 55,
  malformed: 108,
  faultsMs: 22 * 60_000,
  kills: 26,
  killsAtFailpoints: 26,
  zombies: 2,
  zombiesAtFailpoints: 4,
  brokerRestarts: 5,
  mongoKills: 2,
  redisLimitsKills: 2,
  redisQueueKills: 1,
  redisWipes: 1,
  registryKills: 1,
  providerKills: 2,
  networkFaults: 22,
  quietMs: 120_000,
  brokers: 1,
};

export const PROFILES = {
  /** A development loop; proves little. */
  smoke: {
    ...full,
    name: 'smoke',
    transfers: 400,
    faultsMs: 45_000,
    kills: 1,
    killsAtFailpoints: 2,
    zombies: 0,
    zombiesAtFailpoints: 1,
    brokerRestarts: 1,
    mongoKills: 1,
    redisLimitsKills: 1,
    redisQueueKills: 0,
    redisWipes: 1,
    registryKills: 0,
    providerKills: 0,
    networkFaults: 2,
  },
  ci: {
    ...full,
    name: 'ci',
    transfers: 2_000,
    faultsMs: 150_000,
    kills: 4,
    killsAtFailpoints: 5,
    zombies: 1,
    zombiesAtFailpoints: 1,
    brokerRestarts: 1,
    mongoKills: 1,
    redisLimitsKills: 1,
    redisQueueKills: 1,
    redisWipes: 1,
    registryKills: 0,
    providerKills: 1,
    networkFaults: 5,
  },
  full,
  soak: {
    ...full,
    name: 'soak',
    transfers: 80_000,
    faultsMs: 60 * 60_000,
    kills: 80,
    killsAtFailpoints: 80,
    zombies: 5,
    zombiesAtFailpoints: 11,
    brokerRestarts: 14,
    mongoKills: 6,
    redisLimitsKills: 6,
    redisQueueKills: 3,
    redisWipes: 2,
    registryKills: 2,
    providerKills: 5,
    networkFaults: 50,
  },
} as const satisfies Record<string, Profile>;

export type ProfileName = keyof typeof PROFILES;
