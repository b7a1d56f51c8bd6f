// The end of a run: until the books balance and every consumer is at its end, as the health of processes says.
import { setTimeout as sleep } from 'node:timers/promises';
import type { ChaosBooks } from './books.ts';
import type { TableSeen } from './members/forgery-check.ts';
import type { Slot } from './slot.ts';
import type { Tail } from './tail.ts';

const LOOK_EVERY_MS = 500;

interface Draining {
  readonly books: ChaosBooks;
  readonly tail: Tail;
  readonly pipeline: readonly Slot[];
  readonly quietMs: number;
  readonly say: (line: string) => void;
}

/** Waits until the books balance and every consumer is at its end, or until nothing moves any more: what is left then. */
export async function drained({ books, tail, pipeline, quietMs, say }: Draining): Promise<string[]> {
  tail.movedAt = performance.now();
  let saidAt = performance.now();
  for (;;) {
    const { unexpected, unaccounted } = books.balance();
    const balanced = unexpected === 0 && unaccounted === 0;
    const left = balanced ? await leftIn(pipeline) : [];
    if (balanced && left.length === 0) {
      say('Every input is where it must be, and every consumer at its end');
      return [];
    }
    const text = `${unexpected} unexpected, ${unaccounted} unaccounted${left.map((one) => `; ${one}`).join('')}`;
    if (performance.now() - tail.movedAt > quietMs) {
      say(`Nothing has moved for ${quietMs / 1_000} s: ${text}`);
      return balanced ? left : await leftIn(pipeline);
    }
    if (performance.now() - saidAt > 10_000) {
      saidAt = performance.now();
      say(`draining: ${text}`);
    }
    await sleep(LOOK_EVERY_MS);
  }
}

interface Health {
  readonly hosts: readonly {
    readonly name: string;
    readonly state: string;
    readonly lag: number;
    readonly tables?: readonly { readonly name: string; readonly unproven: number }[];
  }[];
}

const healthOf = (url: string): Promise<Health | undefined> =>
  fetch(`${url}/health`).then(
    (response) => response.json() as Promise<Health>,
    () => undefined,
  );

/** What each process that answers says of its tables. */
export async function tablesIn(slots: readonly Slot[]): Promise<readonly TableSeen[]> {
  const seen = await Promise.all(
    slots.map(async ({ name, health }) => {
      const body = health === undefined ? undefined : await healthOf(health);
      return (body?.hosts ?? []).flatMap((host) =>
        (host.tables ?? []).map((table) => ({
          process: `${name} (${host.name})`,
          topic: table.name,
          unproven: table.unproven,
        })),
      );
    }),
  );
  return seen.flat();
}

/** What some consumer has not handled, and processes that cannot be asked. */
async function leftIn(slots: readonly Slot[]): Promise<string[]> {
  const left = await Promise.all(
    slots.map(async ({ name, health }) => {
      if (health === undefined) return [`${name} is not ready`];
      const body = await healthOf(health);
      if (body === undefined) return [`${name} does not answer`];
      return body.hosts
        .filter(({ state, lag }) => state !== 'running' || lag > 0)
        .map((host) => `${name}: ${host.name} is ${host.state} with ${host.lag} records to do`);
    }),
  );
  return left.flat();
}
