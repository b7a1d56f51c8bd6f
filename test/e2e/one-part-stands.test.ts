// Somebody who has the keys writes garbage to topics of our own: one record is a dead letter, many open the breaker of the stage that reads them. The
// other parts of the process go on, health says what stands and what to do, and verification reports what it cannot read.
import { afterAll, expect, it } from 'vitest';
import { sealed } from '../../ports/seals.ts';
import { runCorridor } from '../kit/corridor-command.ts';
import { useOwnStack } from '../kit/own-stack.ts';
import { TestPipeline } from '../kit/pipeline.ts';

const GARBAGE = Buffer.from('\x00garbage', 'latin1');
// Topics of its own: what is planted here stays.
const servers = useOwnStack('stands');
let pipeline: TestPipeline | undefined;
afterAll(() => pipeline?.close());

async function plant(topic: string, key: string, count: number): Promise<void> {
  const writer = await pipeline!.connections.log.writer('stranger');
  const record = sealed(pipeline!.connections.config.keys, { topic, partition: 0, key, value: GARBAGE, headers: {} });
  await writer.send(new Array(count).fill(record));
  await writer.close();
}

/** Records in a topic. */
async function size(topic: string): Promise<number> {
  const ranges = await pipeline!.connections.log.reader().offsets([topic]);
  let records = 0;
  await pipeline!.connections.log.reader().read(ranges, (batch) => {
    records += batch.records.length;
  });
  return records;
}

interface Health {
  readonly ready: boolean;
  readonly standing: readonly { readonly name: string; readonly code: string; readonly toDo: string }[];
  readonly hosts: readonly { readonly name: string; readonly state: string }[];
}
async function health(which = '/health'): Promise<{ status: number; body: Health }> {
  const [child] = pipeline!.processes;
  const response = await fetch(`${child!.ready['health'] as string}${which}`);
  return { status: response.status, body: (await response.json()) as Health };
}

it('one record of garbage stops nothing; many stop one part, and the others go on', async () => {
  pipeline = await TestPipeline.create({ urls: servers.urls });
  await pipeline.start();
  await plant('transfer.priced', 'stranger', 1);
  await plant('fx.rates', 'sample/GBP/INR', 1);
  await pipeline.feed(60, 41);
  await pipeline.settled();
  expect(await size('limits.dlq')).toBe(1);
  expect((await health('/health/ready')).status).toBe(200);

  await plant('transfer.priced', 'stranger', 40);
  await expect
    .poll(async () => (await health()).body.standing, { timeout: 60_000 })
    .toMatchObject([{ name: 'limits', code: 'DLQ_BREAKER_OPEN', toDo: expect.stringContaining('limits.dlq') }]);
  expect(await size('limits.dlq')).toBeLessThanOrEqual(26);
  expect((await health('/health/live')).status).toBe(200);
  // The stages before it go on.
  const before = pipeline.watch.stages.get('limits')!.in;
  await pipeline.feed(60, 42);
  await expect.poll(() => pipeline!.watch.stages.get('limits')!.in, { timeout: 60_000 }).toBeGreaterThan(before + 30);
  const states = (await health()).body.hosts.map(({ name, state }) => [name, state]);
  expect(Object.fromEntries(states)).toMatchObject({
    intake: 'running',
    'fx-pricing': 'running',
    settlement: 'running',
  });

  // Verification says where they stand, and does not die of them.
  const { code, stdout, stderr } = await runCorridor(['verify', '--json'], pipeline.env);
  expect(stdout, stderr).not.toBe('');
  const report = JSON.parse(stdout) as {
    codes: Record<string, number>;
    findings: { code: string; position: string }[];
  };
  expect(code).not.toBe(0);
  expect(report.codes['RECORD_UNREADABLE']).toBe(41);
  expect(report.findings.find(({ code }) => code === 'RECORD_UNREADABLE')?.position).toContain('transfer.priced/0/');

  // They rightly are dead letters: started once with a higher limit, everything comes to its end.
  await pipeline.stop();
  await pipeline.start({ CORRIDOR_DLQ_BREAKER_MAX_RUN: '1000' });
  await pipeline.settled();
  expect(await size('limits.dlq')).toBe(41);
}, 900_000);
