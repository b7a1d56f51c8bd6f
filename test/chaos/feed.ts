// What a run is fed: sample transfers with many repeats and malformed records, some of them out of order, and holds that
// an operator decides. Every record carries the end that it must come to.
import { createHash } from 'node:crypto';
import type { FedRecord } from '../../samples/fed-record.ts';
import { goodIntent } from '../../samples/intents.ts';
import { type Random, seeded } from '../../samples/random.ts';
import { type Mix, sampleFeed } from '../../samples/sample.ts';
import type { TransferRequested } from '../../schemas/types.generated.ts';
import { CASE_TAMPERINGS, type CaseTampering, isTampering } from './members/tampered-cases.ts';
import type { Profile } from './profile.ts';

export interface ChaosFeedOptions {
  readonly profile: Profile;
  readonly seed: number;
  readonly runId: string;
  readonly now: () => number;
  readonly listedNames: readonly string[];
  readonly encode: (intent: TransferRequested) => Buffer;
}

export interface ChaosRecord extends FedRecord {
  /** It comes later than its turn, after up to hundreds of others. */
  readonly late: boolean;
}

/** Transfers above the daily amount that a person looks at, per mille of the records. */
const REVIEWED = 10;
const OTHERS = { otherPayload: 8, overLimit: 15, held: 15, providerFails: 25, returned: 12, paidAfterPolls: 10 };
/** A late record lets so many others pass, at least and at most. */
const LATE_BY = [20, 300] as const;

/** Above the amount at which a person looks, below the one at which the transfer is declined; minor units. */
const REVIEW_MINOR: Readonly<Record<string, bigint>> = {
  GBP: 850_000n,
  EUR: 1_000_000n,
  USD: 1_000_000n,
  AED: 3_800_000n,
  INR: 85_000_000n,
};

/** How many records hold so many transfers. */
export function recordsFor({ transfers, duplicates, malformed }: Profile): number {
  return Math.ceil(transfers * (1 + (duplicates + malformed + OTHERS.otherPayload) / 1_000));
}

/** What becomes of a held transfer: what the operator of this run does with it, or somebody who has the database. */
export type Decision = 'APPROVE' | 'REJECT' | 'LEAVE' | CaseTampering;
const DECISIONS: readonly Decision[] = [
  ...['APPROVE', 'REJECT', 'LEAVE', 'APPROVE', 'REJECT', 'LEAVE', 'APPROVE', 'REJECT'],
  ...CASE_TAMPERINGS,
] as Decision[];
export function decisionOf(transferId: string): Decision {
  const draw = createHash('sha256').update(`decision ${transferId}`).digest().readUInt32BE();
  return DECISIONS[draw % DECISIONS.length]!;
}

/** Yields `recordsFor(profile)` records; the same options give the same. */
export function* chaosFeed(options: ChaosFeedOptions): Generator<ChaosRecord> {
  const random = seeded(options.seed ^ 0x5eed);
  const lateShare = options.profile.outOfOrder / (1_000 * (recordsFor(options.profile) / options.profile.transfers));
  const late: { record: FedRecord; after: number }[] = [];
  let left = recordsFor(options.profile);
  for (const record of inOrder(options, random)) {
    if (left-- === 0) break;
    for (const one of late) one.after--;
    const due = late.filter(({ after }) => after <= 0);
    for (const one of due) {
      late.splice(late.indexOf(one), 1);
      yield { ...one.record, late: true };
    }
    // The first payload of an id is the one that counts: another must not overtake one that is late.
    const before =
      record.kind === 'other-payload' ? late.find((one) => one.record.account === record.account) : undefined;
    if (before) {
      late.push({ record, after: before.after });
      continue;
    }
    if (random.next() < lateShare) {
      late.push({ record, after: LATE_BY[0] + random.below(LATE_BY[1] - LATE_BY[0]) });
      continue;
    }
    yield { ...record, late: false };
  }
  for (const { record } of late) yield { ...record, late: true };
}

function* inOrder(options: ChaosFeedOptions, random: Random): Generator<FedRecord> {
  const { seed, runId, listedNames, encode } = options;
  const samples = sampleFeed({
    count: Number.MAX_SAFE_INTEGER,
    seed,
    runId,
    // Asked for each record: a run lasts too long for one time of all.
    get now() {
      return options.now();
    },
    listedNames,
    encode,
    mix: mixOf(options.profile),
  });
  for (const sample of samples) {
    if (random.below(1_000) < REVIEWED) yield reviewed(options, random);
    yield sample.expected === 'HELD' ? { ...sample, expected: endOf(decisionOf(sample.account)) } : sample;
  }
}

function reviewed({ runId, seed, encode, now }: ChaosFeedOptions, random: Random): FedRecord {
  const id = (what: string) => {
    const hex = createHash('sha256')
      .update(`${runId}/${seed}/${what}/${random.below(2 ** 31)}`)
      .digest('hex');
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
  };
  const ids = { transferId: id('transfer'), customerId: id('customer'), beneficiaryId: id('beneficiary') };
  const intent = goodIntent(random, ids, now());
  const minor = REVIEW_MINOR[intent.sourceCurrency]!;
  const value = encode({ ...intent, instructedAmount: { ...intent.instructedAmount, minor } });
  const { transferId } = ids;
  return {
    key: transferId,
    value,
    account: transferId,
    expected: endOf(decisionOf(transferId)),
    kind: 'over-review-limit',
  };
}

function endOf(decision: Decision) {
  if (isTampering(decision)) return 'HELD';
  return ({ APPROVE: 'COMPLETED', REJECT: 'REJECTED', LEAVE: 'HELD' } as const)[decision];
}

/** Shares of the records, which are more than the transfers. */
function mixOf(profile: Profile): Mix {
  const perRecord = profile.transfers / recordsFor(profile);
  const duplicate = Math.round(profile.duplicates * perRecord);
  const malformed = Math.round(profile.malformed * perRecord);
  const undecodable = Math.round(malformed * 0.45);
  return { ...OTHERS, duplicate, undecodable, invalid: malformed - undecodable };
}

/** Kinds that are malformed: intake refuses them, or cannot read them. */
export const isMalformed = ({ expected, kind }: FedRecord): boolean =>
  expected === 'UNDECODABLE' || (expected === 'INTENT_REJECTED' && kind !== 'other-payload');
