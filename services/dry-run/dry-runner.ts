// Predicts what dead letters would become: the real stages decide them, one after the other, on today's data, and nothing is
// written. What the payout executor and the provider would make of it is not known.

import type { Money } from '../../domain/money/money.ts';
import type { DiscardReason } from '../../domain/reasons.ts';
import type { DryRunner, TriedLetter } from '../../operations/dead-letters/replays/ports.ts';
import { replayRecord } from '../../operations/dead-letters/replays/record.ts';
import type { Prediction } from '../../operations/dead-letters/replays/replay.ts';
import type { Codec } from '../../ports/codec.ts';
import type { LogRecord, OutputRecord } from '../../ports/log.ts';
import { type AnyProcessor, type Disposition, isDisposition, type Received } from '../../processors/contract.ts';
import { rejectionOf } from '../../processors/discard.ts';
import { eventIn, stageOf } from '../../processors/lifecycle.ts';
import { type StageName, topology } from '../../processors/topology.ts';
import { faultOf } from '../../runtime/fault.ts';
import { type InboundRecord, inboundReader } from '../../runtime/hosts/inbound-records.ts';
import type { HostRuntime } from '../../runtime/hosts/processor-host.ts';
import { contractOf, contracts, type TopicName } from '../../topics/catalogue.ts';
import { headerText, RECOVERY_HEADER } from '../../topics/headers.ts';
import type { Connections } from '../connections.ts';
import { buildId } from './build-id.ts';
import { rulesHash } from './rules-hash.ts';
import { type DryStages, dryStages } from './stages.ts';

/** From a transfer's first stage to its payout there are five; a price may be asked for again once. */
const MAX_STAGES = 8;

/** A letter on its way through the stages. */
interface Walker {
  readonly place: number;
  readonly stage: StageName;
  readonly received: Received<unknown>;
}
type Step = Prediction | { readonly on: Walker };

export interface ClosableDryRunner extends DryRunner {
  close(): Promise<void>;
}

export function createDryRunner(connections: Connections, runtime: HostRuntime): ClosableDryRunner {
  const stages = dryStages(connections, runtime);
  return {
    async predict(owner, letters) {
      if (!isStage(owner)) return letters.map(() => UNTRIED);
      await connections.codec.load(Object.values(contracts).map(({ name }) => name));
      const predictions = new Array<Prediction>(letters.length).fill(UNTRIED);
      let walkers: Walker[] = [];
      for (const [place, record] of (await inboundRecordsOf(owner, letters, connections)).entries()) {
        if (record?.received && !record.refusal) walkers.push({ place, stage: owner, received: record.received });
        else predictions[place] = refusalOf(record);
      }
      for (let hop = 0; walkers.length > 0 && hop < MAX_STAGES; hop++) {
        const next: Walker[] = [];
        for (const [stage, of] of Map.groupBy(walkers, (walker) => walker.stage)) {
          const steps = await decideAll(await stages.stage(stage), of, connections.codec);
          of.forEach(({ place }, i) => {
            const step = steps[i]!;
            if ('on' in step) next.push(step.on);
            else predictions[place] = step;
          });
        }
        walkers = next;
      }
      return predictions;
    },
    async predictDiscards(owner, records, reason) {
      const processor = isStage(owner) ? await stages.stage(owner) : undefined;
      if (!processor?.discardable) return records.map(() => NOT_DISCARDABLE);
      await connections.codec.load(Object.values(contracts).map(({ name }) => name));
      const predictions: Prediction[] = [];
      const letters = records.map((record) => ({ record }));
      for (const record of await inboundRecordsOf(owner as StageName, letters, connections)) {
        predictions.push(
          record?.received && !record.refusal
            ? await discardOf(processor, record.received, reason, connections.codec)
            : refusalOf(record),
        );
      }
      return predictions;
    },
    async amounts(records) {
      await connections.codec.load(Object.values(contracts).map(({ name }) => name));
      return instructedIn(records, connections.codec);
    },
    basis: () => basisOf(stages, connections),
    close: () => stages.close(),
  };
}

