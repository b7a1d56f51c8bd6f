// Sums over the steps of rolling windows, made of the counters of a rebuilt ledger: what limits.lua keeps under w:.
import { countsUntil, rollingOf } from '../../domain/limits/windows.ts';
import type { LedgerCounter } from '../../processors/limits/ports.ts';

export interface WindowSum {
  /** `rule:subject` */
  readonly name: string;
  /** ms since 1970 */
  readonly until: number;
  readonly fields: Record<string, string>;
}

interface Sums {
  add(counter: LedgerCounter): void;
  /** To be asked when all are added. */
  all(): Iterable<WindowSum>;
}

export function windowSums(): Sums {
  const byName = new Map<string, LedgerCounter[]>();
  return {
    add(counter) {
      if (rollingOf(counter.window) === undefined) return;
      const name = `${counter.ruleId}:${counter.subjectToken}`;
      const known = byName.get(name);
      if (known) known.push(counter);
      else byName.set(name, [counter]);
    },
    *all() {
      for (const [name, counters] of byName) yield sumOf(name, counters);
    },
  };
}

function sumOf(name: string, counters: readonly LedgerCounter[]): WindowSum {
  const steps = counters.map(({ window }) => rollingOf(window)!);
  const hi = Math.max(...steps.map(({ step }) => step));
  const lo = hi - steps[0]!.steps;
  const members = new Map<string, number>();
  let sum = 0n;
  for (const [at, counter] of counters.entries()) {
    if (steps[at]!.step < lo) continue;
    if (counter.members === undefined) sum += counter.usedMinor;
    for (const [member, times] of counter.members ?? []) members.set(member, (members.get(member) ?? 0) + times);
  }
  const until = Math.max(...counters.map(({ window }) => countsUntil(window)));
  const of = [...members].map(([member, times]) => [`m:${member}`, String(times)]);
  const total = sum + BigInt(members.size);
  return {
    name,
    until,
    fields: { lo: String(lo), hi: String(hi), sum: total.toString(), e: String(until), ...Object.fromEntries(of) },
  };
}
