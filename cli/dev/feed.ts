// `corridor feed`: sample transfers into a running pipeline.

import type { Command } from 'commander';
import { publishSampleRates } from '../../samples/rates.ts';
import { sampleFeed } from '../../samples/sample.ts';
import { listedPersons, loadSampleList } from '../../screening/lists/sample/load.ts';
import { withConnections } from '../connections.ts';
import { print, toJsonLine, count as whole, withJson } from '../output.ts';
import { progressBar } from '../progress.ts';
import { publish } from '../publish.ts';

interface FeedOptions {
  readonly count: number;
  readonly rate?: number;
  readonly seed: number;
  readonly json?: boolean;
}

export function registerFeed(program: Command): void {
  withJson(program.command('feed'))
    .description('publish sample transfers (good, rejected, held, failing, repeated, broken) and fresh sample rates')
    .option('--count <n>', 'how many', whole, 100)
    .option('--rate <n>', 'records a second; default: as fast as they are taken', whole)
    .option('--seed <n>', 'the same seed gives the same mix', whole, 1)
    .addHelpText(
      'after',
      '\nExamples:\n  corridor feed --count 1000\n  corridor feed --count 60000 --rate 1000 --seed 7',
    )
    .action(({ count, rate, seed, json }: FeedOptions) =>
      withConnections(async ({ log, codec, config }) => {
        const runId = Date.now().toString(36);
        await codec.load(['transfer.requested']);
        const writer = await log.writer('feed');
        await publishSampleRates(writer, codec, config.keys);
        const records = sampleFeed({
          count,
          seed,
          runId,
          now: Date.now(),
          listedNames: listedPersons(await loadSampleList()),
          encode: (intent) => codec.encode('transfer.requested', intent),
        });
        const bar = progressBar(count);
        const published = await publish(records, {
          writer,
          chainPartitions: config.kafka.chainPartitions,
          ...(rate ? { rate } : {}),
          onPublished: (total) => bar.update(total),
        });
        bar.stop();
        await writer.close();
        print(json ? toJsonLine({ published, runId, seed }) : `published ${published} (run ${runId}, seed ${seed})`);
      }),
    );
}