/** What producers instructed, in the order of the letters. */
async function instructedIn(records: readonly LogRecord[], codec: Codec): Promise<readonly (Money | null)[]> {
  const amounts = new Array<Money | null>(records.length).fill(null);
  const placed = records.map((record, place) => ({ record, place }));
  const topicOf = ({ headers }: LogRecord) => headerText(headers, RECOVERY_HEADER.sourceTopic) ?? '';
  for (const [topic, of] of Map.groupBy(placed, ({ record }) => topicOf(record))) {
    if (!contractOf(topic)) continue;
    const values = of.map(({ record }) => record.value);
    for (const [i, result] of (await codec.decode(topic as TopicName, values)).entries()) {
      if (!result.ok) continue;
      const { instructedAmount } = eventIn(topic, result.value)?.instruction ?? (result.value as Partial<Instructed>);
      if (instructedAmount) amounts[of[i]!.place] = instructedAmount;
    }
  }
  return amounts;
}

interface Instructed {
  readonly instructedAmount: Money;
}

const UNTRIED: Prediction = { kind: 'UNKNOWN', code: null };

async function basisOf(stages: DryStages, { config }: Connections): Promise<Readonly<Record<string, string>>> {
  const [lists, policies] = await Promise.all([stages.lists(), stages.policies()]);
  return { build: buildId(), lists: lists.join(' '), rules: rulesHash(config), policies: policies.join(' ') };
}

const isStage = (owner: string): owner is StageName => Object.hasOwn(topology, owner);

/** The letters as the stage would receive their replays, in their order. */
async function inboundRecordsOf(
  owner: StageName,
  letters: readonly TriedLetter[],
  { codec, config }: Connections,
): Promise<readonly (InboundRecord | undefined)[]> {
  const read = inboundReader({
    owner,
    reads: topology[owner].reads.map(({ name }) => name as TopicName),
    codec,
    chainPartitions: config.kafka.chainPartitions,
    rings: config.keys,
    sealsRecovery: true,
  });
  const by = { owner, replayId: 'dry-run', replayedBy: 'dry-run', approvedBy: 'dry-run' };
  const inbound = new Array<InboundRecord | undefined>(letters.length).fill(undefined);
  const places = letters.map(({ record, edit }, place) => ({
    place,
    record: asRead(replayRecord(record, by, config.keys, { edit: edit ?? null })),
  }));
  for (const of of Map.groupBy(places, ({ record }) => record.partition).values()) {
    const { topic, partition } = of[0]!.record;
    const found = await read({ topic, partition, records: of.map(({ record }, offset) => ({ ...record, offset })) });
    of.forEach(({ place }, i) => {
      inbound[place] = found[i];
    });
  }
  return inbound;
}

/** A record that was made, as it would be read. */
function asRead({ topic, partition, key, value, headers }: OutputRecord): LogRecord {
  return {
    ...{ topic, partition, offset: 0, timestamp: Date.now(), value },
    key: typeof key === 'string' ? Buffer.from(key) : key,
    headers: Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, Buffer.from(text as string)])),
  };
}

const NOT_DISCARDABLE: Prediction = { kind: 'REFUSED', code: 'MAY_BE_PAID' };

/** The rejection that the stage would write, made and encoded as it would. */
async function discardOf(
  processor: AnyProcessor,
  received: Received<unknown>,
  reason: DiscardReason,
  codec: Codec,
): Promise<Prediction> {
  const [answer] = await processor.discardable!([received]);
  if (answer?.kind !== 'reject') {
    return answer?.kind === 'nothing'
      ? { kind: 'ENDED', code: null }
      : { kind: 'DEAD_AGAIN', code: answer?.cause.code ?? null };
  }
  try {
    const terms = { ...answer, stage: stageOf(processor.name), code: reason };
    const { to, value } = rejectionOf(received, terms);
    codec.encode(to, value as never);
    return { kind: 'REJECTED', code: reason };
  } catch (error) {
    return { kind: 'DEAD_AGAIN', code: faultOf(error).code };
  }
}

