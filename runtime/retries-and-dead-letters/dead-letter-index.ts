// Hosts the index of dead letters: every dead-letter topic into one collection, at least once. It has no dead letters of its
// own: whatever stands there is indexed as far as it can be read, so nothing that is read there can fail.

import { systemClock } from '../../ports/clock.ts';
import type { BatchHandler, BatchResult, LogRecord, RecordBatch } from '../../ports/log.ts';
import { recoverySealFlaw, ringOf } from '../../ports/seals.ts';
import { LETTER_INDEX, ownersOfLetters } from '../../processors/topology.ts';
import type { GroupCounts } from '../../sinks/dead-letters/counts.ts';
import type { DeadLetterDocument } from '../../sinks/dead-letters/letter.ts';
import { type CorridorOf, type ReadLetter, toWrite } from '../../sinks/dead-letters/to-write.ts';
import type { IdempotentStore } from '../../sinks/idempotent-writes.ts';
import { contractOf, contracts, type TopicName } from '../../topics/catalogue.ts';
import { headerText, RECOVERY_HEADER } from '../../topics/headers.ts';
import { deadLetterTopic } from '../../topics/recovery.ts';
import { createConsumerHost } from '../hosts/consumer-host.ts';
import type { Host, HostObserver } from '../hosts/host.ts';
import { createObserver } from '../hosts/observer.ts';
import { pausingHandler } from '../hosts/pausing-handler.ts';
import type { HostRuntime } from '../hosts/processor-host.ts';
import { createRecounts, type Recounts } from './group-recounts.ts';

/** Letters are up to 2 MiB each, so a batch of them is small. */
const MAX_BATCH_RECORDS = 200;

export interface DeadLetterIndexOptions extends HostRuntime {
  readonly store: IdempotentStore<DeadLetterDocument>;
  readonly counts: GroupCounts;
  readonly corridorOf: CorridorOf;
}

const OWNER_OF: ReadonlyMap<string, string> = new Map(ownersOfLetters.map((owner) => [deadLetterTopic(owner), owner]));

/** A host for the index. It needs the keys of stages: only what a stage has sealed is believed about a transfer. */
export function createDeadLetterIndex(options: DeadLetterIndexOptions): Host {
  const { rings, logger, metrics, clock = systemClock } = options;
  ringOf(rings, 'stages');
  const observer = createObserver({ name: LETTER_INDEX, clock, logger, metrics });
  const recounts = createRecounts({
    counts: options.counts,
    clock,
    onFault: ({ code, detail }) =>
      logger.warn({ stage: LETTER_INDEX, code, detail }, 'groups are not counted: waiting'),
  });
  return createConsumerHost({
    ...options,
    name: LETTER_INDEX,
    clock,
    observer,
    schemas: Object.values(contracts).map(({ name }) => name),
    inputs: [...OWNER_OF.keys()],
    delivery: 'at-least-once',
    maxBatchRecords: Math.min(MAX_BATCH_RECORDS, options.maxBatchRecords),
    handler: batchHandler(options, observer, recounts),
    resources: { open: async () => recounts.start(), close: () => recounts.stop() },
  });
}

/** An error that nobody coded pauses too: it is no letter's fault, and none is left out for it. */
const batchHandler = (options: DeadLetterIndexOptions, observer: HostObserver, recounts: Recounts): BatchHandler =>
  pausingHandler(observer, async (batch) => {
    const { topic, records } = batch;
    await write(options, await documentsOf(options, batch));
    recounts.recountSoon();
    observer.records(topic, 'done', records.length);
    const then: BatchResult['then'] = { do: 'continue' };
    return { doneThrough: records.at(-1)!.offset, outputs: [], then };
  });

/** The letters first: should the process die before their groups are touched, the batch comes again, and touches them. */
async function write(
  { store, counts, metrics, logger }: DeadLetterIndexOptions,
  documents: readonly DeadLetterDocument[],
): Promise<void> {
  const { written, stale, conflicting } = await store.insertOnly(documents);
  await counts.touch(documents.map(({ group }) => group));
  metrics.sinkWrites.inc({ consumer: LETTER_INDEX, result: 'written' }, written);
  metrics.sinkWrites.inc({ consumer: LETTER_INDEX, result: 'stale' }, stale);
  metrics.sinkWrites.inc({ consumer: LETTER_INDEX, result: 'failed' }, conflicting.length);
  for (const letterId of conflicting) {
    logger.error({ stage: LETTER_INDEX, code: 'ID_CONFLICT', letterId }, 'two dead letters bear one id');
  }
}

/** The documents of a batch. Rejects only when the registry cannot be asked. */
async function documentsOf(
  { codec, rings, corridorOf }: DeadLetterIndexOptions,
  { topic, topicId = topic, records }: RecordBatch,
): Promise<readonly DeadLetterDocument[]> {
  const owner = OWNER_OF.get(topic)!;
  const letters: ReadLetter[] = records.map((record) => ({
    record,
    topicId,
    owner,
    proven: !record.unreadable && recoverySealFlaw(rings, record) === undefined,
    value: undefined,
  }));
  const bySource = new Map<TopicName, number[]>();
  letters.forEach((letter, place) => {
    const source = letter.proven ? decodableAs(letter.record) : undefined;
    if (source === undefined) return;
    const together = bySource.get(source);
    if (together) together.push(place);
    else bySource.set(source, [place]);
  });
  for (const [source, places] of bySource) {
    const results = await codec.decode(
      source,
      places.map((place) => letters[place]!.record.value),
    );
    places.forEach((place, i) => {
      const result = results[i];
      if (result?.ok) letters[place] = { ...letters[place]!, value: result.value };
    });
  }
  return toWrite(letters, corridorOf);
}

/**
 * The contract topic by which a letter may be decoded. Not what its stage could not decode either, what nothing proved, and
 * batches: for a schema id that somebody made up the registry would be asked for ever.
 */
function decodableAs({ headers, value }: LogRecord): TopicName | undefined {
  if (value === null || headers[RECOVERY_HEADER.sourceLastOffset] !== undefined) return undefined;
  const letterClass = headerText(headers, RECOVERY_HEADER.deadLetterClass);
  if (letterClass === 'undecodable' || letterClass === 'unproven') return undefined;
  const topic = headerText(headers, RECOVERY_HEADER.sourceTopic);
  return topic === undefined ? undefined : contractOf(topic)?.name;
}
