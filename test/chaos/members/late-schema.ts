// Member: a producer is deployed before its schema. Its intents become dead letters; then the schema is registered, and each
// letter is replayed: by hand, the same record three times, as a tool does that does not know whether it has written; or over
// HTTP by two people, as it is meant.
//
// What must come of it: each becomes one transfer, decided once, whatever replay comes first. How the judge knows: the books
// expect its end, and verify finds nothing that is there twice.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Call, registryCaller } from '../../../adapters/registry/call.ts';
import { subjectOf } from '../../../adapters/registry/registered-schemas.ts';
import type { LogRecord } from '../../../ports/log.ts';
import { goodIntent } from '../../../samples/intents.ts';
import { type Random, seeded } from '../../../samples/random.ts';
import { selfContained } from '../../../schemas/load.ts';
import { registryOptions } from '../../../services/connections.ts';
import { replayOf } from '../../kit/replay.ts';
import type { ChaosBooks } from '../books.ts';
import type { Desk } from '../desk.ts';
import type { ChaosRecord } from '../feed.ts';
import type { Done } from '../injected.ts';
import { untilItWorks } from '../until-it-works.ts';
import type { World } from '../world.ts';

const INTENTS = 'transfer.requested';

export interface LateSchemaFault {
  readonly kind: 'late-schema';
  readonly intents: number;
  readonly by: 'hand' | 'desk';
  readonly seed: number;
}

export const lateSchemaFault = (intents: number, by: LateSchemaFault['by'], random: Random): LateSchemaFault => ({
  kind: 'late-schema',
  intents,
  by,
  seed: random.below(2 ** 31),
});

/** Intents of a schema that nobody knows yet, and their dead letters. */
export class LateIntents {
  readonly #letters = new Map<string, LogRecord[]>();

  expect(transferId: string): void {
    this.#letters.set(transferId, []);
  }

  /** Keeps the dead letter of one of them. @returns false for that of any other */
  keep(letter: LogRecord): boolean {
    const letters = this.#letters.get(letter.key?.toString() ?? '');
    letters?.push(letter);
    return letters !== undefined;
  }

  lettersOf(transferId: string): readonly LogRecord[] {
    return this.#letters.get(transferId) ?? [];
  }
}

export interface Replaying {
  readonly world: World;
  readonly books: ChaosBooks;
  readonly late: LateIntents;
  readonly desk: Desk;
  /** Feeds these beside the others. */
  readonly feed: (records: readonly ChaosRecord[]) => Promise<void>;
}

/** Readers remember for so long that an id is unknown, and more. */
const FORGOTTEN_AFTER_MS = 15_000;
/** Between a replay and its copy, so that they are not handled together. */
const COPY_AFTER_MS = 2_000;
const LOOK_EVERY_MS = 500;
/** Only what hangs is given up: on a machine that is starved they wait behind all that was fed before. */
const TIMEOUT_MS = 1_800_000;

export async function comeLate(replaying: Replaying, { intents, by, seed }: LateSchemaFault): Promise<Done> {
  const { world, books, late, feed } = replaying;
  const call = registryCaller(registryOptions(world.connections.config));
  const id = await untilItWorks(() => nextId(call, seed));
  const records = lateIntents(world, { intents, seed, id });
  for (const { account } of records) late.expect(account);
  await feed(records);
  const ids = records.map(({ account }) => account);
  await until(() => ids.every((one) => late.lettersOf(one).length > 0));
  const registered = await untilItWorks(() => register(call, seed));
  if (registered !== id) throw new Error(`the registry gave ${registered} to the late schema, and not ${id}`);
  if (by === 'desk') return overHttp(replaying.desk, ids);
  const replays = await replayAll(replaying, ids);
  // Whether each comes to its end is for the books to say, when all is drained.
  const open = ids.filter((one) => !books.hasEnded(one)).length;
  const outcome = `${replays} letters replayed, three times each; ${open} have not ended yet`;
  return { outcome, counts: Array(replays).fill('replays') };
}

/** So many at once. */
const REPLAYS_AT_ONCE = 4;

