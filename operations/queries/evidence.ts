// The screening evidence of one transfer, from the log: the database holds no personal data.
import { hash } from 'node:crypto';
import type { Codec } from '../../ports/codec.ts';
import { CodedError } from '../../ports/fault.ts';
import type { Log, LogRecord, PartitionRange } from '../../ports/log.ts';
import { hasRing, type Rings, sealFlaw } from '../../ports/seals.ts';
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

/**
 * Whether a record is its stage's word. `NOT_CHECKED`: this program has no key of stages, and whoever may write to the topic may
 * have made it up.
 */
export type EvidenceProof = 'CHECKED' | 'NOT_CHECKED';

/** An event that carries evidence. The parties are personal data. */
export interface FoundEvidence {
  readonly topic: string;
  readonly proof: EvidenceProof;
  readonly sequence: number;
  /** ms since 1970 */
  readonly occurredAt: number;
  readonly evidence: ScreeningEvidence;
  readonly parties: Parties | undefined;
  readonly reasons: readonly string[];
}

/** What stands in the log under the id of a transfer. */
export interface EvidenceInLog {
  readonly proof: EvidenceProof;
  /** By sequence; empty where nothing was found. */
  readonly found: readonly FoundEvidence[];
  /** Records under its id that no stage has sealed, or that do not decode. None of them is shown. */
  readonly strangers: number;
  /** Two of those that are shown say different things at one step: one of them at least is nobody's word. */
  readonly isContradictory: boolean;
}

export interface EvidenceSources {
  readonly log: Pick<Log, 'reader'>;
  readonly codec: Codec;
  /** Of this program: without those of stages nothing is checked, and everything says so. */
  readonly rings: Rings;
  /** Partitions of the topics of the chain. */
  readonly chainPartitions: number;
}

/**
 * Every event of the transfer that carries evidence, by sequence, and the last of them: what was decided in the end.
 *
 * What could happen: somebody who may write to a topic puts a record there under the id of a transfer, and whoever explains it
 * takes that for the word of the stage. What stops it: with the key of stages what they have not sealed is left out and
 * counted; without it each fact says that it was not checked (docs/adr/0020-keys-a-process-needs.md).
 * @throws CodedError EVIDENCE_UNKNOWN
 */
export async function screeningEvidence(
  sources: EvidenceSources,
  transferId: string,
): Promise<EvidenceInLog & { readonly last: FoundEvidence }> {
  const all = await evidenceOf(sources, transferId);
  const last = all.found.at(-1);
  if (last) return { ...all, last };
  const others = all.strangers > 0 ? ` (${all.strangers} records under its id are not of its stages)` : '';
  throw new CodedError(
    'EVIDENCE_UNKNOWN',
    `the log holds no screening evidence of ${transferId}${others}: see \`corridor transfer ${transferId}\``,
  );
}

/** Reads one partition of each topic, and the others only when it holds nothing: partitions may have been added since. */
async function evidenceOf(sources: EvidenceSources, id: string): Promise<EvidenceInLog> {
  const { log, codec, chainPartitions } = sources;
  await codec.load(TOPICS);
  const ranges = await log.reader().offsets(TOPICS);
  const home = homePartition(id, chainPartitions);
  const { at = [], elsewhere = [] } = Object.groupBy(ranges, (range) =>
    range.partition === home ? 'at' : 'elsewhere',
  );
  const found = await evidenceIn(at, sources, id);
  return found.found.length > 0 ? found : evidenceIn(elsewhere, sources, id, found.strangers);
}

async function evidenceIn(
  ranges: readonly PartitionRange[],
  { log, codec, rings }: EvidenceSources,
  id: string,
  strangersElsewhere = 0,
): Promise<EvidenceInLog> {
  const proof: EvidenceProof = hasRing(rings, 'stages') ? 'CHECKED' : 'NOT_CHECKED';
  /** By the hash of topic and value: a copy of a record says nothing more. */
  const found = new Map<string, FoundEvidence>();
  let strangers = strangersElsewhere;
  await log.reader().read(ranges, async ({ topic, records }) => {
    const name = topic as (typeof TOPICS)[number];
    const named = records.filter(({ key }) => key?.toString('utf8') === id);
    const mine = proof === 'CHECKED' ? named.filter((record) => sealFlaw(rings, name, record) === undefined) : named;
    strangers += named.length - mine.length;
    const decoded = await codec.decode(
      name,
      mine.map(({ value }) => value),
    );
    for (const [index, result] of decoded.entries()) {
      if (result.ok) {
        const read = factIn(name, result.value as never, proof);
        if (read) found.set(digestOf(name, mine[index]!), read);
        continue;
      }
      // What a stage has sealed and this build cannot read is no stranger's.
      if (proof === 'CHECKED') throw new CodedError(result.code, `${topic}: ${result.detail}`);
      strangers++;
    }
  });
  const inOrder = [...found.values()].sort((a, b) => a.sequence - b.sequence);
  const steps = new Set(inOrder.map(({ sequence }) => sequence));
  return { proof, found: inOrder, strangers, isContradictory: steps.size < inOrder.length };
}

const digestOf = (topic: string, { value }: LogRecord): string =>
  hash('sha256', `${topic}\n${value?.toString('base64') ?? ''}`, 'base64');

type Evidential = Pick<TransferHeld, 'envelope' | 'parties' | 'screening'> &
  Partial<TransferHeld> & { readonly reasons?: TransferHeld['hold']['reasons'] };

/** Undefined: the event carries no evidence. */
function factIn(topic: string, event: Evidential, proof: EvidenceProof): FoundEvidence | undefined {
  if (event.screening === null) return undefined;
  const reasons = event.hold?.reasons ?? event.reasons ?? [];
  return {
    topic,
    proof,
    sequence: event.envelope.sequence,
    occurredAt: event.envelope.occurredAt,
    evidence: event.screening,
    parties: 'corridor.Parties' in event.parties ? event.parties['corridor.Parties'] : undefined,
    reasons: reasons.map(({ code, detail }) => (detail === '' ? code : detail)),
  };
}
