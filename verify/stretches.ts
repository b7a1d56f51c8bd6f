// Rolling windows as the log leaves them: of all stretches of their length, the one that stands worst. Pure.
import { rollingOf } from '../domain/limits/windows.ts';

/** What one counter holds, and the limit that it was held against. */
export interface Counted {
  /** `rule:subject:window` */
  readonly bucket: string;
  readonly ruleId: string;
  readonly subject: string;
  readonly window: string;
  readonly usedMinor: bigint;
  readonly limitMinor: bigint;
  /** Somebody decided about a transfer that it counts. */
  readonly reviewed: boolean;
}

/** One name for the steps that count together: a rule whose length was changed counts anew. */
export const rollingName = ({ ruleId, subject, window }: Counted): string | undefined =>
  rollingOf(window) && `${ruleId}:${subject}:${window.slice(0, window.lastIndexOf('.'))}`;

/**
 * The stretch that is above its limit with nobody having decided about it, the fullest of these; else the fullest of all. Each
 * step is added once and taken out once: a busy subject has millions.
 * @param counters of the steps of one rolling window, one at least, in any order
 * @param membersOf what a bucket counts as members; none: amounts are counted
 */
export function worstStretch<C extends Counted>(
  counters: readonly C[],
  membersOf: (bucket: string) => Iterable<string>,
): C {
  const placed = counters.map((counter) => ({ counter, ...rollingOf(counter.window)! }));
  placed.sort((a, b) => a.step - b.step);
  const stretch = new Stretch(membersOf);
  let worst: (C & { readonly isOver: boolean }) | undefined;
  let from = 0;
  for (const { counter, step, steps } of placed) {
    stretch.add(counter);
    for (; placed[from]!.step < step - steps; from++) stretch.remove(placed[from]!.counter);
    const { used, limit, isReviewed } = stretch;
    const isOver = used > limit && !isReviewed;
    const isWorse = !worst || (isOver === worst.isOver ? used > worst.usedMinor : isOver);
    if (isWorse) worst = { ...counter, usedMinor: used, limitMinor: limit, reviewed: isReviewed, isOver };
  }
  return worst!;
}

class Stretch {
  readonly #membersOf: (bucket: string) => Iterable<string>;
  /** In how many steps each counts. */
  readonly #members = new Map<string, number>();
  /** Those that may come to have the highest limit: each lower than the one before. */
  #highest: Counted[] = [];
  #sum = 0n;
  #reviews = 0;

  constructor(membersOf: (bucket: string) => Iterable<string>) {
    this.#membersOf = membersOf;
  }

  get used(): bigint {
    return this.#members.size > 0 ? BigInt(this.#members.size) : this.#sum;
  }

  get limit(): bigint {
    return this.#highest[0]!.limitMinor;
  }

  get isReviewed(): boolean {
    return this.#reviews > 0;
  }

  add(counter: Counted): void {
    this.#sum += counter.usedMinor;
    if (counter.reviewed) this.#reviews += 1;
    for (const member of this.#membersOf(counter.bucket))
      this.#members.set(member, (this.#members.get(member) ?? 0) + 1);
    while (this.#highest.length > 0 && this.#highest.at(-1)!.limitMinor <= counter.limitMinor) this.#highest.pop();
    this.#highest.push(counter);
  }

  remove(counter: Counted): void {
    this.#sum -= counter.usedMinor;
    if (counter.reviewed) this.#reviews -= 1;
    for (const member of this.#membersOf(counter.bucket)) {
      const left = this.#members.get(member)! - 1;
      if (left === 0) this.#members.delete(member);
      else this.#members.set(member, left);
    }
    if (this.#highest[0] === counter) this.#highest.shift();
  }
}
