// Whatever is crashed, copied, replayed, lost or made again: one input is decided once, and no event id has two contents.

import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { LogRecord } from '../../ports/log.ts';
import { sealed } from '../../ports/seals.ts';
import type { AnyProcessor } from '../../processors/contract.ts';
import { topology } from '../../processors/topology.ts';
import { accepted, evidence, following } from '../../test/kit/events.ts';
import { runProcessor } from '../../test/kit/harness.ts';
import { ManualClock } from '../../test/kit/manual-clock.ts';
import { memoryReplayClaims } from '../../test/kit/memory-claims.ts';
import { memoryCodec } from '../../test/kit/memory-codec.ts';
import { type CrashPoint, MemoryLog } from '../../test/kit/memory-log.ts';
import { copyOf, replayOf } from '../../test/kit/replay.ts';
import { testRings } from '../../test/kit/rings.ts';
import { times } from '../../test/kit/times.ts';
import { formatCause, sourceOf } from '../../topics/cause.ts';
import { applyResume, planResume } from '../progress/resume.ts';

const OWNER = 'screening';
const INPUT = 'transfer.accepted';
const GROUP = 'corridor.screening';
/** Nothing here is about the breaker. */
const LAX_BREAKER = { window: 1_000, maxRun: 100_000, maxRatio: 1, maxOutsideRatio: 1 };

