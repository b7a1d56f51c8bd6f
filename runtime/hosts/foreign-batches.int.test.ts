// Batches as other clients make them, and batches that nobody can read, through a real broker: the first are handled like
// any other, each of the second is one dead letter under its offsets, and what stands beside it goes through.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { glob } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { groupId } from '../../ports/consumer-groups/names.ts';
import type { Log, LogRecord } from '../../ports/log.ts';
import { transferRequested } from '../../test/kit/builders.ts';
import { intakeHost, logOf } from '../../test/kit/intake-host.ts';
import { batchBy, type Codec } from '../../test/kit/kafka/batches.ts';
import { produceRaw } from '../../test/kit/kafka/raw-produce.ts';
import { memoryCodec } from '../../test/kit/memory-codec.ts';
import { useOwnStack } from '../../test/kit/own-stack.ts';
import { inputTopics, recoveryTopics } from '../../topics/recovery.ts';
import type { Host } from './host.ts';

const APP = 'foreign-test';
const PARTITIONS = 4;
const INTENTS = 'transfer.requested';
const MB = 1_048_576;
const INTAKE = path.resolve(import.meta.dirname, '../../test/kit/intake-host.ts');
const codec = memoryCodec();
const servers = useOwnStack('foreign', { ephemeral: true, kinds: ['kafka'], env: {} });
let log: Log;
let host: Host;

beforeAll(async () => {
  log = logOf(servers.urls.kafkaBrokers, APP);
  const admin = await log.admin();
  const config = { 'message.timestamp.type': 'LogAppendTime', 'max.message.bytes': String(3 * MB) };
  const topics = ['transfer.accepted', 'intent.rejected', 'intent.duplicated', 'transfer.lifecycle'];
  const names = [INTENTS, ...topics, ...recoveryTopics('intake').map(({ name }) => name)];
  await admin.createTopics(names.map((name) => ({ name, partitions: PARTITIONS, replicationFactor: 1, config })));
  await admin.initialiseOffsets(groupId(APP, 'intake'), inputTopics('intake', [INTENTS]));
  await admin.close();
});
afterAll(async () => {
  await host?.stop(10_000);
  await log.close();
});

async function startIntake(): Promise<void> {
  host = intakeHost(log, APP, PARTITIONS);
  await host.start();
}

async function committed(topic: string): Promise<readonly LogRecord[]> {
  const reader = log.reader();
  const records: LogRecord[] = [];
  await reader.read(await reader.offsets([topic]), (batch) => void records.push(...batch.records));
  return records;
}
const keysOn = async (topic: string) => (await committed(topic)).map(({ key }) => String(key)).sort();
const eventually = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 150_000, interval: 200 });

const intents = (...ids: string[]) =>
  ids.map((transferId) => ({
    key: Buffer.from(transferId),
    value: codec.encode(INTENTS, transferRequested({ transferId })),
  }));
const send = async (partition: number, batch: Buffer) =>
  expect(await produceRaw(servers.urls.kafkaBrokers, INTENTS, partition, batch)).toBe(0);
const text = ({ headers }: LogRecord, name: string) => headers[name]?.toString();

/** Changes the log on the disk of the broker: the batch that holds `mark`. */
async function change(partition: number, mark: string, by: (batch: Buffer, mark: number) => void): Promise<void> {
  for await (const file of glob(path.join(servers.stateDir, '**', `${INTENTS}-${partition}`, '*.log'))) {
    const descriptor = openSync(file, 'r+');
    const bytes = Buffer.alloc(4 * MB);
    const size = readSync(descriptor, bytes, 0, bytes.length, 0);
    for (let at = 0; at < size; ) {
      const batch = bytes.subarray(at, at + 12 + bytes.readInt32BE(at + 8));
      const found = batch.indexOf(mark);
      if (found !== -1) by(batch, found);
      if (found !== -1) writeSync(descriptor, batch, 0, batch.length, at);
      if (found !== -1) return closeSync(descriptor);
      at += batch.length;
    }
    closeSync(descriptor);
  }
  throw new Error(`no segment of ${INTENTS}-${partition} holds ${mark}`);
}
const damage = (partition: number, mark: string) => change(partition, mark, (batch, at) => batch.write('#', at));
const loseSize = (partition: number, mark: string) => change(partition, mark, (batch) => batch.writeInt32BE(-1, 8));

