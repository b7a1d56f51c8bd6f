// What the ledger holds against what the log says that it must hold: counters with their open reservations and members, the sums
// over rolling windows, and the records of transfers. Pure.
import { countsFrom, countsUntil, isCounted, rollingOf } from '../../domain/limits/windows.ts';
import type { LedgerCounter, LedgerRecord } from '../../processors/limits/ports.ts';
import type { LedgerEntry } from '../../processors/limits/rebuild.ts';

type Members = ReadonlyMap<string, number>;

/** A counter as it stands in Redis. */
export interface StoredCounter {
  /** `rule:subject:window` */
  readonly bucket: string;
  readonly used: bigint;
  readonly open: bigint;
  /** How many transfers count for each beneficiary, where these are counted. */
  readonly members: Members;
  /** It holds what no stage writes: a field that is no whole number, or a beneficiary for whom none counts. */
  readonly isOdd?: boolean;
}

/** What Redis keeps beside the counters of a rolling window. */
export interface StoredSum {
  /** `rule:subject:r3600x720.`: without the step. */
  readonly name: string;
  /** The first and the last step that are in the sum. */
  readonly lo: number;
  readonly hi: number;
  readonly sum: bigint;
  /** What each step holds that holds anything. */
  readonly steps: ReadonlyMap<number, bigint>;
  readonly members: Members;
  /** As of a counter. */
  readonly isOdd?: boolean;
}

/** The record of a transfer as it stands in Redis. */
export interface StoredRecord {
  readonly transferId: string;
  readonly state: LedgerRecord['state'] | 'refused' | 'unreadable';
  readonly attempt: number;
  readonly uses: readonly StoredUse[];
  /** What it answers bears a proof of a stage. */
  readonly isProven: boolean;
}

export interface StoredUse {
  /** `rule:subject:window` */
  readonly bucket: string;
  readonly minor: bigint;
  readonly member: string | null;
}

/**
 * `used`: minor units, transfers or beneficiaries of a counter. `open`: its open reservations. `members`: for how many transfers
 * its beneficiaries count. `sum`: what a rolling window holds over its steps. `transfers`: records of transfers. `form`: what no
 * stage writes, such as a field that is no number. `proof`: records that bear no proof of a stage.
 */
export type DriftKind = 'used' | 'open' | 'members' | 'sum' | 'transfers' | 'form' | 'proof';

/** One thing on which Redis and the log do not agree. */
export interface Drift {
  readonly ruleId: string;
  /** Id of the window; of a sum without the step. Of a record that counts nowhere rule and window are `-`. */
  readonly window: string;
  readonly what: DriftKind;
  /** When the first thing may have been taken that is counted there, ms since 1970; 0: at any time. */
  readonly from: number;
  readonly tooMany: bigint;
  readonly tooFew: bigint;
}

/** A rule and a window with what differs there. */
export interface DriftOf extends Omit<Drift, 'from'> {
  /** Counters, sums or records that differ. */
  readonly counters: number;
}

/** Whatever the stage is doing, it never writes this. */
export const isNeverRight = ({ what }: Drift): boolean => what === 'form' || what === 'proof';

export const bucketOf = ({ ruleId, subjectToken, window }: Pick<LedgerCounter, 'ruleId' | 'subjectToken' | 'window'>) =>
  `${ruleId}:${subjectToken}:${window}`;

/** Of a counter, or of a sum. Ids and tokens hold no colon. */
export const subjectOf = (name: string): string => name.split(':')[1] ?? '';

const ruleOf = (name: string): string => name.slice(0, name.indexOf(':'));
const windowOf = (name: string): string => name.slice(name.lastIndexOf(':') + 1);
const nameOf = (bucket: string): string => bucket.slice(0, bucket.lastIndexOf('.') + 1);

/** What the log says of windows that are not over. */
export interface Expected {
  /** By bucket. */
  readonly counters: Map<string, LedgerCounter>;
  /** Counters of steps that hold something, by the name of their sum. */
  readonly sums: Map<string, readonly LedgerCounter[]>;
  /** Of these windows. */
  readonly at: number;
}

/** @param at which windows are over, ms since 1970: Redis lets go of them, and so do snapshots */
export function expectedOf(counters: Iterable<LedgerCounter>, at: number): Expected {
  const open = new Map<string, LedgerCounter>();
  const sums = new Map<string, LedgerCounter[]>();
  for (const counter of counters) {
    if (countsUntil(counter.window) <= at) continue;
    const bucket = bucketOf(counter);
    open.set(bucket, counter);
    if (counter.usedMinor === 0n || rollingOf(counter.window) === undefined) continue;
    const known = sums.get(nameOf(bucket));
    if (known) known.push(counter);
    else sums.set(nameOf(bucket), [counter]);
  }
  return { counters: open, sums, at };
}

