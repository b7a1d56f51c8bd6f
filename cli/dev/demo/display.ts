// The live table of a run: what each stage took in and put out, and what is still waiting.

import type { Child } from '../../../infra/local/children.ts';
import type { StoppedPart } from '../../../runtime/hosts/host.ts';
import type { Books } from '../../../samples/books.ts';
import type { Watch } from './watch.ts';

/** A token of the local issuer, as a person gets one beside a running demo. */
export const TOKEN_COMMAND = 'npm run -s corridor -- token --role operator --as asha';
const TERMINAL_EVERY_MS = 500;
const PLAIN_EVERY_MS = 5_000;
const ASK_MS = 1_000;
const COLUMNS = ['stage', 'in', 'out', 'rejected', 'held', 'dead-lettered', 'lag', 'per second'] as const;

/** Redraws in place on a terminal; elsewhere prints a line now and then. */
export class Display {
  readonly #watch: Watch;
  readonly #books: Books;
  readonly #health: readonly string[];
  readonly #api: string | undefined;
  readonly #total: number;
  readonly #lags = new Map<string, number>();
  /** Parts that stand, by the process that says so. */
  readonly #standing = new Map<string, readonly StoppedPart[]>();
  #timer: NodeJS.Timeout | undefined;
  #lines = 0;
  #stopped = false;
  #previous: { at: number; outs: Map<string, number> } | undefined;

  constructor(watch: Watch, books: Books, processes: readonly Child[], total: number) {
    this.#watch = watch;
    this.#books = books;
    this.#health = processes.map(({ ready }) => ready['health'] as string);
    this.#api = processes.find(({ name }) => name === 'api')?.ready['url'] as string | undefined;
    this.#total = total;
  }

  start(): void {
    const terminal = process.stderr.isTTY;
    const tick = async () => {
      await this.#measureLags();
      // It may have been stopped while the processes were asked.
      if (this.#stopped) return;
      if (terminal) this.#redraw();
      else this.#line();
      later();
    };
    const later = () => {
      this.#timer = setTimeout(() => void tick(), terminal ? TERMINAL_EVERY_MS : PLAIN_EVERY_MS);
    };
    later();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#measureLags();
    this.#redraw();
  }

  #line(): void {
    const { transfers, unaccounted } = this.#books.balance();
    const ended = transfers - unaccounted;
    console.error(`          ${ended} of ${this.#total} have come to an end, ${this.#books.completed} completed`);
    for (const line of this.#standingLines()) console.error(`          ${line}`);
  }

  #redraw(): void {
    const now = performance.now();
    const rows = [...this.#watch.stages.values()].map((counts) => {
      const out = counts.out + counts.rejected + counts.held;
      const before = this.#previous?.outs.get(counts.stage) ?? 0;
      const seconds = this.#previous ? (now - this.#previous.at) / 1_000 : 1;
      const rate = Math.round((out - before) / seconds);
      const taken = counts.stage === 'intake' ? out + counts.deadLettered : counts.in;
      const lag = this.#lags.get(counts.stage) ?? 0;
      return [counts.stage, taken, counts.out, counts.rejected, counts.held, counts.deadLettered, lag, rate].map(
        String,
      );
    });
    const outs = [...this.#watch.stages.values()].map(
      (counts) => [counts.stage, counts.out + counts.rejected + counts.held] as const,
    );
    this.#previous = { at: now, outs: new Map(outs) };
    const widths = COLUMNS.map((name, i) => Math.max(name.length, ...rows.map((row) => row[i]!.length)));
    const format = (cells: readonly string[]) =>
      cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  ');
    const lines = ['', format(COLUMNS), ...rows.map(format), ...this.#apiLines(), ...this.#standingLines()];
    if (this.#lines > 0 && process.stderr.isTTY) process.stderr.write(`\x1b[${this.#lines}A\x1b[J`);
    process.stderr.write(`${lines.join('\n')}\n`);
    this.#lines = lines.length;
  }

  #apiLines(): readonly string[] {
    return this.#api === undefined ? [] : [`API ${this.#api}  a token for it: ${TOKEN_COMMAND}`];
  }

  #standingLines(): readonly string[] {
    return [...this.#standing.values()].flat().map(({ name, code, detail, toDo, nextStartAt }) => {
      const seconds = Math.max(0, Math.round((nextStartAt - Date.now()) / 1_000));
      return `${name} stands (${code}): ${detail}. Again in ${seconds} s. What to do: ${toDo}.`.replace(/\s+/g, ' ');
    });
  }

  /** Records that each stage has not taken yet, as its process says. A process that cannot be asked keeps its last. */
  async #measureLags(): Promise<void> {
    const asked = this.#health.map(async (url) => {
      const response = await fetch(`${url}/health`, { signal: AbortSignal.timeout(ASK_MS) });
      const { hosts, standing } = (await response.json()) as {
        hosts: { name: string; lag: number }[];
        standing: StoppedPart[];
      };
      this.#standing.set(url, standing);
      for (const { name, lag } of hosts) this.#lags.set(name, lag);
    });
    await Promise.allSettled(asked);
  }
}
