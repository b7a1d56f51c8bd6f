// The audit log of a process: the sequencer, and the index for reading. Each is a part: the log goes on without the database.
import { auditIndex } from '../../adapters/mongo/audit-index.ts';
import { catchUp, takeIn } from '../../operations/audit/indexer.ts';
import { createSequencer, requireSigningKeys, type Sequenced } from '../../operations/audit/sequencer.ts';
import { systemClock } from '../../ports/clock.ts';
import type { BatchHandler } from '../../ports/log.ts';
import { AUDIT_INDEX, AUDIT_SEQUENCER } from '../../processors/topology.ts';
import { createConsumerHost } from '../../runtime/hosts/consumer-host.ts';
import { createObserver } from '../../runtime/hosts/observer.ts';
import { pausingHandler } from '../../runtime/hosts/pausing-handler.ts';
import type { HostRuntime } from '../../runtime/hosts/processor-host.ts';
import { AUDIT_TOPICS, auditKeys } from '../audit.ts';
import type { Connections } from '../connections.ts';
import type { Hosted } from './processors.ts';

/** A checkpoint follows its entries within two seconds, or after a thousand of them. */
const MAX_ENTRIES = 1_000;
const GATHERING_MS = 500;

/** The one sequencer: whoever takes over its transactional id ends the one before. */
export async function sequencerHosts({ config }: Connections, runtime: HostRuntime): Promise<Hosted> {
  const { clock = systemClock, logger, metrics, rings, codec, log } = runtime;
  const signingKeys = requireSigningKeys(config.audit.signingKeys);
  const observer = createObserver({ name: AUDIT_SEQUENCER, clock, logger, metrics });
  const onSequenced = ({ entries, repeated, refused, checkpoint }: Sequenced) => {
    observer.records('audit.entries', 'done', entries - refused.size);
    observer.records('audit.entries', 'dropped', repeated);
    for (const [code, count] of refused) {
      metrics.faults.inc({ consumer: AUDIT_SEQUENCER, code }, count);
      logger.error({ stage: AUDIT_SEQUENCER, code, count }, 'records of audit.entries are no entries');
    }
    if (checkpoint === undefined) return;
    metrics.auditEntries.set(checkpoint.size);
    metrics.auditSignedAt.set(clock.now() / 1_000);
  };
  const handler = createSequencer({
    codec,
    rings,
    reader: log.reader(),
    signingKeys,
    publicKeys: auditKeys(config),
    clock,
    onSequenced,
  });
  const host = createConsumerHost({
    ...runtime,
    name: AUDIT_SEQUENCER,
    clock,
    observer,
    schemas: AUDIT_TOPICS,
    inputs: ['audit.entries'],
    delivery: 'exactly-once',
    maxBatchRecords: MAX_ENTRIES,
    lingerMs: GATHERING_MS,
    handler: pausingHandler(observer, handler),
  });
  return { hosts: [host], resources: [] };
}

/** The index of the log, made again from it where the database lacks something. */
export async function indexHosts(connections: Connections, runtime: HostRuntime): Promise<Hosted> {
  const { clock = systemClock, logger, metrics, codec, log } = runtime;
  const index = auditIndex(await connections.db());
  await index.ensureIndexes();
  const observer = createObserver({ name: AUDIT_INDEX, clock, logger, metrics });
  const parts = { codec, index, reader: log.reader() };
  const handler: BatchHandler = async ({ records }) => {
    await takeIn(parts, records);
    observer.records('audit.log', 'done', records.length);
    const then = { do: 'continue' } as const;
    return { doneThrough: records.at(-1)!.offset, outputs: [], then };
  };
  const host = createConsumerHost({
    ...runtime,
    name: AUDIT_INDEX,
    clock,
    observer,
    schemas: AUDIT_TOPICS,
    inputs: ['audit.log'],
    delivery: 'at-least-once',
    maxBatchRecords: MAX_ENTRIES,
    handler: pausingHandler(observer, handler),
    resources: {
      open: async () => {
        const count = await catchUp(parts);
        if (count > 0) logger.info({ stage: AUDIT_INDEX, count }, 'the index of the audit log is made from the log');
      },
      close: async () => undefined,
    },
  });
  return { hosts: [host], resources: [] };
}
