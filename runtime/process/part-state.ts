// What is shown of one part of a process: whether it runs, waits for a dependency, or stands, and what to do then.

import type { Clock } from '../../ports/clock.ts';
import type { ShownCode } from '../../ports/error-codes.ts';
import { topology } from '../../processors/topology.ts';
import type { Fault } from '../fault.ts';
import type { DependencyTrouble, HostHealth, StoppedPart } from '../hosts/host.ts';

/** How a part ended: errors that are not of the product bear codes of their own. */
export type Ended = Omit<Fault, 'code'> & { readonly code: ShownCode };

/** Starts as one that is starting. */
export class PartState {
  state: 'starting' | 'running' | 'standing' = 'starting';
  /** Set while the part stands: it stopped by itself, and is not running again yet. */
  standing: StoppedPart | undefined;
  readonly #name: string;
  readonly #clock: Clock;
  #waitsFor: DependencyTrouble | undefined;

  constructor(name: string, clock: Clock) {
    this.#name = name;
    this.#clock = clock;
  }

  /** @returns what it stood for until now; undefined: it did not stand */
  runs(): StoppedPart | undefined {
    const before = this.standing;
    this.state = 'running';
    this.standing = undefined;
    this.#waitsFor = undefined;
    return before;
  }

  /** @returns whether it is the first time in a row that it waits for this */
  waitsFor({ code, detail, dependency = 'unknown' }: Ended): boolean {
    const before = this.#waitsFor;
    const since = before?.since ?? this.#clock.now();
    const place = { topic: 'start', partition: 0 };
    this.#waitsFor = { dependency, code, detail, since, ...place, lastMetAt: performance.now() };
    return before?.code !== code;
  }

  /** @param delayMs until it is started again */
  stands(fault: Ended, restarts: number, delayMs: number): StoppedPart {
    const { code, detail } = fault;
    const now = this.#clock.now();
    this.state = 'standing';
    this.#waitsFor = undefined;
    this.standing = {
      name: this.#name,
      code,
      detail,
      toDo: toDo(fault, this.#name),
      since: this.standing?.since ?? now,
      restarts,
      nextStartAt: now + delayMs,
    };
    return this.standing;
  }

  /** Of a part that has no hosts now. */
  health(): HostHealth {
    return {
      name: this.#name,
      state: this.state === 'standing' ? 'failed' : 'starting',
      partitions: [],
      troubles: this.#waitsFor ? [this.#waitsFor] : [],
      tables: [],
    };
  }
}

/** What an operator does next, where the fault's own words do not say it. */
function toDo({ code }: Ended, name: string): string {
  const isStage = Object.hasOwn(topology, name);
  const known: Readonly<Record<string, string>> = {
    DLQ_BREAKER_OPEN: `look at what ${name}.dlq holds and mend the cause; the records that opened it were not moved, and run again by themselves. If they rightly are dead letters, start it once with higher CORRIDOR_DLQ_BREAKER_ settings`,
    MONGO_CLIENT_BROKEN: `nothing: ${name} is started again by itself, with a fresh connection. Report it, with the log of this process`,
    NEWER_SCHEMA: 'deploy a version that knows this schema: the readers of a topic before its writers',
    ATTEMPT_CLAIMS_UNREADABLE:
      'have a replica that can still be read lead payout.attempts; if there is none, see docs/payouts.md, "When claims cannot be read"',
    OFFSET_MISSING: `run \`corridor topics apply\` if the topic or partition is new or was made again${isStage ? `, and look with \`corridor topics resume ${name}\`` : ''}; otherwise find out why the offset was lost`,
    OFFSET_LOST: `look with \`corridor topics resume ${name}\`, then stop its processes and run it with --apply`,
    OFFSET_OF_ANOTHER_TOPIC: isStage
      ? `look with \`corridor topics resume ${name}\`, then stop its processes and run it with --apply`
      : `stop the processes of ${name}, and set the offset of its group to the earliest of the topic that was made again`,
    REDIS_CLIENT_BROKEN: `nothing: ${name} is started again by itself, with a fresh connection. Report it, with the log of this process`,
    OFFSET_OUT_OF_RANGE:
      'find out why records are gone before any offset is set by hand; if the topic was made again, run `corridor topics apply`',
    SCHEMA_NOT_REGISTERED: 'run `corridor schemas push`',
  };
  return known[code] ?? `see the log of this process; ${name} is started again by itself`;
}