/** Whether what is counted there may have begun before the log does. @param since ms since 1970 */
export const beganBefore = (bucket: string, since: number): boolean => countsFrom(windowOf(bucket)) < since;

/** Whether a counter is of a window that is over. */
export const isOver = (bucket: string, at: number): boolean => countsUntil(windowOf(bucket)) <= at;

/** What differs of one counter. `held`: undefined, Redis has none. */
export function counterDrift(bucket: string, expected: Expected, held: StoredCounter | undefined): readonly Drift[] {
  if (isOver(bucket, expected.at)) return [];
  const logged = expected.counters.get(bucket);
  const place = { ruleId: ruleOf(bucket), window: windowOf(bucket), from: countsFrom(windowOf(bucket)) };
  return [
    odd(place, held),
    apart({ ...place, what: 'used' }, logged?.usedMinor ?? 0n, held?.used ?? 0n),
    apart({ ...place, what: 'open' }, BigInt(logged?.open ?? 0), held?.open ?? 0n),
    eachApart({ ...place, what: 'members' }, wide(logged?.members), wide(held?.members)),
  ].filter(differs);
}

/** What differs of the sum of one rolling window. `held`: undefined, Redis has none. */
export function sumDrift(name: string, expected: Expected, held: StoredSum | undefined): readonly Drift[] {
  const place = { ruleId: ruleOf(name), window: windowOf(name).replace(/\.$/, ''), what: 'sum' as const, from: 0 };
  const logged = expected.sums.get(name) ?? [];
  if (held === undefined)
    return [
      apart(
        place,
        logged.reduce((sum, each) => sum + each.usedMinor, 0n),
        0n,
      ),
    ].filter(differs);
  const isAlive = (step: number) => countsUntil(`${windowOf(name)}${step}`) > expected.at;
  // All of it is over: it begins anew with whoever asks next.
  if (!isAlive(held.hi) && logged.length === 0) return [];
  const [steps, over] = partition([...held.steps], ([step]) => isAlive(step));
  // Steps before the first are let go of, and read one by one where something comes late.
  const within = logged.filter(({ window }) => rollingOf(window)!.step >= held.lo);
  const ofSteps = new Map(within.map((each) => [rollingOf(each.window)!.step, inStep(each)]));
  const members = membersOf(within);
  const isOfMembers = members.size > 0 || held.members.size > 0;
  // It is made from its own parts, and the parts are what the log says.
  const whole = isOfMembers
    ? BigInt(held.members.size)
    : [...held.steps.values()].reduce((sum, each) => sum + each, 0n);
  // A member that a step counts which is over cannot be told apart.
  const heldMembers = over.length === 0 ? held.members : atMost(held.members, members);
  const known = { ...place, from: countsFrom(`${windowOf(name)}${held.lo}`) };
  const all = [
    apart(known, whole, held.sum),
    eachApart(known, ofSteps, new Map(steps)),
    eachApart(known, wide(members), wide(heldMembers)),
  ];
  return [odd(known, held), ...all.filter(differs).slice(0, 1)].filter(differs);
}

/** What is of no form of ours, whatever it counts for. */
const odd = ({ ruleId, window }: Omit<Place, 'what'>, held: { readonly isOdd?: boolean } | undefined): Drift =>
  // No log that is too short explains it.
  ({ ruleId, window, what: 'form', from: Number.POSITIVE_INFINITY, tooMany: held?.isOdd ? 1n : 0n, tooFew: 0n });

/**
 * What differs of the record of a transfer: one that it does not know, it would reserve again; one that ends a transfer which the
 * log has not ended would stop it.
 * @param entry undefined: the log has no reservation of it
 * @param held undefined: Redis has no record
 */
export function recordDrift(
  entry: LedgerEntry | undefined,
  at: number,
  held: StoredRecord | undefined,
): readonly Drift[] {
  const logged = entry === undefined || entry.state === 'released' ? [] : usesOf(entry);
  const alive = (use: StoredUse) => countsUntil(windowOf(use.bucket)) > at;
  // The state of a transfer that counts nowhere any more is let go of.
  if (held === undefined) return logged.filter(alive).map((use) => recordOf(use, 'transfers', 'tooFew'));
  if (held.state === 'unreadable') return [recordOf(undefined, 'form', 'tooMany')];
  if (!held.isProven) return [recordOf(undefined, 'proof', 'tooMany')];
  const counted = held.state === 'released' || held.state === 'refused' ? [] : held.uses;
  if (entry === undefined || entry.state === 'released')
    return counted.filter(alive).map((use) => recordOf(use, 'transfers', 'tooMany'));
  const drift = usesApart(logged.filter(alive), counted.filter(alive));
  const isSame = held.state === entry.state && held.attempt === entry.attempt;
  if (drift.length > 0 || isSame) return drift;
  const [use] = logged.filter(alive);
  return use === undefined ? [] : [recordOf(use, 'transfers', 'tooFew'), recordOf(use, 'transfers', 'tooMany')];
}

