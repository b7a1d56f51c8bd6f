// `corridor explain ID`: why a transfer was cleared, held or declined by screening, from the log.
import type { Command } from 'commander';
import { CodedError } from '../../ports/fault.ts';
import type { PartitionRange } from '../../ports/log.ts';
import type { Parties, ScreeningEvidence, TransferHeld } from '../../schemas/types.generated.ts';
import { tellEvidence } from '../../screening/tell.ts';
import type { Connections } from '../../services/connect.ts';
import type { TopicName } from '../../topics/catalogue.ts';
import { homePartition } from '../../topics/home-partition.ts';
import { withConnections } from '../connections.ts';
import { print, toJson, withJson } from '../output.ts';

/** Topics whose events carry the evidence, in the order of the chain. */
const TOPICS = [
  'transfer.screened',
  'transfer.held',
  'payout.requested',
  'transfer.completed',
  'transfer.rejected',
] as const satisfies readonly TopicName[];

interface Found {
  readonly topic: string;
  readonly sequence: number;
  readonly occurredAt: number;
  readonly evidence: ScreeningEvidence;
  readonly parties: Parties | undefined;
  readonly reasons: readonly string[];
}

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
        const found = await evidenceOf(connections, id);
        const last = found.at(-1);
        if (!last) {
          throw new CodedError(
            'EVIDENCE_UNKNOWN',
            `the log holds no screening evidence of ${id}: see \`corridor transfer ${id}\``,
          );
        }
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
        for (const line of tellEvidence(last.evidence, last.parties)) print(line);
      }),
    );
}

/**
 * Every event of the transfer that carries evidence, by sequence. Reads one partition of each topic, and the others only
 * when it holds nothing: partitions may have been added since.
 */
async function evidenceOf(connections: Connections, id: string): Promise<readonly Found[]> {
  const { config, log, codec } = connections;
  await codec.load(TOPICS);
  const ranges = await log.reader().offsets(TOPICS);
  const home = homePartition(id, config.kafka.chainPartitions);
  const { at = [], elsewhere = [] } = Object.groupBy(ranges, (range) =>
    range.partition === home ? 'at' : 'elsewhere',
  );
  const found = await evidenceIn(at, connections, id);
  return found.length > 0 ? found : evidenceIn(elsewhere, connections, id);
}

async function evidenceIn(
  ranges: readonly PartitionRange[],
  { log, codec }: Connections,
  id: string,
): Promise<readonly Found[]> {
  const reader = log.reader();
  const found: Found[] = [];
  await reader.read(ranges, async ({ topic, records }) => {
    const mine = records.filter(({ key }) => key?.toString('utf8') === id);
    if (mine.length === 0) return;
    const name = topic as (typeof TOPICS)[number];
    for (const result of await codec.decode(
      name,
      mine.map(({ value }) => value),
    )) {
      if (!result.ok) throw new CodedError(result.code, `${topic}: ${result.detail}`);
      const event = result.value as Pick<TransferHeld, 'envelope' | 'parties' | 'screening'> & Partial<TransferHeld>;
      if (event.screening === null) continue;
      const reasons = event.hold?.reasons ?? (event as { reasons?: TransferHeld['hold']['reasons'] }).reasons ?? [];
      found.push({
        topic,
        sequence: event.envelope.sequence,
        occurredAt: event.envelope.occurredAt,
        evidence: event.screening,
        parties: 'corridor.Parties' in event.parties ? event.parties['corridor.Parties'] : undefined,
        reasons: reasons.map(({ code, detail }) => (detail === '' ? code : detail)),
      });
    }
  });
  return found.sort((a, b) => a.sequence - b.sequence);
}