function refusalOf(record: InboundRecord | undefined): Prediction {
  const refusal = record?.refusal;
  if (refusal?.kind === 'dropped') return { kind: 'ENDED', code: refusal.code };
  return { kind: 'DEAD_AGAIN', code: refusal?.code ?? null };
}

/** The decisions on some letters; where they fail together, on each by itself. @throws CodedError of a dependency */
async function decideAll(processor: AnyProcessor, walkers: readonly Walker[], codec: Codec): Promise<readonly Step[]> {
  try {
    const contexts = await processor.prepare(walkers.map(({ received }) => received));
    return walkers.map((walker, i) => decideOne(processor, walker, contexts[i], codec));
  } catch (error) {
    const { faultClass, code } = faultOf(error);
    if (faultClass === 'transient-dependency') throw error;
    if (walkers.length === 1) return [{ kind: 'DEAD_AGAIN', code }];
  }
  const steps: Step[] = [];
  for (const walker of walkers) steps.push(...(await decideAll(processor, [walker], codec)));
  return steps;
}

function decideOne(processor: AnyProcessor, walker: Walker, context: unknown, codec: Codec): Step {
  try {
    const decision = processor.decide(walker.received, context);
    if (isDisposition(decision)) return dispositionOf(decision);
    const events = decision as readonly { readonly to: TopicName; readonly value: never }[];
    // What its schema refuses would break the stage as well.
    for (const { to, value } of events) codec.encode(to, value);
    return eventsOf(walker, events);
  } catch (error) {
    return { kind: 'DEAD_AGAIN', code: faultOf(error).code };
  }
}

function dispositionOf({ kind, cause }: Disposition): Prediction {
  return { kind: kind === 'wait' || kind === 'retry' ? 'WAITS' : 'DEAD_AGAIN', code: cause.code };
}

interface Reasoned {
  readonly reasons?: readonly { readonly code: string }[];
  readonly reason?: { readonly code: string };
  readonly hold?: { readonly reasons: readonly { readonly code: string }[] };
  readonly envelope?: { readonly eventId: string; readonly homePartition: number };
}

/** What the events of one decision mean, and where the transfer goes from there. */
function eventsOf(
  { place, received }: Walker,
  events: readonly { readonly to: string; readonly value: unknown }[],
): Step {
  const [event] = events;
  if (event === undefined) return { kind: 'ENDED', code: null };
  const value = event.value as Reasoned;
  const code = (value.reasons ?? value.hold?.reasons ?? [])[0]?.code ?? value.reason?.code ?? null;
  switch (event.to) {
    case 'transfer.rejected':
    case 'intent.rejected':
      return { kind: 'REJECTED', code };
    case 'intent.duplicated':
      return { kind: 'ENDED', code: 'DUPLICATE' };
    case 'transfer.held':
      return { kind: 'HELD', code };
    case 'payout.requested':
    case 'transfer.completed':
    case 'transfer.returned':
      return { kind: 'GOES_ON', code: null };
    default: {
      const stage = readerOf(event.to);
      if (!stage) return { kind: 'GOES_ON', code: null };
      return { on: { place, stage, received: asReceived(received, event) } };
    }
  }
}

/** The stage that reads an event of the chain first. */
const readerOf = (topic: string): StageName | undefined =>
  (Object.keys(topology) as StageName[]).find((name) => topology[name].reads.some((read) => read.name === topic));

function asReceived(
  before: Received<unknown>,
  { to, value }: { readonly to: string; readonly value: unknown },
): Received<unknown> {
  const { envelope } = value as Reasoned;
  return {
    ...{ topic: to, value, appendedAt: Date.now(), waitedMs: 0, originPosition: before.originPosition },
    position: `dry-run:0:${before.partition}`,
    partition: envelope?.homePartition ?? before.partition,
    causationId: envelope?.eventId ?? before.causationId,
  };
}
