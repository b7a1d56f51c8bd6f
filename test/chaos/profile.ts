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
  /** kill -9 of the API while people work with it. */
  readonly apiKills: number;
  /** kill -9 between two side effects of the sender of webhooks. */
  readonly webhookKills: number;
  /** Processes held (SIGSTOP) for longer than the session timeout, at random and at failpoints. */
  readonly zombies: number;
  readonly zombiesAtFailpoints: number;
  readonly brokerRestarts: number;
  readonly mongoKills: number;
  readonly redisLimitsKills: number;
  readonly redisQueueKills: number;
  readonly redisWipes: number;
  /** Times that a Redis answers and refuses every write: out of memory and read-only in turn. */
  readonly redisRefusals: number;
  readonly registryKills: number;
  readonly providerKills: number;
  readonly networkFaults: number;
  /** Times that the provider tells a wrong time. */
  readonly providerClocks: number;
  /** Salvos of forged records, one to every topic that something acts on. */
  readonly forgeries: number;
  /** Times that payouts under way are changed in the database. */
  readonly payoutTamperings: number;
  /** Times that the Redis of the limits tells what no stage has written. */
  readonly limitsTamperings: number;
  /** Batches that unpack to far more than any may. */
  readonly bombs: number;
  /** Times that one or two of the three sources of rates fail. */
  readonly ratesFaults: number;
  /** Intents that come before their schema, and are replayed: half of them over HTTP. */
  readonly lateIntents: number;
  /** Records that are fed before the topic of intents is made again, which comes before all faults. */
  readonly beforeRemade: number;
  /** The longest the drain may go without anything moving, ms. */
  readonly quietMs: number;
  readonly brokers: 1 | 3;
  /** Whether the run is long enough that every failpoint must have been passed; a shorter one only reports how many. */
  readonly allFailpoints: boolean;
  /** What a run must really have been fed and have suffered (names of the report): with less, it proves less than it says. */
  readonly least: Readonly<Record<string, number>>;
}

