// How long a verification takes and how much memory it needs: made-up transfers, each of a customer of its own and paid,
// streamed as a log would be. No servers, no stores: reading from Kafka and comparing with MongoDB and Redis come on top.
//
//   node bench/verify/main.ts --transfers 1000000 [--partitions 12] [--max-transfers 100000]
import { parseArgs } from 'node:util';
import { LIMIT_RULES } from '../../domain/limits/limit-rules.ts';
import { eventIdOf, positionIdOf } from '../../domain/transfers/event-id.ts';
import { commandIdOf } from '../../payouts/payout-updated.ts';
import type { Log, LogRecord, PartitionRange } from '../../ports/log.ts';
import { lifecycleOf, stageOf } from '../../processors/lifecycle.ts';
import { positionOf } from '../../processors/positions.ts';
import type { PayoutRequested } from '../../schemas/types.generated.ts';
import { AT, payoutRequested, payoutUpdated, transferRequested } from '../../test/kit/builders.ts';
import { memoryCodec } from '../../test/kit/memory-codec.ts';
import type { TopicName } from '../../topics/catalogue.ts';
import { HEADER } from '../../topics/headers.ts';
import type { ProviderRecord } from '../../verify/ports.ts';
import { verify } from '../../verify/verify.ts';

const { values } = parseArgs({
  options: {
    transfers: { type: 'string', default: '1000000' },
    partitions: { type: 'string', default: '12' },
    'max-transfers': { type: 'string', default: '100000' },
  },
});
const transfers = Number(values.transfers);
const partitions = Number(values.partitions);
const perPartition = Math.ceil(transfers / partitions);

/** Topics of a paid transfer in order, with the stage that writes each. */
const PATH = [
  ['transfer.accepted', 'intake'],
  ['transfer.screened', 'screening'],
  ['transfer.priced', 'fx-pricing'],
  ['transfer.reserved', 'limits'],
  ['payout.requested', 'payout-dispatch'],
  ['transfer.completed', 'settlement'],
] as const;
const BATCH = 1_000;

const codec = memoryCodec();
const whole = payoutRequested();
const intent = transferRequested();

const idOf = (partition: number, index: number) =>
  `${String(partition).padStart(4, '0')}-made-up-${String(index).padStart(19, '0')}`;

/** Of fixed length, so that one record can be made from another by writing over its strings. */
const originOf = (partition: number, index: number) =>
  `transfer.requested:${partition}:${String(index).padStart(9, '0')}`;

/** The event of one step, with all that later steps add: more than the topic carries is left out by its schema. */
function eventAt(partition: number, index: number, step: number): PayoutRequested {
  const transferId = idOf(partition, index);
  const [topic] = PATH[step]!;
  const originPosition = originOf(partition, index);
  const token = `token-of-${transferId}`;
  const caused = [originPosition, ...PATH.slice(0, 4).map(([name], at) => eventIdOf(name, transferId, 1, at + 1))];
  return {
    ...whole,
    envelope: {
      eventId: eventIdOf(topic, transferId, 1, step + 1),
      transferId,
      sequence: step + 1,
      attempt: 1,
      causationId: step === 5 ? commandIdOf(transferId, 1) : caused[step]!,
      occurredAt: AT,
      homePartition: partition,
    },
    instruction: { ...whole.instruction, originPosition, debtorToken: token },
    reservation: {
      ...whole.reservation,
      reservationId: `${transferId}:1`,
      uses: whole.reservation.uses.map((use) => ({ ...use, subjectToken: token })),
    },
  };
}

function updateOf(partition: number, index: number) {
  const requested = eventAt(partition, index, 4);
  const commandId = commandIdOf(requested.envelope.transferId, 1);
  return payoutUpdated(requested, { version: 1, status: 'PAID', commandId });
}

function made(topic: string, partition: number, offset: number): unknown {
  if (topic === 'transfer.requested') return { ...intent, transferId: idOf(partition, offset) };
  if (topic === 'payout.updated') return updateOf(partition, offset);
  if (topic === POSITIONS) return positionOf('transfer.priced', withoutLater(partition, offset, PRICED));
  if (topic !== 'transfer.lifecycle') {
    const step = PATH.findIndex(([name]) => name === topic);
    return withoutLater(partition, offset, step);
  }
  const [step, index] = [offset % PATH.length, Math.floor(offset / PATH.length)];
  return lifecycleOf(PATH[step]![0], withoutLater(partition, index, step), stageOf(PATH[step]![1]));
}

function withoutLater(partition: number, index: number, step: number) {
  const { screening, price, reservation, ...event } = eventAt(partition, index, step);
  return {
    ...event,
    ...(step >= 1 ? { screening } : {}),
    ...(step >= 2 ? { price } : {}),
    ...(step >= 3 ? { reservation } : {}),
    ...(step >= 5 ? { payout: updateOf(partition, index).payout } : {}),
  };
}

const POSITIONS = 'fx.position';
/** Step of the path that opens one. */
const PRICED = 2;

/** An encoded record and where in it strings stand that differ from transfer to transfer. */
interface Template {
  readonly bytes: Buffer;
  readonly marks: readonly { readonly name: string; readonly at: number }[];
}
const templates = new Map<string, Template>();

