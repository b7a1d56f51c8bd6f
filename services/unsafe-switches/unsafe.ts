// Guarantees that tests take away, one at a time, to prove that the crash harness would notice:
//
//   CORRIDOR_ENV=test CORRIDOR_UNSAFE_FOR_TESTS=1 CORRIDOR_UNSAFE=no-payout-cas corridor run
import type { UnsafeForTests } from '../../adapters/kafka/options.ts';
import { isAbsent } from '../../domain/seals/seal.ts';
import { refuseOutsideTrials } from '../../ports/environment.ts';
import { CodedError } from '../../ports/fault.ts';
import type { ReplayClaims } from '../../ports/replay-claims.ts';
import type { Rings } from '../../ports/seals.ts';
import type { QuoteStore } from '../../processors/fx-pricing/ports.ts';
import type { IntentClaims } from '../../processors/intake/ports.ts';

export const UNSAFE_SWITCHES = [
  /** Payout writes win whoever wrote before. */
  'no-payout-cas',
  /** The provider's clock alone says when an attempt is over (the provider fault `clock` of queries brings it to light). */
  'no-own-clock',
  /** Projections are replaced whatever their sequence. */
  'no-sequence-guard',
  /** Offsets are committed after the transaction instead of inside it. */
  'offsets-outside-transaction',
  /** Every intent is the first of its id. */
  'no-intake-claim',
  /** Every replay of a dead letter is the first. */
  'no-replay-claim',
  /** Every transfer that names a quote is the first that does. */
  'no-quote-claim',
  /** A previous owner of a partition is neither fenced nor stopped by the group. */
  'no-fencing',
  /** A topic that is deleted and made again counts as the one before it, and nobody looks how far its stage had come. */
  'topics-by-name',
  /** Stages, executor, sinks, tables and relays act on records, holds, decisions and payouts that nobody sealed. */
  'no-seal-checks',
] as const;
export type UnsafeSwitch = (typeof UNSAFE_SWITCHES)[number];

/**
 * The switches set in CORRIDOR_UNSAFE (comma-separated).
 * @throws CodedError UNSAFE_REFUSED unless CORRIDOR_ENV is development or test and CORRIDOR_UNSAFE_FOR_TESTS is 1,
 *   UNSAFE_UNKNOWN for an unknown name
 */
export function unsafeSwitches(env: NodeJS.ProcessEnv = process.env): ReadonlySet<UnsafeSwitch> {
  const names = (env['CORRIDOR_UNSAFE'] ?? '').split(',').filter((name) => name !== '');
  const known = names.map((name) => {
    const found = UNSAFE_SWITCHES.find((candidate) => candidate === name);
    if (found) return found;
    const message = `there is no unsafe switch "${name}"; there are: ${UNSAFE_SWITCHES.join(', ')}`;
    throw new CodedError('UNSAFE_UNKNOWN', message, { faultClass: 'fatal' });
  });
  if (known.length > 0) refuseOutsideTrials(env, 'CORRIDOR_UNSAFE');
  if (known.length > 0 && env['CORRIDOR_UNSAFE_FOR_TESTS'] !== '1') {
    const message = 'CORRIDOR_UNSAFE takes guarantees away and is for tests only: unset it';
    throw new CodedError('UNSAFE_REFUSED', message, { faultClass: 'fatal' });
  }
  return new Set(known);
}

/** What the Kafka adapter is to leave out. */
export function unsafeKafka(switches: ReadonlySet<UnsafeSwitch>): UnsafeForTests {
  return {
    offsetsOutsideTransaction: switches.has('offsets-outside-transaction'),
    noFencing: switches.has('no-fencing'),
    topicsByName: switches.has('topics-by-name'),
  };
}

/** The keys of a process; without checks, they seal as ever, and believe everybody. */
export function keysUnder<K extends Rings>(switches: ReadonlySet<UnsafeSwitch>, keys: K): K {
  if (!switches.has('no-seal-checks')) return keys;
  const believing = Object.entries(keys).map(([issuer, ring]) => [
    issuer,
    ring && !isAbsent(ring) ? { ...ring, believesAll: true } : ring,
  ]);
  return Object.fromEntries(believing) as K;
}

/** Claims that are made, and granted whoever made them before. */
export function unguardedClaims(claims: IntentClaims): IntentClaims {
  return {
    claim: async (asked) => {
      await claims.claim(asked);
      return asked;
    },
    find: async () => [],
  };
}

/** The same for replays. */
export function unguardedReplays(claims: ReplayClaims): ReplayClaims {
  return {
    claim: async (asked) => {
      await claims.claim(asked);
      return asked;
    },
  };
}

/** The same for quotes. */
export function unguardedQuotes(store: QuoteStore): QuoteStore {
  return {
    find: async (quoteIds) => ({ ...(await store.find(quoteIds)), claims: [] }),
    claim: async (asked) => {
      await store.claim(asked);
      return asked;
    },
  };
}
