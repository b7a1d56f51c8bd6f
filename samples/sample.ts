// The sample feed: a mix of good, rejected, held, failing, repeated and broken inputs, each with its expected end.
import { v5 as uuidv5 } from 'uuid';
import type { TransferRequested } from '../schemas/types.generated.ts';
import type { End, FedRecord } from './fed-record.ts';
import {
  goodIntent,
  INVALID_INTENTS,
  listedSender,
  listedUltimateCreditor,
  overDailyLimit,
  withIntermediaries,
  withOtherPayload,
} from './intents.ts';
import { type Random, seeded } from './random.ts';
import { UNDECODABLE } from './undecodable.ts';

const NAMESPACE = 'b1c5b2b4-0a0c-5d70-9a36-64f2b1a4a7ce';

/** Shares of the inputs in per mille; what remains is good and completes. */
export const DEFAULT_MIX = {
  invalid: 22,
  undecodable: 16,
  duplicate: 20,
  otherPayload: 10,
  overLimit: 20,
  held: 20,
  providerFails: 25,
  returned: 10,
  paidAfterPolls: 10,
} as const;
export type Mix = { readonly [K in keyof typeof DEFAULT_MIX]: number };

export interface SampleOptions {
  /** How many input records, all kinds together. */
  readonly count: number;
  /** The same seed and run give the same records. */
  readonly seed: number;
  /** Makes transfer and customer ids unique to this run. */
  readonly runId: string;
  /** Time of the intents, ms. */
  readonly now: number;
  /** Names on the active sanctions list, for held transfers. At least one. */
  readonly listedNames: readonly string[];
  readonly encode: (intent: TransferRequested) => Buffer;
  readonly mix?: Mix;
}

const FAILING_ENDINGS = ['990101', '990104', '990106', '990201', '990204'];
const RETURNED_ENDINGS = ['990304', '990306'];
const POLL_ENDINGS = ['990011', '990012', '990013'];

/** Every kind of input that a feed can hold, in a fixed order, so that a long feed holds each of them. */
const INVALID_KINDS = Object.keys(INVALID_INTENTS);
const UNDECODABLE_KINDS = Object.keys(UNDECODABLE);

/** Yields `count` records in order. A repeated id comes after the record that it repeats, under the same key. */
export function* sampleFeed(options: SampleOptions): Generator<FedRecord> {
  const random = seeded(options.seed);
  const mix = options.mix ?? DEFAULT_MIX;
  const turns = { invalid: 0, undecodable: 0 };
  let earlier: TransferRequested | undefined;
  for (let index = 0; index < options.count; index++) {
    const draw = random.below(1_000);
    const category = earlier === undefined ? undefined : categoryOf(mix, draw);
    const id = (what: string) => uuidv5(`${options.runId}/${options.seed}/${index}/${what}`, NAMESPACE);
    const ids = { transferId: id('transfer'), customerId: id('customer'), beneficiaryId: id('beneficiary') };
    const make = (ending?: string) => goodIntent(random, ids, options.now, ending);
    const decodable = (intent: TransferRequested, expected: End, kind: string): FedRecord => ({
      key: intent.transferId,
      value: options.encode(intent),
      account: intent.transferId,
      expected,
      kind,
    });
    if (category === 'duplicate') {
      yield decodable(earlier!, 'DUPLICATE', 'duplicate');
      continue;
    }
    if (category === 'otherPayload') {
      yield decodable(withOtherPayload(earlier!, random), 'INTENT_REJECTED', 'other-payload');
      continue;
    }
    if (category === 'invalid') {
      const kind = INVALID_KINDS[turns.invalid++ % INVALID_KINDS.length]!;
      yield decodable(INVALID_INTENTS[kind]!(make(), random), 'INTENT_REJECTED', kind);
      continue;
    }
    if (category === 'undecodable') {
      const kind = UNDECODABLE_KINDS[turns.undecodable++ % UNDECODABLE_KINDS.length]!;
      const value = UNDECODABLE[kind]!(options.encode(make()), random);
      yield { key: ids.transferId, value, account: ids.transferId, expected: 'UNDECODABLE', kind };
      continue;
    }
    // Of its own: that some have intermediaries changes nothing of the rest.
    const aside = seeded(options.seed + index);
    const [intent, expected, kind] = decided(category, make, { random, aside }, options.listedNames);
    earlier = intent;
    yield decodable(intent, expected, kind);
  }
}

function categoryOf(mix: Mix, draw: number): keyof Mix | undefined {
  let bound = 0;
  for (const [category, share] of Object.entries(mix)) {
    bound += share;
    if (draw < bound) return category as keyof Mix;
  }
  return undefined;
}

/** Intents that become transfers. */
function decided(
  category: keyof Mix | undefined,
  make: (ending?: string) => TransferRequested,
  { random, aside }: { readonly random: Random; readonly aside: Random },
  listedNames: readonly string[],
): [TransferRequested, End, string] {
  if (category === 'overLimit') return [overDailyLimit(make()), 'REJECTED', 'over-daily-limit'];
  if (category === 'held') {
    const name = random.pick(listedNames);
    if (aside.below(4) > 0) return [listedSender(make(), name), 'HELD', 'listed-sender'];
    return [listedUltimateCreditor(make(), aside, name), 'HELD', 'listed-ultimate-creditor'];
  }
  if (category === 'providerFails') return [make(random.pick(FAILING_ENDINGS)), 'REJECTED', 'provider-fails'];
  if (category === 'returned') return [make(random.pick(RETURNED_ENDINGS)), 'RETURNED', 'returned-after-payment'];
  if (category === 'paidAfterPolls') return [make(random.pick(POLL_ENDINGS)), 'COMPLETED', 'paid-after-polls'];
  if (aside.below(10) > 0) return [make(), 'COMPLETED', 'good'];
  return [withIntermediaries(make(), aside), 'COMPLETED', 'good-with-intermediaries'];
}