const usesOf = ({ uses }: LedgerEntry): readonly StoredUse[] =>
  uses
    .filter(({ window }) => isCounted(window))
    .map((use) => ({ bucket: bucketOf(use), minor: use.reservedMinor, member: use.member }));

const NOWHERE = { ruleId: '-', window: '-' };

function recordOf(use: StoredUse | undefined, what: DriftKind, side: 'tooMany' | 'tooFew'): Drift {
  const none = { tooMany: 0n, tooFew: 0n, what };
  // A record of no form or without a proof is explained by no log that is too short.
  if (use === undefined) return { ...none, ...NOWHERE, from: Number.POSITIVE_INFINITY, [side]: 1n };
  const window = windowOf(use.bucket);
  return { ...none, ruleId: ruleOf(use.bucket), window, from: countsFrom(window), [side]: 1n };
}

function usesApart(logged: readonly StoredUse[], held: readonly StoredUse[]): readonly Drift[] {
  const nameOfUse = ({ bucket, minor, member }: StoredUse) => JSON.stringify([bucket, String(minor), member]);
  const [ofLog, ofRedis] = [new Set(logged.map(nameOfUse)), new Set(held.map(nameOfUse))];
  return [
    ...logged.filter((use) => !ofRedis.has(nameOfUse(use))).map((use) => recordOf(use, 'transfers', 'tooFew')),
    ...held.filter((use) => !ofLog.has(nameOfUse(use))).map((use) => recordOf(use, 'transfers', 'tooMany')),
  ];
}

/**
 * What may be because the log does not reach back: in windows that began before, Redis rightly holds more.
 * @param since ms since 1970 from which on the log is whole; null: it is
 */
export function withoutShort(
  drift: readonly Drift[],
  since: number | null,
): { readonly drift: readonly Drift[]; readonly isShort: boolean } {
  if (since === null) return { drift, isShort: false };
  let isShort = false;
  const kept = drift.map((each) => {
    if (each.from >= since || each.tooMany === 0n) return each;
    isShort = true;
    return { ...each, tooMany: 0n };
  });
  return { drift: kept.filter(differs), isShort };
}

export function byRuleAndWindow(drifts: Iterable<Drift>): readonly DriftOf[] {
  const sums = new Map<string, DriftOf>();
  for (const { from: _, ...each } of drifts) {
    const key = `${each.ruleId}:${each.window}:${each.what}`;
    const { counters, tooMany, tooFew } = sums.get(key) ?? { counters: 0, tooMany: 0n, tooFew: 0n };
    sums.set(key, {
      ...each,
      ...{ counters: counters + 1, tooMany: tooMany + each.tooMany, tooFew: tooFew + each.tooFew },
    });
  }
  return [...sums.values()];
}

const differs = ({ tooMany, tooFew }: Drift): boolean => tooMany !== 0n || tooFew !== 0n;

type Place = Pick<Drift, 'ruleId' | 'window' | 'what' | 'from'>;

const apart = (place: Place, logged: bigint, held: bigint): Drift => ({
  ...place,
  tooMany: held > logged ? held - logged : 0n,
  tooFew: held < logged ? logged - held : 0n,
});

/** Of each name by itself: what is too many in one place makes up for nothing that is too few in another. */
function eachApart<K>(place: Place, logged: ReadonlyMap<K, bigint>, held: ReadonlyMap<K, bigint>): Drift {
  let [tooMany, tooFew] = [0n, 0n];
  for (const name of new Set([...logged.keys(), ...held.keys()])) {
    const each = apart(place, logged.get(name) ?? 0n, held.get(name) ?? 0n);
    tooMany += each.tooMany;
    tooFew += each.tooFew;
  }
  return { ...place, tooMany, tooFew };
}

const wide = (members: Members = new Map()): ReadonlyMap<string, bigint> =>
  new Map([...members].map(([member, times]) => [member, BigInt(times)]));

/** What the sum holds of a step: of beneficiaries, how many transfers count for them. */
const inStep = ({ usedMinor, members }: LedgerCounter): bigint =>
  members === undefined ? usedMinor : BigInt([...members.values()].reduce((sum, times) => sum + times, 0));

function membersOf(counters: readonly LedgerCounter[]): Members {
  const all = new Map<string, number>();
  for (const { members } of counters) {
    for (const [member, times] of members ?? []) all.set(member, (all.get(member) ?? 0) + times);
  }
  return all;
}

const atMost = (held: Members, logged: Members): Members =>
  new Map([...logged].map(([member, times]) => [member, Math.min(times, held.get(member) ?? 0)]));

function partition<T>(all: readonly T[], isIn: (each: T) => boolean): readonly [readonly T[], readonly T[]] {
  return [all.filter(isIn), all.filter((each) => !isIn(each))];
}