async function overHttp(desk: Desk, ids: readonly string[]): Promise<Done> {
  await sleep(FORGOTTEN_AFTER_MS);
  const waiting = [...ids];
  let replays = 0;
  const work = async () => {
    for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
      const took = await desk.replay('intake', id);
      replays += took;
    }
  };
  await Promise.all(Array.from({ length: REPLAYS_AT_ONCE }, work));
  const outcome = `${ids.length} letters came to their end over HTTP, by ${replays} replays`;
  return { outcome, counts: Array(replays).fill('replaysOverHttp') };
}

/** Replays whatever letter there is of them, until all have come to an end. */
async function replayAll({ world, books, late }: Replaying, ids: readonly string[]): Promise<number> {
  const { log, config } = world.connections;
  let replays = 0;
  const seen = new Map<string, number>();
  for (const deadline = performance.now() + TIMEOUT_MS; performance.now() < deadline; ) {
    const open = ids.filter((id) => !books.hasEnded(id) && late.lettersOf(id).length > (seen.get(id) ?? 0));
    if (open.length > 0) await sleep(FORGOTTEN_AFTER_MS);
    for (const id of open) seen.set(id, late.lettersOf(id).length);
    const records = open.map((id) =>
      replayOf(late.lettersOf(id).at(-1)!, {
        owner: 'intake',
        replayId: randomUUID(),
        replayedBy: 'chaos-operator',
        rings: config.keys,
      }),
    );
    for (const again of records.length > 0 ? [records, records, records] : []) {
      await untilItWorks(async () => {
        const writer = await log.writer('chaos-replays');
        await writer.send(again).finally(() => writer.close());
      });
      await sleep(COPY_AFTER_MS);
    }
    replays += records.length;
    if (ids.every((id) => books.hasEnded(id))) return replays;
    await sleep(LOOK_EVERY_MS);
  }
  return replays;
}

async function until(done: () => boolean): Promise<void> {
  for (const deadline = performance.now() + TIMEOUT_MS; !done() && performance.now() < deadline; ) {
    await sleep(LOOK_EVERY_MS);
  }
}

/** Good intents with one more field, which is null, under an id that the registry has not given out. */
function lateIntents(
  { connections: { codec } }: World,
  { intents, seed, id }: { readonly intents: number; readonly seed: number; readonly id: number },
): readonly ChaosRecord[] {
  const random = seeded(seed);
  return Array.from({ length: intents }, () => {
    const transferId = randomUUID();
    const ids = { transferId, customerId: randomUUID(), beneficiaryId: randomUUID() };
    const value = Buffer.concat([codec.encode(INTENTS, goodIntent(random, ids, Date.now())), Buffer.from([0])]);
    value.writeInt32BE(id, 1);
    const expected = 'COMPLETED';
    return { key: transferId, value, account: transferId, expected, kind: 'schema-comes-late', late: false };
  });
}

/**
 * The id that the next schema will have: the one behind a schema that nobody had before. The highest id that is known does not
 * tell: a registry may use one up for a schema that it knows under another subject.
 */
async function nextId(call: Call, seed: number): Promise<number> {
  const schema = { type: 'record', name: `Probe${seed}`, namespace: 'chaos', fields: [] };
  const created = await call('POST', `/subjects/chaos-probe-${seed}/versions`, { schema: JSON.stringify(schema) });
  if (created.status !== 200) throw new Error(`the registry refuses the probe: ${JSON.stringify(created.body)}`);
  return (created.body as { id: number }).id + 1;
}

/** The schema of intents with a field more; each seed has another. */
async function register(call: Call, seed: number): Promise<number> {
  const schema = selfContained('corridor.TransferRequested') as { readonly fields: readonly object[] };
  const field = { name: `late${seed}`, type: ['null', 'string'], default: null, doc: 'Not known to readers yet.' };
  const body = { schema: JSON.stringify({ ...schema, fields: [...schema.fields, field] }) };
  const created = await call('POST', `/subjects/${encodeURIComponent(subjectOf(INTENTS))}/versions`, body);
  if (created.status !== 200) throw new Error(`the registry refuses the late schema: ${JSON.stringify(created.body)}`);
  return (created.body as { id: number }).id;
}