/** Every string of a transfer that stands in its records, all of a length that does not depend on the transfer. */
function stringsOf(partition: number, index: number, topic: string, step: number): Readonly<Record<string, string>> {
  const transferId = idOf(partition, index);
  const strings: Record<string, string> = { transferId, origin: originOf(partition, index) };
  const last = topic === 'payout.updated' ? 4 : step;
  if (topic === 'transfer.requested') return strings;
  if (topic === POSITIONS) return { transferId, position: positionIdOf(transferId, 1, true) };
  for (const at of [last - 1, last])
    if (at >= 0) strings[`event${at}`] = eventIdOf(PATH[at]![0], transferId, 1, at + 1);
  if (last >= 4) strings['command'] = commandIdOf(transferId, 1);
  return strings;
}

function templateOf(topic: string, partition: number, step: number): Template {
  const name = `${topic}/${partition}/${step}`;
  const known = templates.get(name);
  if (known) return known;
  const value = made(topic, partition, topic === 'transfer.lifecycle' ? step : 0);
  const bytes = codec.encode(topic as TopicName, value as never);
  const marks = Object.entries(stringsOf(partition, 0, topic, step)).flatMap(([mark, text]) => {
    const found: { name: string; at: number }[] = [];
    for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + 1)) found.push({ name: mark, at });
    return found;
  });
  const template = { bytes, marks };
  templates.set(name, template);
  return template;
}

function recordAt(topic: string, partition: number, offset: number): LogRecord {
  const isLifecycle = topic === 'transfer.lifecycle';
  const index = isLifecycle ? Math.floor(offset / PATH.length) : offset;
  const step = isLifecycle ? offset % PATH.length : PATH.findIndex(([name]) => name === topic);
  const { bytes, marks } = templateOf(topic, partition, step);
  const strings = stringsOf(partition, index, topic, step);
  const value = Buffer.from(bytes);
  for (const { name, at } of marks) value.write(strings[name]!, at, 'latin1');
  const id = strings['position'] ?? (topic === 'payout.updated' ? strings['command'] : strings[`event${step}`]);
  const headers: Record<string, Buffer> = { [HEADER.eventId]: Buffer.from(id ?? '') };
  if (!isLifecycle && topic !== POSITIONS) headers[HEADER.originPosition] = Buffer.from(strings['origin']!);
  return { topic, partition, offset, key: Buffer.from(strings['transferId']!), value, headers, timestamp: AT };
}

const LENGTHS = new Map<string, number>([
  ['transfer.requested', perPartition],
  ['payout.updated', perPartition],
  [POSITIONS, perPartition],
  ['transfer.lifecycle', perPartition * PATH.length],
  ...PATH.map(([topic]) => [topic, perPartition] as const),
]);

async function read(ranges: readonly PartitionRange[], onBatch: Parameters<ReturnType<Log['reader']>['read']>[1]) {
  for (const { topic, partition, from, to } of ranges) {
    for (let offset = from; offset < to; offset += BATCH) {
      const records: LogRecord[] = [];
      for (let at = offset; at < Math.min(to, offset + BATCH); at++) records.push(recordAt(topic, partition, at));
      await onBatch({ topic, partition, records });
    }
  }
}

const log = {
  reader: () => ({
    offsets: async (topics: readonly string[]) =>
      topics.flatMap((topic) =>
        Array.from({ length: partitions }, (_, partition) => ({
          topic,
          partition,
          from: 0,
          to: LENGTHS.get(topic) ?? 0,
        })),
      ),
    read,
  }),
  admin: async () => ({
    describeTopics: async () => [],
    committed: async (_group: string, topics: readonly string[]) =>
      topics.flatMap((topic) =>
        Array.from({ length: partitions }, (_, partition) => ({ topic, partition, offset: LENGTHS.get(topic) ?? 0 })),
      ),
    close: async () => undefined,
  }),
} as unknown as Log;

async function* ledger(): AsyncGenerator<ProviderRecord> {
  let seq = 0;
  for (let partition = 0; partition < partitions; partition++) {
    for (let index = 0; index < perPartition; index++) {
      const transferId = idOf(partition, index);
      const one = { key: `${transferId}:1`, transferId, amount: whole.price.credit };
      yield { ...one, seq: ++seq, kind: 'submit' };
      yield { ...one, seq: ++seq, kind: 'execution' };
    }
  }
}

/** What making the records costs by itself. */
async function baseline(): Promise<number> {
  const startedAt = performance.now();
  const sample = Math.min(perPartition, 20_000);
  const ranges = [...LENGTHS].map(([topic, length]) => ({
    topic,
    partition: 0,
    from: 0,
    to: Math.round((length / perPartition) * sample),
  }));
  await read(ranges, () => undefined);
  return ((performance.now() - startedAt) / sample) * 1_000;
}

const making = await baseline();
const cpuBefore = process.cpuUsage();
const report = await verify(
  { log, codec, app: 'corridor', limitRules: LIMIT_RULES, provider: { read: ledger } },
  { settleMs: 0, maxTransfersHeld: Number(values['max-transfers']) },
);
const cpu = process.cpuUsage(cpuBefore);
const perTransfer = (cpu.user + cpu.system) / transfers;
console.log(
  JSON.stringify(
    {
      ok: report.ok,
      codes: report.codes,
      transfers: report.totals.transfers,
      records: Object.values(report.totals.records).reduce((a, b) => a + b, 0),
      seconds: Math.round(report.elapsedMs / 100) / 10,
      cpuMicrosPerTransfer: Math.round(perTransfer),
      ofWhichMakingTheRecords: Math.round(making),
      peakMiB: Math.round(report.peakRssBytes / 2 ** 20),
    },
    null,
    2,
  ),
);
