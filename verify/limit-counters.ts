// Limit counters recomputed from the log, in columns: about 150 bytes a customer and window, plus 25 a rule.

import { grown } from './provider.ts';
import { rollingName, worstStretch } from './stretches.ts';
import type { LedgerFact } from './transfer.ts';

/** A counter as the log has it. */
export interface Recomputed {
  /** `rule:subject:window`. */
  readonly bucket: string;
  readonly ruleId: string;
  readonly subject: string;
  readonly window: string;
  readonly usedMinor: bigint;
  readonly open: number;
  /** The highest limit that any of its uses stated; 0 when none is left. */
  readonly limitMinor: bigint;
  /** A person decided (or is to decide) about a transfer that it counts. */
  readonly reviewed: boolean;
}

/** A limit that no counter reaches: of a shadow. */
export const NO_LIMIT = 2n ** 62n;

export interface StoredCount {
  readonly bucket: string;
  readonly used: string;
  readonly open: number;
  readonly limit: string;
  readonly reviewed: boolean;
  /** Members with how many transfers count for each. */
  readonly members?: readonly (readonly [string, number])[];
}

const FIRST_SIZE = 1_024;

/** Columns of one rule, by place of subject and window. */
class RuleColumns {
  used = new BigInt64Array(FIRST_SIZE);
  limit = new BigInt64Array(FIRST_SIZE);
  open = new Int32Array(FIRST_SIZE);
  /** Bit 0: there is a counter. Bit 1: a person decided. Bit 2: it was seen in the store. */
  flags = new Uint8Array(FIRST_SIZE);

  reach(at: number): void {
    if (at < this.flags.length) return;
    const size = Math.max(at + 1, this.flags.length * 2);
    this.used = grown(this.used, new BigInt64Array(size));
    this.limit = grown(this.limit, new BigInt64Array(size));
    this.open = grown(this.open, new Int32Array(size));
    this.flags = grown(this.flags, new Uint8Array(size));
  }
}

export class Counters {
  /** `subject:window` to its place in the columns. */
  readonly #places = new Map<string, number>();
  readonly #rules = new Map<string, RuleColumns>();
  /** How many transfers count for each member, by bucket. */
  readonly #members = new Map<string, Map<string, number>>();

  constructor(before: Iterable<StoredCount> = []) {
    for (const { bucket, used, open, limit, reviewed, members } of before) {
      if (members) this.#members.set(bucket, new Map(members));
      const [ruleId, place] = partsOf(bucket);
      const [columns, at] = this.#reach(ruleId, place);
      columns.used[at] = BigInt(used);
      columns.limit[at] = BigInt(limit);
      columns.open[at] = open;
      columns.flags[at] = reviewed ? 3 : 1;
    }
  }

  /** Counts a transfer as the log leaves it, or (`times` -1) takes it out again. */
  count({ state, uses }: LedgerFact, reviewed: boolean, times: 1 | -1): void {
    for (const { ruleId, place, minor, limit, freedByReturn, member } of uses) {
      const [columns, at] = this.#reach(ruleId, place);
      columns.flags[at]! |= reviewed && times === 1 ? 3 : 1;
      const counts = state === 'open' || state === 'committed' || (state === 'returned' && !freedByReturn);
      if (counts && member === undefined) columns.used[at]! += BigInt(times) * minor;
      if (counts && member !== undefined) columns.used[at] = this.#count(`${ruleId}:${place}`, member, times);
      if (counts && limit > columns.limit[at]!) columns.limit[at] = limit;
      if (state === 'open') columns.open[at]! += times;
    }
  }

  /** The counter of a bucket, noted as seen in the store. */
  match(bucket: string): Recomputed | undefined {
    const [ruleId, place] = partsOf(bucket);
    const at = this.#places.get(place);
    const columns = this.#rules.get(ruleId);
    if (at === undefined || columns === undefined || at >= columns.flags.length || columns.flags[at] === 0) {
      return undefined;
    }
    columns.flags[at]! |= 4;
    return this.#counter(ruleId, place, columns, at);
  }

  /** Every counter; `unmatched`: only those that the store was not seen to have. */
  *all(unmatched = false): Iterable<Recomputed> {
    for (const [place, at] of this.#places) {
      for (const [ruleId, columns] of this.#rules) {
        const flags = columns.flags[at] ?? 0;
        if (flags === 0 || (unmatched && (flags & 4) !== 0)) continue;
        yield this.#counter(ruleId, place, columns, at);
      }
    }
  }

  /** Every counter of a calendar window, and of each rolling window the stretch of its length that stands worst. */
  *windows(): Iterable<Recomputed> {
    const rolling = new Map<string, Recomputed[]>();
    for (const counter of this.all()) {
      const name = rollingName(counter);
      const known = name === undefined ? undefined : rolling.get(name);
      if (name === undefined) yield counter;
      else if (known) known.push(counter);
      else rolling.set(name, [counter]);
    }
    for (const steps of rolling.values())
      yield worstStretch(steps, (bucket) => this.#members.get(bucket)?.keys() ?? []);
  }

  *stored(): Iterable<StoredCount> {
    for (const { bucket, usedMinor, open, limitMinor, reviewed } of this.all()) {
      if (usedMinor === 0n && open === 0) continue;
      const members = [...(this.#members.get(bucket) ?? [])];
      const stored = { bucket, used: usedMinor.toString(), open, limit: limitMinor.toString(), reviewed };
      yield members.length === 0 ? stored : { ...stored, members };
    }
  }

  /** @returns how many members count now */
  #count(bucket: string, member: string, times: 1 | -1): bigint {
    const members = this.#members.get(bucket) ?? new Map<string, number>();
    this.#members.set(bucket, members);
    const of = (members.get(member) ?? 0) + times;
    if (of === 0) members.delete(member);
    else members.set(member, of);
    return BigInt(members.size);
  }

  #counter(ruleId: string, place: string, columns: RuleColumns, at: number): Recomputed {
    const [subject, window] = [place.slice(0, place.indexOf(':')), place.slice(place.indexOf(':') + 1)];
    return {
      bucket: `${ruleId}:${place}`,
      ruleId,
      subject,
      window,
      usedMinor: columns.used[at]!,
      open: columns.open[at]!,
      limitMinor: columns.limit[at]!,
      reviewed: (columns.flags[at]! & 2) !== 0,
    };
  }

  #reach(ruleId: string, place: string): readonly [RuleColumns, number] {
    const at = this.#places.get(place) ?? this.#places.size;
    this.#places.set(place, at);
    const columns = this.#rules.get(ruleId) ?? new RuleColumns();
    this.#rules.set(ruleId, columns);
    columns.reach(at);
    return [columns, at];
  }
}

/** Rule, and subject with window. Rule ids and tokens hold no colon. */
function partsOf(bucket: string): readonly [string, string] {
  const colon = bucket.indexOf(':');
  return [bucket.slice(0, colon), bucket.slice(colon + 1)];
}
