// The recipes of docs/examples/recipes, run as an analyst would, on what the pipeline really made; in the middle of each the schema
// grows. What they answer is counted here from the log.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tableBytes } from '../../adapters/files/table-formats.ts';
import { columnsOf, Rows } from '../../operations/analytics/table.ts';
import { type AvroObject, selfContained } from '../../schemas/load.ts';
import type { TransferLifecycle } from '../../schemas/types.generated.ts';
import { runCorridor } from '../kit/corridor-command.ts';
import { useOwnStack } from '../kit/own-stack.ts';
import { TestPipeline } from '../kit/pipeline.ts';
import { pythonWith } from '../kit/python.ts';
import { readTopic } from '../kit/read-topic.ts';

const RECIPES = path.resolve(import.meta.dirname, '../../docs/examples/recipes');
const TOPIC = 'transfer.lifecycle';
const TRANSFERS = 80;

const servers = useOwnStack('recipes', { ephemeral: true });
const folder = mkdtempSync(path.join(tmpdir(), 'corridor-recipes-'));
let pipeline: TestPipeline;
let python: string;
let rows: readonly TransferLifecycle[];

interface Revenue {
  readonly corridorId: string | null;
  readonly sourceCurrency: string;
  readonly completed: number;
  readonly revenueMinor: number;
}

/** Counted from the log. */
function revenueOf(events: readonly TransferLifecycle[]): readonly Revenue[] {
  const completed = events.filter(({ state }) => state === 'COMPLETED');
  const groups = Map.groupBy(completed, ({ corridorId, sourceCurrency }) => `${corridorId}/${sourceCurrency}`);
  return [...groups.values()]
    .map((group) => ({
      ...{ corridorId: group[0]!.corridorId, sourceCurrency: group[0]!.sourceCurrency, completed: group.length },
      revenueMinor: Number(group.reduce((sum, { feesMinor, marginMinor }) => sum + feesMinor! + marginMinor!, 0n)),
    }))
    .toSorted((one, other) => `${one.corridorId}`.localeCompare(`${other.corridorId}`));
}

interface Running {
  /** Resolves when it says this on standard error; rejects when it ends without. */
  says(text: string): Promise<void>;
  readonly ended: Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }>;
}

