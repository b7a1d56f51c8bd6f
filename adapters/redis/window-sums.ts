// Sums over the steps of rolling windows, made of the counters of a rebuilt ledger: what limits.lua keeps under w:.
import { countsUntil, rollingOf } from '../../domain/limits/windows.ts';
import type { LedgerCounter } from '../../processors/limits/ports.ts';

export interface WindowSum {
  /** `rule:subject:r900x672.`: a rule whose length was changed counts anew. */
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
      const length = counter.window.slice(0, counter.window.lastIndexOf('.') + 1);
      const name = `${counter.ruleId}:${counter.subjectToken}:${length}`;
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
  const placed = counters.map((counter) => ({ ...counter, ...rollingOf(counter.window)! }));
  const hi = highest(placed.map(({ step }) => step));
  const lo = hi - placed[0]!.steps;
  const members = new Map<string, number>();
  const fields: Record<string, string> = {};
  let sum = 0n;
  for (const { step, usedMinor, members: of } of placed) {
    if (step < lo || usedMinor === 0n) continue;
    let held = usedMinor;
    if (of === undefined) sum += usedMinor;
    else held = BigInt([...of.values()].reduce((total, times) => total + times, 0));
    for (const [member, times] of of ?? []) members.set(member, (members.get(member) ?? 0) + times);
    fields[`s:${step}`] = held.toString();
  }
  for (const [member, times] of members) fields[`m:${member}`] = String(times);
  const until = highest(counters.map(({ window }) => countsUntil(window)));
  const total = (sum + BigInt(members.size)).toString();
  return { name, until, fields: { ...fields, lo: String(lo), hi: String(hi), sum: total, e: String(until) } };
}

/** Of however many: a busy subject has more steps than a call has arguments. */
const highest = (values: readonly number[]): number => values.reduce((most, value) => Math.max(most, value));
