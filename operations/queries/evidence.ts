// The screening evidence of one transfer, from the log: the database holds no personal data.
import type { Codec } from '../../ports/codec.ts';
import { CodedError } from '../../ports/fault.ts';
import type { Log, PartitionRange } from '../../ports/log.ts';
import type { Parties, ScreeningEvidence, TransferHeld } from '../../schemas/types.generated.ts';
import type { TopicName } from '../../topics/catalogue.ts';
import { homePartition } from '../../topics/home-partition.ts';

/** Topics whose events carry the evidence, in the order of the chain. */
const TOPICS = [
  'transfer.screened',
  'transfer.held',
  'payout.requested',
  'transfer.completed',
  'transfer.rejected',
] as const satisfies readonly TopicName[];

/** An event that carries evidence. The parties are personal data. */
export interface FoundEvidence {
  readonly topic: string;
  readonly sequence: number;
  /** ms since 1970 */
  readonly occurredAt: number;
  readonly evidence: ScreeningEvidence;
  readonly parties: Parties | undefined;
  readonly reasons: readonly string[];
}

export interface EvidenceSources {
  readonly log: Pick<Log, 'reader'>;
  readonly codec: Codec;
  /** Partitions of the topics of the chain. */
  readonly chainPartitions: number;
}

/**
 * Every event of the transfer that carries evidence, by sequence, and the last of them: what was decided in the end.
 * @throws CodedError EVIDENCE_UNKNOWN
 */
export async function screeningEvidence(
  sources: EvidenceSources,
  transferId: string,
): Promise<{ readonly found: readonly FoundEvidence[]; readonly last: FoundEvidence }> {
  const found = await evidenceOf(sources, transferId);
  const last = found.at(-1);
  if (last) return { found, last };
  throw new CodedError(
    'EVIDENCE_UNKNOWN',
    `the log holds no screening evidence of ${transferId}: see \`corridor transfer ${transferId}\``,
  );
}

/**
 * Every event of the transfer that carries evidence, by sequence. Reads one partition of each topic, and the others only
 * when it holds nothing: partitions may have been added since.
 */
async function evidenceOf(sources: EvidenceSources, id: string): Promise<readonly FoundEvidence[]> {
  const { log, codec, chainPartitions } = sources;
  await codec.load(TOPICS);
  const ranges = await log.reader().offsets(TOPICS);
  const home = homePartition(id, chainPartitions);
  const { at = [], elsewhere = [] } = Object.groupBy(ranges, (range) =>
    range.partition === home ? 'at' : 'elsewhere',
  );
  const found = await evidenceIn(at, sources, id);
  return found.length > 0 ? found : evidenceIn(elsewhere, sources, id);
}

async function evidenceIn(
  ranges: readonly PartitionRange[],
  { log, codec }: EvidenceSources,
  id: string,
): Promise<readonly FoundEvidence[]> {
  const reader = log.reader();
  const found: FoundEvidence[] = [];
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