function started(script: string, ...args: readonly string[]): Running {
  const child = spawn(python, [path.join(RECIPES, script), ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = once(child, 'close').then(([code]) => ({ code: code as number, stdout, stderr }));
  const says = (text: string) =>
    new Promise<void>((resolve, reject) => {
      const look = () => stderr.includes(text) && resolve();
      child.stderr.on('data', look);
      look();
      void ended.then(() => reject(new Error(`it ended: ${stderr}`)));
    });
  return { says, ended };
}

async function lifecycle(): Promise<readonly TransferLifecycle[]> {
  const { log, codec } = pipeline.connections;
  await codec.load([TOPIC]);
  const records = await readTopic(log, TOPIC);
  const results = await codec.decode(
    TOPIC,
    records.map(({ value }) => value),
  );
  return results.map((result) => {
    if (!result.ok) throw new Error(result.detail);
    return result.value;
  });
}

/** What a release of later writes: a field more, at the end, under a schema of its own. */
async function asLater(events: readonly TransferLifecycle[]): Promise<readonly Buffer[]> {
  const schema = selfContained('corridor.TransferLifecycle') as AvroObject;
  const came = { name: 'cameLater', type: ['null', 'string'], default: null };
  const response = await fetch(`${servers.urls.registryUrl}/subjects/${TOPIC}-value/versions`, {
    method: 'POST',
    headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
    body: JSON.stringify({ schema: JSON.stringify({ ...schema, fields: [...schema.fields!, came] }) }),
  });
  const { id } = (await response.json()) as { readonly id: number };
  expect(response.status).toBe(200);
  const text = Buffer.from('of later');
  return events.map((event) => {
    const bytes = pipeline.connections.codec.encode(TOPIC, event);
    bytes.writeUInt32BE(id, 1);
    // The second branch of the union, and a text with its length: Avro writes both zigzag.
    return Buffer.concat([bytes, Buffer.from([2, text.length * 2]), text]);
  });
}

const copies = (label: string): readonly TransferLifecycle[] =>
  rows
    .filter(({ state }) => state === 'COMPLETED')
    .slice(0, 12)
    .map((row) => ({ ...row, transferId: `${label}-${row.transferId}`, eventId: `${label}-${row.eventId}` }));

async function write(events: readonly TransferLifecycle[], values: readonly Buffer[]): Promise<void> {
  const writer = await pipeline.connections.log.writer('later');
  const records = events.map(({ transferId }, at) => ({
    ...{ topic: TOPIC, partition: 0, key: transferId, value: values[at]!, headers: {} },
  }));
  await writer.send(records);
  await writer.close();
}

beforeAll(async () => {
  python = await pythonWith(path.join(RECIPES, 'requirements.txt'));
  pipeline = await TestPipeline.create({ urls: servers.urls });
  await pipeline.start();
  await pipeline.feed(TRANSFERS, 5150);
  await pipeline.settled();
  await pipeline.stop();
  await pipeline.watch.stop();
  rows = await lifecycle();
  const { code, stderr } = await runCorridor(['analytics', 'export', folder], pipeline.env);
  expect(code, stderr).toBe(0);
}, 900_000);
afterAll(async () => {
  await pipeline?.close();
  rmSync(folder, { recursive: true, force: true });
});

const answerOf = (stdout: string): readonly Revenue[] => JSON.parse(stdout) as readonly Revenue[];

describe('of the exported files', () => {
  /** Files of an earlier release, without what came since, and of a later one, with a column more. */
  function addFiles(): readonly TransferLifecycle[] {
    const added = [copies('before'), copies('after')];
    const here = columnsOf('TransferLifecycle');
    const shapes = [
      here.filter(({ name }) => name !== 'cancelUntil' && name !== 'replayId'),
      [...here, { name: 'cameLater', kind: 'text' } as const],
    ];
    for (const [at, events] of added.entries()) {
      const whole = new Rows(here);
      for (const [offset, event] of events.entries())
        whole.add(event as unknown as Record<string, unknown>, { timestamp: Date.now(), partition: 0, offset });
      const table = shapes[at]!.map(({ name }) => {
        const column = here.findIndex((each) => each.name === name);
        return column < 0 ? events.map(() => 'of later') : whole.table[column]!;
      });
      const place = path.join(folder, TOPIC, 'date=2026-11-01', `hour=0${at}`, 'corridor=GB-IN');
      mkdirSync(place, { recursive: true });
      writeFileSync(path.join(place, `p0-${at}.parquet`), tableBytes('parquet', shapes[at]!, table));
    }
    return added.flat();
  }

  it.each(['pandas_recipe.py', 'polars_recipe.py'])('%s: files of one release, then of three', async (script) => {
    rmSync(path.join(folder, TOPIC, 'date=2026-11-01'), { recursive: true, force: true });
    expect(readdirSync(path.join(folder, TOPIC)).length).toBeGreaterThan(0);
    const one = await started(script, 'files', folder).ended;
    expect(one.code, one.stderr).toBe(0);
    expect(answerOf(one.stdout)).toEqual(revenueOf(rows));
    expect(one.stderr).toMatch(/COMPLETED/);
    const added = addFiles();
    expect(added).toHaveLength(24);
    const three = await started(script, 'files', folder).ended;
    expect(three.code, three.stderr).toBe(0);
    expect(answerOf(three.stdout)).toEqual(revenueOf([...rows, ...added]));
  });
});

describe('straight from Kafka', () => {
  it.each(['pandas_recipe.py', 'polars_recipe.py'])('%s goes on when the schema grows', async (script) => {
    // What the recipe before has left is there too.
    const before = (await readTopic(pipeline.connections.log, TOPIC)).length;
    const earlier = before - rows.length;
    const later = copies(script);
    const args = [servers.urls.kafkaBrokers.join(','), servers.urls.registryUrl, String(before + later.length)];
    const run = started(script, 'kafka', ...args);
    await run.says(`read ${before} rows that were there`);
    await write(later, await asLater(later));
    const { code, stdout, stderr } = await run.ended;
    expect(code, stderr).toBe(0);
    const others = earlier === 0 ? [] : copies('pandas_recipe.py');
    expect(others).toHaveLength(earlier);
    expect(answerOf(stdout)).toEqual(revenueOf([...rows, ...later, ...others]));
  });
});
