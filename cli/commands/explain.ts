// `corridor explain ID`: why a transfer was cleared, held or declined by screening, from the log.
import type { Command } from 'commander';
import { maskedEvidence } from '../../operations/access/masking.ts';
import { explanationOf } from '../../operations/queries/explanation.ts';
import { withConnections } from '../connections.ts';
import { print, toJson, withJson, withUnmask } from '../output.ts';

export function registerExplain(program: Command): void {
  withUnmask(withJson(program.command('explain')))
    .argument('<id>', 'transferId')
    .description('tell in plain words why screening cleared, held or declined a transfer, and check the decision')
    .addHelpText(
      'after',
      `
The evidence is read from the log (the database holds no personal data) and the decision is made again from it.
Names are masked without --unmask.

Example:
  corridor explain 0b0cdf6e-7b3f-5c8e-9a36-64f2b1a4a7ce --unmask CASE_WORK`,
    )
    .action((id: string, { json, unmask }: { json?: boolean; unmask?: string }) =>
      withConnections(async (connections) => {
        const { log, codec, config } = connections;
        const { chainPartitions } = config.kafka;
        const sight = unmask === undefined ? 'masked' : 'full';
        const { found, last, lines, isReproduced } = await explanationOf({ log, codec, chainPartitions }, id, sight);
        if (json) {
          const { parties, ...answer } = { ...last, evidence: maskedEvidence(last.evidence, sight) };
          console.log(toJson(sight === 'full' ? { ...answer, parties } : answer));
          return;
        }
        print(`Transfer ${id}`);
        for (const { topic, sequence, occurredAt, reasons } of found) {
          const why = reasons.length > 0 ? `: ${reasons.join('; ')}` : '';
          print(`  ${sequence}  ${new Date(occurredAt).toISOString()}  ${topic}${why}`);
        }
        print('');
        for (const line of lines) print(line);
        if (sight !== 'full' && isReproduced !== undefined)
          print(`Made again from this evidence: ${isReproduced ? 'the same' : 'ANOTHER'} decision.`);
      }),
    );
}
