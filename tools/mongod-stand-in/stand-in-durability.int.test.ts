// What the stand-in keeps when it is killed, and what it says when it cannot start.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Collection, Document } from 'mongodb';
import { afterAll, describe, expect, test } from 'vitest';
import { failToStart, type StandIn, startStandIn } from './test-server.ts';

interface Counter extends Document {
  _id: string;
  version: number;
  state: string;
  log: number[];
}

const root = mkdtempSync(path.join(tmpdir(), 'stand-in-'));
const running = new Set<StandIn>();
let folders = 0;

afterAll(async () => {
  await Promise.all([...running].map((server) => server.kill()));
  rmSync(root, { recursive: true, force: true });
});

const newFolder = (): string => path.join(root, `data${folders++}`);
const numbers = (count: number): number[] => [...Array(count).keys()];

async function start(folder: string, javaOptions = ''): Promise<StandIn> {
  const server = await startStandIn(['--dbpath', folder], javaOptions);
  running.add(server);
  return server;
}

const wasKilled = (error: unknown): boolean => !(error instanceof Error && 'code' in error && error.code === 11000);

describe('kill -9', () => {
  const ROUNDS = 5;
  const WRITERS = 16;
  /** So that some kills hit a checkpoint. */
  const MANY_CHECKPOINTS = '-Dcorridor.standin.journalBytes=200000';

  test('with 16 writers at work loses no acknowledged write in five rounds, and no index disagrees', {
    timeout: 600_000,
  }, async () => {
    const folder = newFolder();
    /** Last acknowledged version of each counter. */
    const versions = new Map<string, number>();
    const events = new Set<string>();
    for (const round of numbers(ROUNDS + 1)) {
      const server = await start(folder, round % 2 === 0 ? '' : MANY_CHECKPOINTS);
      const client = await server.connect({ maxPoolSize: WRITERS + 2 });
      const counters = client.db('kill').collection<Counter>('counters');
      const log = client.db('kill').collection<{ _id: string; round: number }>('events');
      if (round === 0) {
        await counters.createIndex({ state: 1, version: 1 });
        await log.createIndex({ round: 1 });
      }
      await verify(counters, log, versions, events);
      if (round === ROUNDS) {
        await server.stop();
        return;
      }
      let alive = true;
      const writers = numbers(WRITERS).map(async (writer) => {
        for (let i = 0; alive; i++) {
          try {
            await increment(counters, `${writer}-${i % 20}`, versions);
            const batch = numbers(20).map((k) => `${round}-${writer}-${i}-${k}`);
            await log.insertMany(
              batch.map((_id) => ({ _id, round, pad: 'x'.repeat(200) })),
              { ordered: false },
            );
            for (const id of batch) events.add(id);
          } catch (error) {
            if (wasKilled(error)) return;
          }
        }
      });
      // Long enough for some thousand writes; each round is cut off elsewhere in the work.
      await sleep(700 + round * 130);
      await server.kill();
      alive = false;
      await Promise.all(writers);
    }
  });

  async function increment(counters: Collection<Counter>, _id: string, versions: Map<string, number>): Promise<void> {
    const current = (await counters.findOne({ _id }))?.version ?? 0;
    const version = current + 1;
    const result = await counters.updateOne(
      { _id, version: { $lt: version } },
      { $set: { version, state: `s${version % 5}` }, $push: { log: version } } as Document,
      { upsert: true },
    );
    if (result.modifiedCount + result.upsertedCount === 1) versions.set(_id, version);
  }

  async function verify(
    counters: Collection<Counter>,
    log: Collection<{ _id: string; round: number }>,
    versions: ReadonlyMap<string, number>,
    events: ReadonlySet<string>,
  ): Promise<void> {
    const stored = new Map((await counters.find().toArray()).map((counter) => [counter._id, counter]));
    const lost = [...versions].filter(([id, version]) => (stored.get(id)?.version ?? 0) < version);
    expect(lost).toEqual([]);
    const half = [...stored.values()].filter(
      ({ version, state, log: all }) => state !== `s${version % 5}` || all.length !== version,
    );
    expect(half).toEqual([]);
    const found = new Set((await log.find({}, { projection: { _id: 1 } }).toArray()).map(({ _id }) => _id));
    expect([...events].filter((id) => !found.has(id))).toEqual([]);
    for (const state of numbers(5).map((n) => `s${n}`)) {
      const byIndex = (await counters.find({ state }).toArray()).map(({ _id }) => _id).sort();
      expect(byIndex).toEqual(
        [...stored.values()]
          .filter((counter) => counter.state === state)
          .map(({ _id }) => _id)
          .sort(),
      );
    }
    for (const round of numbers(ROUNDS)) {
      expect(await log.countDocuments({ round })).toBe([...found].filter((id) => id.startsWith(`${round}-`)).length);
    }
  }

  test('keeps the catalogue: indexes with their options, renamed and dropped collections', async () => {
    const folder = newFolder();
    let server = await start(folder);
    let db = (await server.connect()).db('kill');
    const options = { unique: true, partialFilterExpression: { open: true } };
    await db.collection('old').createIndex({ a: 1 }, options);
    await db.collection('old').createIndex({ at: 1 }, { expireAfterSeconds: 3_600 });
    await db.collection('old').insertOne({ a: 1, open: true });
    await db.collection('old').rename('new');
    await db.collection('gone').insertOne({ a: 1 });
    await db.collection('gone').drop();
    await db.collection('gone').insertOne({ b: 1 });
    await server.kill();
    server = await start(folder);
    db = (await server.connect()).db('kill');
    expect((await db.listCollections().toArray()).map(({ name }) => name).sort()).toEqual(['gone', 'new']);
    expect(
      await db
        .collection('gone')
        .find({}, { projection: { _id: 0 } })
        .toArray(),
    ).toEqual([{ b: 1 }]);
    expect(await db.collection('new').indexes()).toMatchObject([
      { name: '_id_' },
      { name: 'a_1', ...options },
      { name: 'at_1', expireAfterSeconds: 3_600 },
    ]);
    await expect(db.collection('new').insertOne({ a: 1, open: true })).rejects.toMatchObject({ code: 11000 });
    await server.stop();
  });
});

