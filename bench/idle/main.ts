// What the whole installation takes when there is nothing to do: `npm run bench -- idle [--seconds N] [--write]`.
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { cpuBetween } from '../cpu.ts';
import { Stand } from '../pipeline/installation.ts';
import { keepFull, transfers } from '../pipeline/load.ts';
import { watch } from '../pipeline/watch.ts';
import { BENCHMARKS_PAGE, load, table, writeResults, writeSection } from '../report.ts';

/** Transfers that it handles before it rests, so that nothing is at its first time. */
const WARM_UP = 2_000;
const SETTLE_MS = 30_000;
const QUIET_MS = 60_000;

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '60' }, write: { type: 'boolean', default: false } },
});
const seconds = Number(values.seconds);

const stand = await Stand.start({}, (line) => console.error(line));
try {
  await stand.connections.codec.load(['transfer.requested']);
  await stand.run({ name: 'chain', args: ['--processors', 'all'] });
  await stand.run({ name: 'sinks-and-payouts', args: ['--sinks', 'all', '--payouts', '--cases', '--rescreening'] });
  const watching = await watch(stand, ['transfer.completed']);
  await keepFull(stand, transfers(stand, WARM_UP, 'idle'), WARM_UP, () => 0);
  await watching.reaches('transfer.completed', WARM_UP, QUIET_MS);
  await watching.stop();
  console.error(`at rest: ${SETTLE_MS / 1_000} s to settle, ${seconds} s measured`);
  await sleep(SETTLE_MS);
  const before = stand.cpu();
  const began = performance.now();
  await sleep(seconds * 1_000);
  const used = cpuBetween(before, stand.cpu());
  const elapsedMs = performance.now() - began;
  const rows = Object.entries(used)
    .filter(([name]) => name !== 'bench')
    .map(([name, ms]) => [name, Number(((ms * 100) / elapsedMs).toFixed(2))] as const);
  const total = rows.reduce((sum, [, percent]) => sum + percent, 0);
  const text = [
    table(['at rest', 'per cent of a core'], [...rows, ['all together', total.toFixed(1)]]),
    `Over ${seconds} s; load ${load()}.`,
  ].join('\n\n');
  console.log(text);
  if (values.write) {
    writeResults('idle', { seconds, load: load(), percentOfACore: Object.fromEntries(rows), total });
    writeSection(BENCHMARKS_PAGE, 'idle', text);
  }
} finally {
  await stand.stop();
}
