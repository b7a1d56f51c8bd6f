// `corridor explain ID`: why a transfer was cleared, held or declined by screening, from the log.
import type { Command } from 'commander';
import { screeningEvidence } from '../../operations/queries/evidence.ts';
import { explainEvidence } from '../../screening/explain-evidence.ts';
import { withConnections } from '../connections.ts';
import { print, toJson, withJson } from '../output.ts';

export function registerExplain(program: Command): void {
  withJson(program.command('explain'))
    .argument('<id>', 'transferId')
    .description('tell in plain words why screening cleared, held or declined a transfer, and check the decision')
    .addHelpText(
      'after',
      `
The evidence is read from the log (the database holds no personal data) and the decision is made again from it.
The output holds personal data.

Example:
  corridor explain 0b0cdf6e-7b3f-5c8e-9a36-64f2b1a4a7ce`,
    )
    .action((id: string, { json }: { json?: boolean }) =>
      withConnections(async (connections) => {
        const { log, codec, config } = connections;
        const { chainPartitions } = config.kafka;
        const { found, last } = await screeningEvidence({ log, codec, chainPartitions }, id);
        if (json) {
          console.log(toJson(last));
          return;
        }
        print(`Transfer ${id}`);
        for (const { topic, sequence, occurredAt, reasons } of found) {
          const why = reasons.length > 0 ? `: ${reasons.join('; ')}` : '';
          print(`  ${sequence}  ${new Date(occurredAt).toISOString()}  ${topic}${why}`);
        }
        print('');
        for (const line of explainEvidence(last.evidence, last.parties)) print(line);
      }),
    );
}
