// What a producer has asked to be told is a delivery of its endpoint: sent, to be sent, or given up and kept to be sent again.
import { DELIVERY_KEPT_MS } from '../../sinks/webhooks/delivery.ts';
import { eventTypeOf } from '../../sinks/webhooks/event-types.ts';
import { deliveryIdOf } from '../../sinks/webhooks/to-write.ts';
import { type Check, ofTopic, type Run } from '../check.ts';
import type { FindingCode } from '../finding-codes.ts';
import type { StoredDelivery, StoredEndpoint } from '../ports.ts';
import { positionOf, type Seen } from '../transfer.ts';

const NAME = 'webhooks';
const OWNER = 'sink-webhooks';
const TOPIC = 'transfer.lifecycle';
/** What happened so soon after an endpoint was made, by the clocks of two programs, may have been before it, ms. */
const CLOCKS_MS = 60_000;
/** Deliveries that are about to be deleted by their age are not looked for, ms. */
const SWEPT_EARLY_MS = 3_600_000;
/** Differences that are held until it is known which endpoints are left. */
const MAX_HELD = 100_000;

type Lifecycle = Seen<typeof TOPIC>;

/** An event that an endpoint is owed. */
interface Owed {
  readonly seen: Lifecycle;
  readonly endpointId: string;
  readonly deliveryId: string;
}

interface Wrong extends Owed {
  readonly code: FindingCode;
  readonly detail: string;
}

/** A check of its own per run. */
export function webhooks(): Check {
  let asked: Promise<ReadonlyMap<string, readonly StoredEndpoint[]>> | undefined;
  const wrong: Wrong[] = [];
  return {
    name: NAME,
    proves:
      'Each lifecycle event that a producer’s endpoint asked for is a delivery of it, as it happened: delivered, waiting, or given up and kept.',
    skips: ({ webhooks: given }) => (given ? undefined : 'no webhooks were given'),
    async batch(batch, run) {
      const due = ofTopic(batch, TOPIC).filter((seen) => isDue(seen, run));
      if (due.length === 0) return;
      asked ??= byProducer(run);
      const endpoints = await asked;
      const owed = due.flatMap((seen) => owedBy(seen, endpoints.get(seen.value.producerId ?? '') ?? []));
      if (owed.length === 0) return;
      const found = await run.sources.webhooks!.deliveries(owed.map(({ deliveryId }) => deliveryId));
      const stored = new Map(found.map((delivery) => [delivery._id, delivery]));
      for (const each of owed) {
        const flaw = flawOf(each, stored.get(each.deliveryId));
        if (flaw === undefined) continue;
        if (wrong.length < MAX_HELD) wrong.push({ ...each, ...flaw });
        else tell({ ...each, ...flaw }, run);
      }
    },
    async end(run) {
      if (wrong.length === 0) return;
      // Deliveries of an endpoint that its producer has deleted meanwhile go with it.
      const left = new Set((await run.sources.webhooks!.endpoints()).map(({ endpointId }) => endpointId));
      for (const each of wrong) if (left.has(each.endpointId)) tell(each, run);
    },
  };
}

/** What somebody else wrote is told, and nothing is owed to it: the sender sends nothing there. */
async function byProducer({ sources, findings }: Run): Promise<ReadonlyMap<string, readonly StoredEndpoint[]>> {
  const all = await sources.webhooks!.endpoints();
  for (const { endpointId } of all.filter(({ isSealed }) => !isSealed)) {
    const detail = `the endpoint ${endpointId} is not as its producer registered it`;
    findings.add(NAME, { code: 'WEBHOOK_NOT_SEALED', detail });
  }
  return Map.groupBy(
    all.filter(({ isSealed }) => isSealed),
    ({ producerId }) => producerId,
  );
}

/** Of a producer, handled by the sink, and not too old to be kept. */
function isDue({ topic, record, value }: Lifecycle, { cut }: Run): boolean {
  if (value.producerId === null || value.occurredAt <= cut.takenAt - DELIVERY_KEPT_MS + SWEPT_EARLY_MS) return false;
  return cut.isHandled(OWNER, topic, record.partition, record.offset);
}

function owedBy(seen: Lifecycle, endpoints: readonly StoredEndpoint[]): readonly Owed[] {
  const type = eventTypeOf(seen.value.state);
  return endpoints
    .filter(
      ({ events, since }) => since !== undefined && seen.value.occurredAt > since + CLOCKS_MS && events.includes(type),
    )
    .map(({ endpointId }) => ({ seen, endpointId, deliveryId: deliveryIdOf(endpointId, seen.value.eventId) }));
}

function flawOf(
  { seen, endpointId }: Owed,
  stored: StoredDelivery | undefined,
): Pick<Wrong, 'code' | 'detail'> | undefined {
  const what = `${seen.value.eventId} for the endpoint ${endpointId}`;
  if (stored === undefined) return { code: 'WEBHOOK_MISSING', detail: `${what} is no delivery` };
  if (!stored.isSealed) return { code: 'WEBHOOK_NOT_SEALED', detail: `${what} is not what the sink has made` };
  if (!saysIt(stored.body, seen))
    return { code: 'WEBHOOK_DIFFERS', detail: `${what} says something else than the log` };
  return undefined;
}

/** Fields may be added to what is sent, so only what tells the event is compared. Never throws. */
function saysIt(body: string, { value }: Lifecycle): boolean {
  const names = ['eventId', 'transferId', 'sequence', 'attempt', 'state'] as const;
  try {
    const { type, data } = JSON.parse(body) as { type?: unknown; data?: Record<string, unknown> };
    return type === eventTypeOf(value.state) && names.every((name) => data?.[name] === value[name]);
  } catch {
    return false;
  }
}

function tell({ seen, code, detail }: Wrong, run: Run): void {
  const { topic, record, value } = seen;
  const { partition, offset } = record;
  const finding = { code, detail, transferId: value.transferId, position: positionOf(topic, partition, offset) };
  if (code !== 'WEBHOOK_MISSING') run.findings.add(NAME, finding);
  // Excused while the sink has put the record aside, to try it again.
  else run.findings.defer(NAME, finding, { source: { owner: OWNER, topic, partition, offset } });
}
