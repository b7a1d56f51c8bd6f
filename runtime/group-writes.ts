// Merges the batches of several partitions into one write. While one write is on its way, the batches that come meanwhile
// wait and then go together: under load, events of the same transfer meet in one write, and round trips are saved.
import { faultOf } from './fault.ts';

interface Waiting<I, O> {
  readonly items: readonly I[];
  readonly resolve: (outcomes: readonly O[]) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Never runs two calls of `run` at once. Each caller gets the outcomes of its own items, in order. When a merged call
 * throws poison, each caller's items run by themselves, so that nobody is blamed for a neighbour's record.
 */
export function groupWrites<I, O>(
  run: (items: readonly I[]) => Promise<readonly O[]>,
  maxItems: number,
): (items: readonly I[]) => Promise<readonly O[]> {
  const waiting: Waiting<I, O>[] = [];
  let running = false;

  return (items) =>
    new Promise((resolve, reject) => {
      waiting.push({ items, resolve, reject });
      if (!running) void drain();
    });

  async function drain(): Promise<void> {
    running = true;
    while (waiting.length > 0) await runTogether(nextGroup());
    running = false;
  }

  function nextGroup(): Waiting<I, O>[] {
    const group = [waiting.shift()!];
    let size = group[0]!.items.length;
    while (waiting.length > 0 && size + waiting[0]!.items.length <= maxItems) {
      size += waiting[0]!.items.length;
      group.push(waiting.shift()!);
    }
    return group;
  }

  async function runTogether(group: readonly Waiting<I, O>[]): Promise<void> {
    try {
      const outcomes = await run(group.flatMap(({ items }) => items));
      let from = 0;
      for (const { items, resolve } of group) {
        resolve(outcomes.slice(from, from + items.length));
        from += items.length;
      }
    } catch (error) {
      if (group.length > 1 && faultOf(error).faultClass === 'poison') {
        for (const one of group) await runTogether([one]);
        return;
      }
      for (const { reject } of group) reject(error);
    }
  }
}