describe('batches from outside', () => {
  const CODECS: readonly Codec[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];

  it('are read by every codec, whatever the broker makes of them', async () => {
    for (const [partition, codecName] of CODECS.entries()) {
      const ids = [1, 2, 3].map((n) => `by-${codecName}-${n}`);
      await send(partition % PARTITIONS, batchBy(codecName, intents(...ids)));
    }
    const admin = await log.admin();
    await admin.alterConfig(INTENTS, { 'compression.type': 'zstd' });
    await admin.close();
    for (const codecName of CODECS) await send(0, batchBy(codecName, intents(`anew-${codecName}`)));
    await startIntake();
    const all = CODECS.flatMap((name) => [1, 2, 3].map((n) => `by-${name}-${n}`).concat(`anew-${name}`)).sort();
    await eventually(async () => expect(await keysOn('transfer.accepted')).toEqual(all));
    expect(await committed('intake.dlq')).toEqual([]);
  });

  it('that cannot be read are one dead letter each, under their offsets, once, and their neighbours go through', async () => {
    await host.stop(10_000);
    const before = (await keysOn('transfer.accepted')).length;
    // As it comes, so that the test finds what it damages on the disk.
    const admin = await log.admin();
    await admin.alterConfig(INTENTS, { 'compression.type': 'producer' });
    await admin.close();
    const ends = new Map((await log.reader().offsets([INTENTS])).map(({ partition, to }) => [partition, to]));
    const bomb = batchBy('zstd', [{ key: Buffer.from('bomb'), value: Buffer.alloc(256 * MB) }]);
    expect(bomb.length).toBeLessThan(MB);
    await send(1, batchBy('snappy', intents('before-the-bomb')));
    await send(1, bomb);
    await send(1, batchBy('lz4', intents('after-the-bomb')));
    await send(2, batchBy('none', intents('before-the-damage')));
    await send(2, batchBy('none', intents('damaged-1', 'damaged-2', 'damaged-3')));
    await send(2, batchBy('none', intents('after-the-damage')));
    await send(3, batchBy('gzip', intents('elsewhere')));
    await damage(2, 'damaged-2');
    await startIntake();
    await eventually(async () => expect(await committed('intake.dlq')).toHaveLength(2));
    const wanted = ['after-the-bomb', 'after-the-damage', 'before-the-bomb', 'before-the-damage', 'elsewhere'];
    await eventually(async () => {
      expect(await keysOn('transfer.accepted')).toEqual(expect.arrayContaining(wanted));
    });
    expect(await keysOn('transfer.accepted')).toHaveLength(before + wanted.length);
    const letters = await committed('intake.dlq');
    const places = letters.map((letter) => ({
      at: ['source-topic', 'source-partition', 'source-offset', 'source-last-offset'].map((name) => text(letter, name)),
      code: text(letter, 'dlq-error-code'),
      class: text(letter, 'dlq-class'),
      key: letter.key,
    }));
    const [b, d] = [ends.get(1)! + 1, ends.get(2)! + 1];
    expect(places).toEqual(
      expect.arrayContaining([
        { at: [INTENTS, '1', `${b}`, `${b}`], code: 'BATCH_TOO_LARGE', class: 'undecodable', key: null },
        { at: [INTENTS, '2', `${d}`, `${d + 2}`], code: 'BATCH_CORRUPT', class: 'undecodable', key: null },
      ]),
    );
    // The bytes are the broker's: the batch, under the offset and epoch that it gave.
    const kept = letters.find((letter) => text(letter, 'dlq-error-code') === 'BATCH_TOO_LARGE')!.value!;
    expect(kept.subarray(61).equals(bomb.subarray(61))).toBe(true);
    await eventually(async () => {
      expect(host.health().partitions.every(({ lag, paused }) => lag === 0 && paused === undefined)).toBe(true);
    });
    await host.stop(10_000);
    await startIntake();
    await send(2, batchBy('lz4', intents('after-the-restart')));
    await eventually(async () => expect(await keysOn('transfer.accepted')).toContain('after-the-restart'));
    expect(await committed('intake.dlq')).toHaveLength(2);
  });

  it('whose sizes are damaged stop nothing: what follows is read, and one dead letter names what is not', async () => {
    await host.stop(10_000);
    const before = await keysOn('transfer.accepted');
    const known = new Set((await committed('intake.dlq')).map((letter) => text(letter, 'dlq-id')));
    const ends = new Map((await log.reader().offsets([INTENTS])).map(({ partition, to }) => [partition, to]));
    await send(0, batchBy('none', intents('before-the-loss')));
    await send(0, batchBy('none', intents('lost-1', 'lost-2')));
    for (let n = 0; n < 20; n++) await send(0, batchBy('none', intents(`after-the-loss-${n}`)));
    await send(1, batchBy('none', intents('lost-at-the-end')));
    await send(2, batchBy('none', intents('beside')));
    await loseSize(0, 'lost-1');
    await loseSize(1, 'lost-at-the-end');
    await startIntake();
    const after = Array.from({ length: 20 }, (_, n) => `after-the-loss-${n}`);
    const wanted = [...before, 'before-the-loss', 'beside', ...after].sort();
    await eventually(async () => expect(await keysOn('transfer.accepted')).toEqual(wanted));
    const place = ['source-partition', 'source-offset', 'source-last-offset'];
    const ranges = async () =>
      (await committed('intake.dlq'))
        .filter((letter) => !known.has(text(letter, 'dlq-id')))
        .map((letter) => place.map((name) => text(letter, name)));
    const first = ends.get(0)! + 1;
    expect(await ranges()).toEqual([['0', `${first}`, `${first + 1}`]]);
    // Nothing follows on partition 1: it stands, and says so, and nothing else does.
    await eventually(async () => {
      const paused = host.health().partitions.filter((partition) => partition.paused);
      expect(paused).toMatchObject([{ topic: INTENTS, partition: 1, paused: { code: 'LOG_CORRUPT' } }]);
    });
    expect(host.health().state).toBe('running');
    await send(1, batchBy('none', intents('after-the-end')));
    await eventually(async () => expect(await keysOn('transfer.accepted')).toContain('after-the-end'));
    const last = `${ends.get(1)!}`;
    expect(await ranges()).toEqual(expect.arrayContaining([['1', last, last]]));
    expect(await ranges()).toHaveLength(2);
    expect(host.health().partitions.every(({ paused }) => paused === undefined)).toBe(true);
  });

  it.each(['eos.before-send', 'eos.after-send', 'eos.after-send-offsets', 'eos.commit-sent', 'eos.after-commit'])(
    'are one dead letter each also when the process dies at %s',
    async (failpoint) => {
      await host?.stop(10_000);
      const known = new Set((await committed('intake.dlq')).map((letter) => text(letter, 'dlq-id')));
      const [near, far] = [`near-${failpoint}`, `far-${failpoint}`];
      await send(3, batchBy('none', intents(near)));
      await send(3, batchBy('zstd', [{ value: Buffer.alloc(64 * MB) }]));
      await send(3, batchBy('lz4', intents(far)));
      const args = [INTAKE, servers.urls.kafkaBrokers.join(), APP, String(PARTITIONS)];
      const env = { ...process.env, CORRIDOR_FAILPOINTS: `${failpoint}=kill` };
      const victim = spawn(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'inherit'] });
      expect(await once(victim, 'exit')).toEqual([null, 'SIGKILL']);
      await startIntake();
      await eventually(async () => {
        const keys = await keysOn('transfer.accepted');
        expect(keys.filter((key) => key === near || key === far)).toEqual([far, near]);
      });
      const letters = (await committed('intake.dlq')).filter((letter) => !known.has(text(letter, 'dlq-id')));
      expect(letters.map((letter) => text(letter, 'dlq-error-code'))).toEqual(['BATCH_TOO_LARGE']);
    },
  );
});
