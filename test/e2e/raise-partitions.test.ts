// Partitions are raised from 4 to 6 while transfers flow and every part runs: somebody raises the topic of intents by hand,
// `topics apply` says how to go on, and does it. Each transfer ends once, and verification finds nothing wrong.
import kafkajs from 'kafkajs';
import { afterAll, expect, it } from 'vitest';
import { DEFAULT_MIX } from '../../samples/sample.ts';
import { runCorridor } from '../kit/corridor-command.ts';
import { useOwnStack } from '../kit/own-stack.ts';
import { TestPipeline } from '../kit/pipeline.ts';

const PROCESSES = [
  ['--processors', 'intake'],
  ['--processors', 'screening,fx-pricing,limits,payout-dispatch,settlement'],
  ['--payouts'],
  ['--sinks', 'all', '--cases'],
];
const SIX = { CORRIDOR_CHAIN_PARTITIONS: '6' };

// Topics of its own: other tests of this run count on four partitions.
const servers = useOwnStack('raise');
let pipeline: TestPipeline | undefined;
afterAll(() => pipeline?.close());

async function corridor(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const { code, stdout, stderr } = await runCorridor(args, { ...pipeline!.env, ...env });
  return { code, said: `${stdout}${stderr}` };
}

async function raiseByHand(topic: string, count: number): Promise<void> {
  const { brokers } = pipeline!.connections.config.kafka;
  const admin = new kafkajs.Kafka({ brokers: [...brokers], logLevel: kafkajs.logLevel.NOTHING }).admin();
  await admin.connect();
  await admin.createPartitions({ topicPartitions: [{ topic, count }] });
  await admin.disconnect();
}

it('goes from 4 to 6 under load: each transfer ends once', async () => {
  pipeline = await TestPipeline.create({ urls: servers.urls, processes: PROCESSES });
  await pipeline.start();
  const before = pipeline.feed(120, 31, { rate: 5 });

  await raiseByHand('transfer.requested', 6);
  // A producer of its own counts six partitions at once.
  // Without dead letters: those of new partitions are where the test does not look yet.
  const mix = { ...DEFAULT_MIX, undecodable: 0 };
  const meanwhile = pipeline.feed(60, 32, { rate: 5, chainPartitions: 6, mix });
  const refused = await corridor(['topics', 'apply']);
  expect(refused).toMatchObject({ code: 1, said: expect.stringContaining('CORRIDOR_CHAIN_PARTITIONS=6') });
  const applied = await corridor(['topics', 'apply'], SIX);
  expect(applied, applied.said).toMatchObject({ code: 0, said: expect.stringContaining('transfer.accepted') });
  expect((await corridor(['topics', 'plan'], SIX)).said).toContain('the cluster has everything');
  await Promise.all([before, meanwhile]);
  await pipeline.settled();

  // Rolled out, one after another in the deployment; here all at once, in the middle of the load.
  expect(await pipeline.stop()).toEqual(PROCESSES.map(() => 0));
  // What watches for the test follows the partitions that it found when it began.
  await pipeline.watch.stop();
  await pipeline.watch.start(pipeline.connections.log.reader());
  const after = pipeline.feed(100, 33, { rate: 20, chainPartitions: 6 });
  await pipeline.start(SIX);
  await after;
  await pipeline.settled();

  const ranges = await pipeline.connections.log.reader().offsets(['transfer.accepted', 'payout.requested']);
  const used = ranges.filter(({ from, to }) => to > from).map(({ topic, partition }) => `${topic}/${partition}`);
  expect(used).toEqual(expect.arrayContaining(['transfer.accepted/4', 'transfer.accepted/5', 'payout.requested/5']));
  const verified = await corridor(['verify', '--wait-quiet', '5'], SIX);
  expect(verified, verified.said).toMatchObject({ code: 0 });
}, 900_000);
