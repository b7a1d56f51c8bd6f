// What an operator waits for: `npm run bench -- dead-letters [--letters N] [--groups N] [--looks N] [--replayed N] [--rate N] [--write]`.
// The groups and pages of an index of many dead letters, and a replay at the rate that was asked for, over a broker and a
// database of the benchmark's own. Its processor is played: it comes past what was sent, and each transfer is completed.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { MongoClient } from 'mongodb';
import { createLog } from '../../adapters/kafka/log.ts';
import { deadLetters } from '../../adapters/mongo/dead-letters.ts';
import { startStack } from '../../infra/local/stack.ts';
import { BENCHMARKS_PAGE, load, table, writeResults, writeSection } from '../report.ts';
import { fillIndex, fillTopic } from './fill.ts';
import { lookCosts } from './lists.ts';
import { replayRate } from './replay.ts';

const { values } = parseArgs({
  options: {
    letters: { type: 'string', default: '100000' },
    groups: { type: 'string', default: '60' },
    looks: { type: 'string', default: '100' },
    replayed: { type: 'string', default: '10000' },
    rate: { type: 'string', default: '500' },
    write: { type: 'boolean', default: false },
  },
});
const [letters, groups, looks] = [Number(values.letters), Number(values.groups), Number(values.looks)];
const [replayed, rate] = [Math.min(Number(values.replayed), letters), Number(values.rate)];

const stateDir = mkdtempSync(path.join(tmpdir(), 'corridor-bench-'));
const stack = await startStack({ stateDir, ephemeral: true, kinds: ['mongo', 'kafka'], env: {} });
const client = new MongoClient(stack.urls.mongoUri, { writeConcern: { w: 'majority' }, maxPoolSize: 20 });
const log = createLog({ brokers: stack.urls.kafkaBrokers, appName: 'bench', clientId: 'bench' });
try {
  await client.connect();
  const db = client.db('bench');
  const loadBefore = load();
  const topicId = await fillTopic(log, replayed);
  const { countedMs } = await fillIndex(db, { letters, groups, topicId });
  const costs = await lookCosts(deadLetters(db), looks);
  const run = await replayRate(db, log, { letters: replayed, rate });
  const text = [
    table(
      [`${letters.toLocaleString('en')} letters in ${groups} groups`, 'p50 ms', 'p95 ms', 'aim, p95'],
      costs.map(({ what, p50Ms, p95Ms, aimMs }) => [what, p50Ms, p95Ms, `< ${aimMs} ms`]),
    ),
    `All groups counted anew: ${Math.round(countedMs)} ms. ${replayed.toLocaleString('en')} letters replayed at ${rate} a second: ${run.perSecond} a second between the first and the last (${run.offPercent} % off the rate asked for; the aim is 5 %), each sent once.`,
    `${looks} looks each, one after the other, after as many that do not count; load ${loadBefore} before and ${load()} after, on two cores. The database is ${stack.urls.mongoUri.includes('127.0.0.1') ? 'what the local stack finds' : 'a server elsewhere'}.`,
  ].join('\n\n');
  console.log(text);
  if (values.write) {
    writeResults('dead-letters', {
      letters,
      groups,
      looks,
      costs,
      countedMs,
      replay: run,
      loadBefore,
      loadAfter: load(),
    });
    writeSection(BENCHMARKS_PAGE, 'dead-letters', text);
  }
} finally {
  await log.close();
  await client.close();
  await stack.stop();
}