describe('a start that cannot be', () => {
  /** A data folder with one document in a checkpoint and, when killed, one in the journal. */
  async function usedFolder(): Promise<string> {
    const folder = newFolder();
    const server = await start(folder);
    const db = (await server.connect()).db('test');
    await db.collection('c').createIndex({ a: 1 });
    for (const a of numbers(50)) await db.collection('c').insertOne({ a, pad: 'x'.repeat(500) });
    await server.kill();
    return folder;
  }

  const journal = (folder: string): string =>
    path.join(folder, readdirSync(folder).find((name) => name.startsWith('journal-')) as string);

  test('because the data is in use says so', async () => {
    const folder = newFolder();
    const server = await start(folder);
    const { code, output } = await failToStart('--port', '0', '--dbpath', folder);
    expect(output).toMatch(/in use by another process.*Stop that one first/);
    expect(code).toBe(100);
    await server.stop();
  });

  test('because the data is damaged names the file and the cure', async () => {
    const folder = await usedFolder();
    writeFileSync(path.join(folder, 'stand-in.mv.db'), 'not a store at all'.repeat(1_000));
    const { code, output } = await failToStart('--port', '0', '--dbpath', folder);
    expect(output).toMatch(/stand-in\.mv\.db is damaged .*remove the folder .* and start again/);
    expect(output.trim().split('\n')).toHaveLength(1);
    expect(code).toBe(14);
  });

  test('because the journal is damaged in the middle names the file and the cure', async () => {
    const folder = await usedFolder();
    const bytes = readFileSync(journal(folder));
    const middle = bytes.length >> 1;
    bytes[middle] = ~(bytes[middle] as number) & 0xff;
    writeFileSync(journal(folder), bytes);
    const { code, output } = await failToStart('--port', '0', '--dbpath', folder);
    expect(output).toMatch(/journal-\d+\.log is damaged .*remove the folder .* and start again/);
    expect(code).toBe(14);
  });

  test('does not come from a journal whose last write was cut off', async () => {
    const folder = await usedFolder();
    truncateSync(journal(folder), readFileSync(journal(folder)).length - 7);
    const server = await start(folder);
    expect(await (await server.connect()).db('test').collection('c').countDocuments()).toBe(49);
    await server.stop();
  });

  test('because the folder is a file, the port is taken, the address is public, or an option is wrong', async () => {
    mkdirSync(root, { recursive: true });
    writeFileSync(path.join(root, 'file'), '');
    expect(await failToStart('--port', '0', '--dbpath', path.join(root, 'file'))).toMatchObject({ code: 100 });
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    const { port } = taken.address() as { port: number };
    const inUse = await failToStart('--port', String(port), '--memory');
    taken.close();
    expect(inUse.output).toMatch(new RegExp(`Port ${port} .* choose another with --port`));
    expect(inUse.code).toBe(48);
    expect(await failToStart('--port', '0', '--memory', '--bind_ip', '0.0.0.0')).toMatchObject({ code: 2 });
    expect(await failToStart('--port', '0', '--memory', '--replSet', 'rs0')).toMatchObject({ code: 2 });
    expect(await failToStart('--port', '0')).toMatchObject({
      code: 2,
      output: expect.stringContaining('--dbpath is missing'),
    });
  });

  test('--version answers without starting', async () => {
    expect(await failToStart('--version')).toMatchObject({ code: 0, output: expect.stringMatching(/^db version v7/) });
  });
});
