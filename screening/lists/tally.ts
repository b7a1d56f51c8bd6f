import type { DropReason } from './entity.ts';

const EXAMPLES = 5;

/** Counts what was dropped or tolerated, by code, with the first few places. */
export class Tally {
  #reasons = new Map<string, { count: number; examples: string[] }>();

  add(code: string, where: string, count = 1): void {
    const reason = this.#reasons.get(code) ?? { count: 0, examples: [] };
    reason.count += count;
    if (reason.examples.length < EXAMPLES) reason.examples.push(where.slice(0, 80));
    this.#reasons.set(code, reason);
  }

  get total(): number {
    return [...this.#reasons.values()].reduce((sum, { count }) => sum + count, 0);
  }

  reasons(): DropReason[] {
    return [...this.#reasons].map(([code, { count, examples }]) => ({ code, count, examples }));
  }
}