type Fate = 'goes' | 'refused' | 'refused-twice' | 'retried';
const fate = fc.constantFrom<Fate>('goes', 'goes', 'refused', 'refused-twice', 'retried');
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('feed' as const), fates: fc.array(fate, { maxLength: 4 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('run' as const),
      crash: fc.constantFrom<CrashPoint | 'redeliver' | ''>(
        'before-handler',
        'before-commit',
        'after-commit',
        'redeliver',
        '',
        '',
      ),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom('copy-input' as const, 'copy-retry' as const, 'copy-replay' as const),
      which: fc.nat(40),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('replay' as const),
      which: fc.nat(40),
      replayId: fc.constantFrom('r-1', 'r-2'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constantFrom('remake' as const, 'lose' as const, 'remake-replays' as const) }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

class World {
  readonly clock = new ManualClock();
  readonly codec = memoryCodec();
  readonly log = new MemoryLog({ partitions: 1, clock: this.clock, manual: true });
  readonly replayClaims = memoryReplayClaims();
  readonly fates = new Map<string, Fate>();
  readonly #refusals = new Map<string, number>();
  #lookup = 0;
  #cause = 0;
  #crash: CrashPoint | 'redeliver' | '' = '';

  constructor() {
    // Brokers give every topic an id.
    this.log.remake(INPUT);
  }

  #stage(): AnyProcessor {
    const cause = { code: 'REFUSED', detail: 'for a test' };
    return {
      name: OWNER,
      edges: topology.screening,
      prepare: async (batch: readonly unknown[]) => batch.map(() => undefined),
      decide: (received: { value: ReturnType<typeof accepted>; appendedAt: number }) => {
        const { envelope, instruction, parties } = received.value;
        const { transferId } = envelope;
        const is = this.fates.get(transferId)!;
        if (is === 'retried' && this.clock.now() < received.appendedAt + 4_000) return { kind: 'retry', cause };
        const most = is === 'refused' ? 1 : is === 'refused-twice' ? 2 : 0;
        if (this.#replaysOf(transferId) < most) return { kind: 'dead-letter', cause };
        const found = { ...evidence(), configurationHash: `look ${this.#lookup++}` };
        const next = following(envelope, 'transfer.screened');
        return [{ to: 'transfer.screened', value: { envelope: next, instruction, parties, screening: found } }];
      },
    } as unknown as AnyProcessor;
  }

  /** Replays of the record that is decided at this moment: what its latest letter says, since letters differ by that. */
  #replaysOf(transferId: string): number {
    return this.#refusals.get(transferId) ?? 0;
  }

  feed(fates: readonly Fate[]): void {
    for (const each of fates) {
      const transferId = `transfer-${String(this.fates.size).padStart(4, '0')}`;
      this.fates.set(transferId, each);
      const value = accepted({ transferId, partitions: 1 });
      const cause = formatCause({ source: sourceOf('intake', 'T'), partition: 0, offset: this.#cause++, nth: 0 });
      const record = {
        topic: INPUT,
        partition: 0,
        key: transferId,
        value: this.codec.encode(INPUT, value),
        headers: {},
      };
      this.log.append([sealed(testRings, record, cause)]);
    }
  }

  async run(crash: CrashPoint | 'redeliver' | '' = ''): Promise<void> {
    this.#crash = crash;
    const { log, clock, codec, replayClaims } = this;
    const once = (point: CrashPoint) => {
      const asked = this.#crash === 'redeliver' ? 'before-commit' : this.#crash;
      if (point !== asked) return undefined;
      const what = this.#crash === 'redeliver' ? ('redeliver' as const) : ('crash' as const);
      this.#crash = '';
      return what;
    };
    const options = {
      inputs: [],
      log,
      clock,
      codec,
      replayClaims,
      breaker: LAX_BREAKER,
      crash: once,
      maxBatchRecords: 3,
      retry: [5, 0],
    };
    const { stopped } = await runProcessor(this.#stage(), options);
    if (stopped === undefined) return;
    expect(stopped.code).toBe('OFFSET_LOST');
    await this.#resume();
    await this.run();
  }

  async #resume(): Promise<void> {
    const admin = await this.log.admin();
    const options = { app: 'corridor', processor: OWNER, rings: testRings } as const;
    await applyResume(admin, options, await planResume(admin, this.log.reader(), options));
  }

  copy(topic: string, which: number): void {
    const records = this.log.records(topic, 0);
    if (records.length > 0) this.log.append([copyOf(records[which % records.length]!)]);
  }

  letters(): readonly LogRecord[] {
    return this.log.records('screening.dlq', 0).filter(({ headers }) => String(headers['dlq-class']) === 'refused');
  }

  replay(letter: LogRecord | undefined, replayId: string): void {
    if (letter === undefined) return;
    const transferId = String(letter.key);
    const count = Number(letter.headers['replay-count']) + 1;
    this.#refusals.set(transferId, Math.max(count, this.#refusals.get(transferId) ?? 0));
    this.log.append([replayOf(letter, { owner: OWNER, replayId })]);
  }

  async take(each: Step): Promise<void> {
    if (each.do === 'feed') return this.feed(each.fates);
    if (each.do === 'run') return this.run(each.crash);
    if (each.do === 'copy-input') return this.copy(INPUT, each.which);
    if (each.do === 'copy-retry') return this.copy('screening.retry.5s', each.which);
    if (each.do === 'copy-replay') return this.copy('screening.replay', each.which);
    const letters = this.letters();
    if (each.do === 'replay') return this.replay(letters[each.which % Math.max(1, letters.length)], each.replayId);
    if (each.do === 'lose') return this.log.forget(GROUP);
    // What a topic held and nobody had handled is gone with it: that is no matter of this test.
    await this.run();
    this.log.remake(each.do === 'remake' ? INPUT : 'screening.replay');
  }

  /** Replays what still is a dead letter, as an operator would, until there is none. */
  async settle(): Promise<void> {
    await this.run();
    for (let round = 0; round < 3; round++) {
      const done = new Set(this.log.records('transfer.screened', 0).map(({ key }) => String(key)));
      for (const letter of this.letters()) if (!done.has(String(letter.key))) this.replay(letter, `last-${round}`);
      await this.run();
    }
  }
}

it('one input is decided once, under one event id, and none is lost', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 14 }), async (steps) => {
      const world = new World();
      for (const each of steps) await world.take(each);
      await world.settle();
      const screened = world.log.records('transfer.screened', 0);
      const keys = screened.map(({ key }) => String(key)).sort();
      expect(keys).toEqual([...world.fates.keys()].sort());
      expect(new Set(screened.map(({ headers }) => String(headers['event-id']))).size).toBe(keys.length);
    }),
    { numRuns: times(150) },
  );
}, 240_000);
