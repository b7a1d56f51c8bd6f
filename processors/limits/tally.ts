// Counters of limits in memory, by the same contract as those in Redis: for a dry run, which adds to what it has read, and for
// a backtest, which begins with nothing.
import { countsUntil, isCounted, type RollingWindow, rollingOf } from '../../domain/limits/windows.ts';
import type { LimitUse } from '../../schemas/types.generated.ts';
import type { LimitRequest, ReserveOutcome } from './ports.ts';
import { requestedUse } from './requests.ts';

/** The bound of the ledger's counters. */
const MAX_EXACT = 2n ** 53n;

/** What counts in a window, or in one step of a rolling one. */
interface Count {
  used: bigint;
  members: Map<string, number> | undefined;
}

type Place = Pick<LimitUse, 'ruleId' | 'subjectToken' | 'window'>;
export type Counted = Place & { readonly minor: bigint; readonly member: string | null };

const nameOf = ({ ruleId, subjectToken, window }: Place, rolling: RollingWindow | undefined): string =>
  // The steps of a rolling window count together; those of another length have other places.
  `${ruleId}:${subjectToken}:${rolling === undefined ? window : window.slice(0, window.lastIndexOf('.'))}`;

const NO_STEP = 0;

export class Tally {
  /** By name, then by step. */
  readonly #counts = new Map<string, Map<number, Count>>();
  /** Rough between two calls of `forget`: members are counted there. */
  #size = 0;

  /** Puts a counter in place, as it was read. */
  set(place: Place, used: bigint, members: ReadonlyMap<string, number>): void {
    const rolling = rollingOf(place.window);
    const count = this.#at(nameOf(place, rolling), rolling?.step ?? NO_STEP);
    count.used = used;
    count.members = members.size > 0 ? new Map(members) : undefined;
  }

  /** Counts a use (`times` 1), or takes it out again (-1). */
  count(use: Counted, times: 1 | -1): void {
    if (!isCounted(use.window)) return;
    const rolling = rollingOf(use.window);
    const count = this.#at(nameOf(use, rolling), rolling?.step ?? NO_STEP);
    if (use.member === null) {
      count.used += BigInt(times) * use.minor;
      return;
    }
    count.members ??= new Map();
    const of = (count.members.get(use.member) ?? 0) + times;
    if (of === 0) count.members.delete(use.member);
    else count.members.set(use.member, of);
    count.used = BigInt(count.members.size);
  }

  /** What is used before a request, and what the request adds. */
  standing(request: LimitRequest): { readonly used: bigint; readonly adds: bigint } {
    const { member, minor, window } = request;
    if (!isCounted(window)) return { used: 0n, adds: minor };
    const rolling = rollingOf(window);
    const steps = this.#counts.get(nameOf(request, rolling));
    if (member === null) {
      let used = 0n;
      for (const [step, count] of steps ?? []) if (inWindow(step, rolling)) used += count.used;
      return { used, adds: minor };
    }
    const members = new Set<string>();
    for (const [step, count] of steps ?? []) {
      if (inWindow(step, rolling)) for (const each of count.members?.keys() ?? []) members.add(each);
    }
    return { used: BigInt(members.size), adds: members.has(member) ? 0n : 1n };
  }

  /** When enough is free for a request that was refused, by time alone; null: it cannot be told so. */
  freesAt(request: LimitRequest): number | null {
    const limit = request.limitMinor - (request.declaredMinor ?? 0n);
    if (request.minor > limit) return null;
    const rolling = rollingOf(request.window);
    if (rolling === undefined) return request.freesAt;
    if (request.member !== null) return null;
    const steps = [...(this.#counts.get(nameOf(request, rolling)) ?? [])].filter(([step]) => inWindow(step, rolling));
    let over = steps.reduce((sum, [, { used }]) => sum + used, request.minor) - limit;
    for (const [step, { used }] of steps.toSorted(([a], [b]) => a - b)) {
      over -= used;
      if (over <= 0n) return (step + 1 + rolling.steps) * rolling.stepMs;
    }
    return null;
  }

  /** Counters and their members. */
  get size(): number {
    return this.#size;
  }

  /** Whether a use can matter to what is taken at `now` (ms since 1970) or later. */
  matters({ window }: Place, now: number): boolean {
    const rolling = rollingOf(window);
    return rolling === undefined
      ? countsUntil(window) > now
      : (rolling.step + 1 + rolling.steps) * rolling.stepMs > now;
  }

  /** Lets go of every counter that cannot. */
  forget(now: number): void {
    let size = 0;
    for (const [name, steps] of this.#counts) {
      const head = name.slice(name.lastIndexOf(':') + 1);
      for (const [step, { members }] of steps) {
        const window = rollingOf(`${head}.${step}`) === undefined ? head : `${head}.${step}`;
        if (this.matters({ ruleId: '', subjectToken: '', window }, now)) size += 1 + (members?.size ?? 0);
        else steps.delete(step);
      }
      if (steps.size === 0) this.#counts.delete(name);
    }
    this.#size = size;
  }

  #at(name: string, step: number): Count {
    let steps = this.#counts.get(name);
    if (steps === undefined) {
      steps = new Map();
      this.#counts.set(name, steps);
    }
    let count = steps.get(step);
    if (count === undefined) {
      count = { used: 0n, members: undefined };
      steps.set(step, count);
      this.#size += 1;
    }
    return count;
  }
}

/** A rolling window counts the steps of its length before a transfer's, and those of its length after it. */
const inWindow = (step: number, rolling: RollingWindow | undefined): boolean =>
  rolling === undefined || (step >= rolling.step - rolling.steps && step <= rolling.step + rolling.steps);

/** Reserves all requests, or none, as the ledger does. */
export function reserveIn(tally: Tally, requests: readonly LimitRequest[]): ReserveOutcome {
  const standing = requests.map((request) => tally.standing(request));
  const against = requests.filter(({ action, limitMinor, declaredMinor }, at) => {
    const after = standing[at]!.used + standing[at]!.adds;
    if (action === 'reject' && after > limitMinor - (declaredMinor ?? 0n)) return true;
    return action !== 'shadow' && after >= MAX_EXACT;
  });
  if (against.length > 0) {
    const uses = requests.map((request, at) => {
      const use = requestedUse(request, standing[at]!.used);
      return against.includes(request) ? { ...use, freesAt: tally.freesAt(request) } : use;
    });
    return { kind: 'refused', uses, refused: against.map(({ ruleId }) => ruleId) };
  }
  for (const request of requests) tally.count(request, 1);
  const uses = requests.map((request, at) => requestedUse(request, standing[at]!.used + standing[at]!.adds));
  return { kind: 'reserved', uses };
}
