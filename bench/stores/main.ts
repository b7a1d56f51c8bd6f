// What a paid transfer costs the database: round trips, writes and processor time, step by step, at a steady rate.
//   npm run bench -- stores [transfers=20000] [rate=1500] [partitions=12] [batch=500] [linger=20] [write=1000] [steps=events,view]
import { randomBytes } from 'node:crypto';
import { feed } from './paced-records.ts';
import { startDatabase } from './server.ts';
import { STEPS } from './steps.ts';

const argument = (name: string, otherwise: number) => {
  const given = process.argv.find((text) => text.startsWith(`${name}=`));
  return given === undefined ? otherwise : Number(given.slice(name.length + 1));
};
const transfers = argument('transfers', 20_000);
const rate = argument('rate', 1_500);
const partitions = argument('partitions', 12);
const maxBatch = argument('batch', 500);
const lingerMs = argument('linger', 20);
const maxWrite = argument('write', 2 * maxBatch);
const only = process.argv
  .find((text) => text.startsWith('steps='))
  ?.slice('steps='.length)
  .split(',');
const names = Object.keys(STEPS).filter((name) => only === undefined || only.includes(name));

const database = await startDatabase();
console.log(
  `${transfers} transfers at ${rate}/s, ${partitions} partitions, batches of ${maxBatch} after ${lingerMs} ms, merged up to ${maxWrite}`,
);
console.log(
  '| step | transfers/s | round trips a transfer | statements a transfer | server µs a transfer | client µs a transfer |',
);
console.log('|---|---|---|---|---|---|');
const sum = { commands: 0, writes: 0, serverMs: 0, clientMs: 0 };
for (const name of names) {
  await run(name, Math.min(transfers, 10_000)); // the server's compiler warms up
  const { elapsedMs, costs } = await run(name, transfers);
  for (const key of Object.keys(sum) as (keyof typeof sum)[]) sum[key] += costs[key];
  row(name, Math.round((transfers * 1_000) / elapsedMs), costs);
}
row('all', '', sum);
await database.stop();

async function run(name: string, count: number) {
  const step = await STEPS[name]!(database.db, randomBytes(4).toString('hex'), { partitions, maxWrite });
  database.takeCosts();
  const startedAt = performance.now();
  await feed({ transfers: count, rate, partitions, maxBatch, lingerMs, ...step } as never);
  await step.settled?.(count);
  const elapsedMs = performance.now() - startedAt;
  const costs = database.takeCosts();
  await step.stop?.();
  return { elapsedMs, costs };
}

function row(name: string, perSecond: number | '', { commands, writes, serverMs, clientMs }: typeof sum): void {
  const each = (value: number, digits: number) => Number((value / transfers).toFixed(digits));
  const cells = [
    name,
    perSecond,
    each(commands, 3),
    each(writes, 2),
    each(serverMs * 1_000, 0),
    each(clientMs * 1_000, 0),
  ];
  console.log(`| ${cells.join(' | ')} |`);
}