const full: Profile = {
  name: 'full',
  transfers: 20_200,
  duplicates: 105,
  outOfOrder: 55,
  malformed: 108,
  faultsMs: 22 * 60_000,
  kills: 26,
  killsAtFailpoints: 26,
  apiKills: 8,
  webhookKills: 6,
  zombies: 2,
  zombiesAtFailpoints: 4,
  brokerRestarts: 5,
  mongoKills: 2,
  redisLimitsKills: 2,
  redisQueueKills: 1,
  redisWipes: 1,
  redisRefusals: 4,
  registryKills: 1,
  providerKills: 2,
  // More than is promised: some meet no connection, and count for nothing.
  networkFaults: 27,
  providerClocks: 12,
  forgeries: 24,
  payoutTamperings: 9,
  limitsTamperings: 3,
  bombs: 8,
  ratesFaults: 12,
  lateIntents: 40,
  beforeRemade: 1_000,
  quietMs: 120_000,
  brokers: 1,
  allFailpoints: true,
  least: {
    transfers: 20_000,
    duplicates: 2_000,
    outOfOrder: 1_000,
    malformed: 2_000,
    malformedKinds: 25,
    kills: 50,
    brokerRestarts: 5,
    mongoKills: 2,
    redisKills: 2,
    redisWipes: 1,
    redisRefusals: 3,
    zombies: 5,
    networkFaults: 20,
    foreign: 4_000,
    providerClocks: 6,
    forgeries: 200,
    casesTampered: 100,
    payoutsTampered: 6,
    limitsTampered: 1,
    bombs: 5,
    ratesFaults: 6,
    replays: 20,
    replaysOverHttp: 20,
    casesOverHttp: 200,
    apiKills: 4,
    batchesDamaged: 4,
    sentAgain: 40,
    quotesUsed: 100,
    quotesUsedTwice: 60,
    quotesRefused: 40,
    rowsExported: 1,
  },
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
    apiKills: 1,
    webhookKills: 2,
    zombies: 0,
    zombiesAtFailpoints: 1,
    brokerRestarts: 1,
    mongoKills: 1,
    redisLimitsKills: 1,
    redisQueueKills: 0,
    redisWipes: 1,
    redisRefusals: 1,
    registryKills: 0,
    providerKills: 0,
    networkFaults: 2,
    providerClocks: 1,
    forgeries: 3,
    payoutTamperings: 1,
    limitsTamperings: 1,
    bombs: 1,
    ratesFaults: 1,
    lateIntents: 4,
    beforeRemade: 120,
    allFailpoints: false,
    least: {},
  },
  ci: {
    ...full,
    name: 'ci',
    transfers: 2_000,
    faultsMs: 150_000,
    kills: 4,
    killsAtFailpoints: 5,
    apiKills: 2,
    webhookKills: 2,
    zombies: 1,
    zombiesAtFailpoints: 1,
    brokerRestarts: 1,
    mongoKills: 1,
    redisLimitsKills: 1,
    redisQueueKills: 1,
    redisWipes: 1,
    redisRefusals: 2,
    registryKills: 0,
    providerKills: 1,
    networkFaults: 7,
    providerClocks: 2,
    forgeries: 6,
    payoutTamperings: 2,
    limitsTamperings: 1,
    bombs: 2,
    ratesFaults: 3,
    lateIntents: 8,
    beforeRemade: 300,
    least: {
      transfers: 1_900,
      duplicates: 190,
      outOfOrder: 90,
      malformed: 190,
      malformedKinds: 25,
      kills: 8,
      brokerRestarts: 1,
      mongoKills: 1,
      redisKills: 2,
      redisWipes: 1,
      zombies: 1,
      networkFaults: 4,
      redisRefusals: 1,
      foreign: 300,
      providerClocks: 1,
      forgeries: 30,
      casesTampered: 5,
      bombs: 1,
      ratesFaults: 2,
      replays: 4,
      replaysOverHttp: 4,
      casesOverHttp: 10,
      apiKills: 1,
      batchesDamaged: 4,
      sentAgain: 40,
      quotesUsed: 10,
      quotesUsedTwice: 5,
      quotesRefused: 4,
      rowsExported: 1,
    },
  },
  full,
  soak: {
    ...full,
    name: 'soak',
    transfers: 80_000,
    faultsMs: 60 * 60_000,
    kills: 80,
    killsAtFailpoints: 80,
    apiKills: 20,
    webhookKills: 12,
    zombies: 5,
    zombiesAtFailpoints: 11,
    brokerRestarts: 14,
    mongoKills: 6,
    redisLimitsKills: 6,
    redisQueueKills: 3,
    redisWipes: 2,
    redisRefusals: 12,
    registryKills: 2,
    providerKills: 5,
    networkFaults: 50,
    providerClocks: 24,
    forgeries: 60,
    payoutTamperings: 16,
    limitsTamperings: 5,
    bombs: 16,
    ratesFaults: 24,
    lateIntents: 100,
    beforeRemade: 2_000,
    least: {
      transfers: 75_000,
      malformedKinds: 25,
      kills: 150,
      brokerRestarts: 12,
      mongoKills: 5,
      redisKills: 8,
      redisWipes: 2,
      zombies: 12,
      networkFaults: 45,
      foreign: 15_000,
      providerClocks: 18,
      forgeries: 500,
      casesTampered: 400,
      payoutsTampered: 16,
      limitsTampered: 2,
      bombs: 12,
      ratesFaults: 12,
      replays: 50,
      replaysOverHttp: 50,
      casesOverHttp: 800,
      apiKills: 10,
      batchesDamaged: 4,
      sentAgain: 40,
      quotesUsed: 300,
      quotesUsedTwice: 200,
      quotesRefused: 120,
    },
  },
} as const satisfies Record<string, Profile>;

export type ProfileName = keyof typeof PROFILES;
