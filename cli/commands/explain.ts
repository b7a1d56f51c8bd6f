// `corridor explain ID`: why a transfer was cleared, held or declined by screening, from the log.
import type { Command } from 'commander';
import { maskedEvidence } from '../../operations/access/masking.ts';
import { explanationOf } from '../../operations/queries/explanation.ts';
import { withConnections } from '../connections.ts';
import { printDisclosure } from '../disclosure.ts';
import { print, toJson, withJson, withUnmask } from '../output.ts';

interface ExplainOptions {
  readonly json?: boolean;
  readonly unmask?: string;
  readonly disclosure?: boolean;
}

export function registerExplain(program: Command): void {
  withUnmask(withJson(program.command('explain')))
    .argument('<id>', 'transferId')
    .option('--disclosure', 'instead: what it costs, what arrives and when, as the sender is to be told')
    .description('tell in plain words why screening cleared, held or declined a transfer, and check the decision')
    .addHelpText(
      'after',
      `
The evidence is read from the log (the database holds no personal data) and the decision is made again from it. With the
keys of stages (CORRIDOR_STAGE_KEYS) what no stage has sealed is left out; without them each step says that it was not checked.
Names are masked without --unmask.

Example:
  corridor explain 0b0cdf6e-7b3f-5c8e-9a36-64f2b1a4a7ce --unmask CASE_WORK
  corridor explain 0b0cdf6e-7b3f-5c8e-9a36-64f2b1a4a7ce --disclosure`,
    )
    .action((id: string, { json, unmask, disclosure }: ExplainOptions) =>
      withConnections(async (connections) => {
        if (disclosure) return printDisclosure(connections, id, json === true);
        const { log, codec, config } = connections;
        const { chainPartitions } = config.kafka;
        const sight = unmask === undefined ? 'masked' : 'full';
        const sources = { log, codec, rings: config.keys, chainPartitions };
        const explained = await explanationOf(sources, id, sight);
        const { found, last, lines, isReproduced, proof, strangers, isContradictory } = explained;
        if (json) {
          const evidence = maskedEvidence(last.evidence, sight);
          const { parties, ...answer } = { ...last, evidence, proof, strangers, isContradictory };
          console.log(toJson(sight === 'full' ? { ...answer, parties } : answer));
          return;
        }
        print(`Transfer ${id}`);
        for (const { topic, sequence, occurredAt, reasons, proof: step } of found) {
          const why = reasons.length > 0 ? `: ${reasons.join('; ')}` : '';
          const mark = step === 'CHECKED' ? '' : '  (not checked here)';
          print(`  ${sequence}  ${new Date(occurredAt).toISOString()}  ${topic}${mark}${why}`);
        }
        print('');
        for (const line of lines) print(line);
        if (sight !== 'full' && isReproduced !== undefined)
          print(`Made again from this evidence: ${isReproduced ? 'the same' : 'ANOTHER'} decision.`);
      }),
    );
}
