// Everything that a run works with in its world: the processes, who feeds and watches them, and the people at the API.
import path from 'node:path';
import { listedPersons, loadSampleList } from '../../screening/lists/sample/load.ts';
import { SINK_NAMES } from '../../services/process-parts/part-selection.ts';
import { ChaosBooks } from './books.ts';
import { Desk } from './desk.ts';
import { chaosFeed } from './feed.ts';
import { Feeder, INTENTS } from './feeder.ts';
import { ForeignProducer } from './members/foreign-batches.ts';
import { LateIntents } from './members/late-schema.ts';
import { RateSources } from './members/rate-sources.ts';
import { intentHeaders, Webhooks } from './members/webhooks.ts';
import { Operator } from './operator.ts';
import type { Profile } from './profile.ts';
import { Slot, type SlotExit } from './slot.ts';
import { Tail } from './tail.ts';
import { API_SLOT, SLOTS, type SlotName } from './targets.ts';
import type { World } from './world.ts';

const SINKS = [...SINK_NAMES, 'parquet'].join(',');
const BACK = ['run', '--sinks', SINKS, '--payouts', '--cases', '--replays', '--audit', '--webhooks', '--analytics'];
const ARGS: Readonly<Record<SlotName, readonly string[]>> = {
  'chain-1': ['run', '--processors', 'all'],
  'chain-2': ['run', '--processors', 'all'],
  'back-1': BACK,
  'back-2': BACK,
  'api-1': ['api'],
};

export interface RigOptions {
  readonly world: World;
  readonly profile: Profile;
  readonly seed: number;
  /** ms since the run began to break things. */
  readonly now: () => number;
  readonly say: (line: string) => void;
}

export class Rig {
  readonly books = new ChaosBooks();
  readonly late = new LateIntents();
  readonly slots = new Map<SlotName, Slot>();
  readonly exits: SlotExit[] = [];
  readonly rates: RateSources;
  readonly tail: Tail;
  readonly feeder: Feeder;
  readonly desk: Desk;
  readonly operator: Operator;
  readonly webhooks: Webhooks;

  private constructor({ world, profile, seed, now, say }: RigOptions, listedNames: readonly string[]) {
    const { books, late, slots, exits } = this;
    const { dir, connections } = world;
    const { codec, log, config } = connections;
    this.rates = new RateSources(world);
    this.tail = new Tail({ log, codec, books, late, rings: config.keys });
    this.feeder = new Feeder({
      ...{ log, books, chainPartitions: config.kafka.chainPartitions, ledgerFile: path.join(dir, 'fed.ndjson') },
      headersOf: intentHeaders(config.producers.intentKeys!),
      foreign: new ForeignProducer({
        ...{ brokers: world.stack.urls.kafkaBrokers, topic: INTENTS, partitions: config.kafka.chainPartitions },
      }),
      records: chaosFeed({
        ...{ profile, seed, runId: `${seed}-${Date.now().toString(36)}`, now: Date.now, listedNames },
        encode: (intent) => codec.encode('transfer.requested', intent),
      }),
    });
    const keyFile = path.join(dir, 'issuer.json');
    const apiEnv = {
      CORRIDOR_API_PORT: '0',
      CORRIDOR_API_FACES: 'producers,operators',
      CORRIDOR_AUTH_LOCAL_KEY_FILE: keyFile,
    };
    for (const name of [...SLOTS, API_SLOT] as const) {
      const onExit = (exit: SlotExit) => {
        exits.push(exit);
        if (!exit.meant) say(`${exit.slot} ended by itself (${exit.signal ?? exit.code}): ${exit.reason}`);
      };
      const env = name === API_SLOT ? { ...world.env, ...apiEnv } : world.env;
      slots.set(name, new Slot({ name, args: ARGS[name], env, dir: path.join(dir, 'processes'), now, onExit }));
    }
    const slot = slots.get(API_SLOT)!;
    this.desk = new Desk(slot, keyFile);
    this.operator = new Operator(connections, ({ _id }, decision) => this.desk.decide(_id, decision));
    this.webhooks = new Webhooks({ slot, keyFile, connections, seed, say });
  }

  /** Resolves when all processes are ready, and who watches them does. What fails half-way leaves nothing running. */
  static async start(options: RigOptions): Promise<Rig> {
    await options.world.connections.codec.load(['transfer.requested']);
    const rig = new Rig(options, listedPersons(await loadSampleList()));
    try {
      await rig.#start();
    } catch (error) {
      await rig.close();
      throw error;
    }
    return rig;
  }

  async #start(): Promise<void> {
    await this.rates.first;
    await this.tail.start();
    for (const slot of this.slots.values()) slot.start();
    this.operator.start();
    await Promise.all([...this.slots.values()].map((slot) => slot.ready()));
    await this.webhooks.start();
  }

  /** The processes of the pipeline. */
  get pipeline(): readonly Slot[] {
    return SLOTS.map((name) => this.slots.get(name)!);
  }

  /** Those of them that run the chain. */
  get chain(): readonly Slot[] {
    return [this.slots.get('chain-1')!, this.slots.get('chain-2')!];
  }

  /** Everything that is left, at once. */
  async close(): Promise<void> {
    await this.rates.stop();
    await this.webhooks.close();
    await Promise.all([...this.slots.values()].map((slot) => slot.stop(0)));
  }
}
