// What is asked of the log beside the work itself: `npm run bench -- beside [--rounds N] [--write]`. The claim of an attempt
// of a payout, which its first byte waits for, and the question after topics, which goes with each heartbeat.
import { parseArgs } from 'node:util';
import { Connections } from '../../adapters/kafka/client.ts';
import { createLog } from '../../adapters/kafka/log.ts';
import { settingsOf } from '../../adapters/kafka/options.ts';
import { type KnownTopics, TopicWatch } from '../../adapters/kafka/topic-watch.ts';
import type { LocalStack } from '../../infra/local/stack.ts';
import { logAttemptClaims } from '../../runtime/attempt-claims.ts';
import { memoryCodec } from '../../test/kit/memory-codec.ts';
import { testRings } from '../../test/kit/rings.ts';
import { payoutAttempts } from '../../topics/boundary.ts';
import { brokerCpuMs, startBroker } from '../copy/stack.ts';
import { BENCHMARKS_PAGE, load, table, writeResults, writeSection } from '../report.ts';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '400' }, write: { type: 'boolean', default: false } },
});
const rounds = Number(values.rounds);
/** Before it counts: code is compiled, connections are there. */
const WARM_UP = 200;
/** As many topics and partitions as the stage has that reads most. */
const TOPICS = 5;
const PARTITIONS = 12;
/** Claims that go together: one alone, and what a worker gathers while one is on its way. */
const TOGETHER = [1, 20, 200];

interface Cost {
  readonly what: string;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of each claim or question. */
  readonly processMicros: number;
  readonly brokerMicros: number;
  readonly load: number;
}

/** Asks again and again, one after the other; `parts`: what one call counts as. */
async function costOf(what: string, parts: number, stack: LocalStack, ask: () => Promise<unknown>): Promise<Cost> {
  for (let round = 0; round < WARM_UP; round++) await ask();
  const took: number[] = [];
  const broker = brokerCpuMs(stack) ?? Number.NaN;
  const { user, system } = process.cpuUsage();
  for (let round = 0; round < rounds; round++) {
    const began = performance.now();
    await ask();
    took.push(performance.now() - began);
  }
  const used = process.cpuUsage({ user, system });
  took.sort((one, other) => one - other);
  const each = (micros: number) => Number((micros / rounds / parts).toFixed(1));
  const at = (share: number) => Number(took[Math.floor((took.length - 1) * share)]!.toFixed(1));
  return {
    what,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    processMicros: each(used.user + used.system),
    brokerMicros: each(((brokerCpuMs(stack) ?? Number.NaN) - broker) * 1_000),
    load: load(),
  };
}

async function claimCosts(stack: LocalStack, log: ReturnType<typeof createLog>): Promise<readonly Cost[]> {
  const claims = logAttemptClaims({
    log,
    writer: await log.writer('payout-attempts'),
    codec: memoryCodec(),
    rings: testRings,
    onFault: (code, detail) => console.error(`${code}: ${detail}`),
  });
  await claims.start();
  const costs: Cost[] = [];
  let made = 0;
  for (const together of TOGETHER) {
    const some = () =>
      Array.from({ length: together }, () => {
        const payoutId = `0198c9a2-0000-7000-8000-${String(made++).padStart(12, '0')}`;
        return {
          payoutId,
          attempt: 2,
          startedAt: Date.now(),
          token: null,
          earlier: [{ number: 1, startedAt: Date.now() - 60_000, token: null }],
        };
      });
    costs.push(await costOf(`claims, ${together} together`, together, stack, () => claims.claim(some())));
  }
  await claims.stop();
  return costs;
}

async function lookCost(stack: LocalStack, names: readonly string[]): Promise<Cost> {
  const settings = settingsOf({ brokers: stack.urls.kafkaBrokers, appName: 'bench', clientId: 'bench' });
  const watch = new TopicWatch(new Connections(settings), names, (error) => console.error(error));
  const admin = await createLog({ brokers: stack.urls.kafkaBrokers, appName: 'bench', clientId: 'bench' }).admin();
  const described = await admin.describeTopics([...names]);
  await admin.close();
  const known: KnownTopics = {
    ids: described.map(({ name, topicId }) => [name, topicId!] as const),
    counts: new Map(names.map((name) => [name, PARTITIONS])),
  };
  const what = `question after ${TOPICS} topics of ${PARTITIONS} partitions`;
  const cost = await costOf(what, 1, stack, async () => {
    const { madeAnew, isRaised } = await watch.look(known);
    if (madeAnew !== undefined || isRaised) throw new Error('nothing was to be new');
  });
  watch.close();
  return cost;
}

const stack = await startBroker();
const log = createLog({ brokers: stack.urls.kafkaBrokers, appName: 'bench', clientId: 'bench' });
try {
  const names = Array.from({ length: TOPICS }, (_, at) => `beside-${at}`);
  const admin = await log.admin();
  await admin.createTopics([
    { name: payoutAttempts.name, partitions: 1, replicationFactor: 1, config: {} },
    ...names.map((name) => ({ name, partitions: PARTITIONS, replicationFactor: 1, config: {} })),
  ]);
  await admin.close();
  const costs = [...(await claimCosts(stack, log)), await lookCost(stack, names)];
  const text = [
    table(
      ['asked', 'p50 / p99 ms', 'process, µs each', 'broker, µs each', 'load'],
      costs.map(({ what, p50Ms, p99Ms, processMicros, brokerMicros, load }) => [
        what,
        `${p50Ms} / ${p99Ms}`,
        processMicros,
        brokerMicros,
        load,
      ]),
    ),
    `${rounds} calls each, one after the other.`,
  ].join('\n\n');
  console.log(text);
  if (values.write) {
    writeResults('beside', { rounds, costs });
    writeSection(BENCHMARKS_PAGE, 'beside', text);
  }
} finally {
  await log.close();
  await stack.stop();
}
