// The event log in MongoDB holds each record of its topics, as it is.

import { withDefaults } from '../../schemas/schema-defaults.ts';
import type { TransferLifecycle } from '../../schemas/types.generated.ts';
import type { EventDocument } from '../../sinks/events/to-write.ts';
import { type LoggedRecord, toWrite } from '../../sinks/events/to-write.ts';
import { type Check, needsStores, type Run } from '../check.ts';
import { canonical, digest } from '../digest.ts';
import { LIFECYCLE_FIELDS, lifecycleDigest } from '../lifecycle-text.ts';
import { type AnySeen, positionOf, type Seen } from '../transfer.ts';

const NAME = 'event-log';
const OWNER = 'sink-events';
type Logged = 'transfer.lifecycle' | 'intent.rejected' | 'intent.duplicated';

export const eventLog: Check = {
  name: NAME,
  proves: 'The event log holds each lifecycle record, each rejected and each repeated intent once, unchanged.',
  skips: needsStores,
  async batch(batch, run) {
    const due = batch
      .filter(isLogged)
      .filter(({ topic, record }) => run.cut.isHandled(OWNER, topic, record.partition, record.offset));
    if (due.length === 0) return;
    const ids = [...new Set(due.map(({ value }) => value.eventId))];
    const stored = new Map((await run.sources.stores!.events.find(ids)).map((document) => [document._id, document]));
    for (const seen of due) compare(seen, stored.get(seen.value.eventId), run);
  },
};

function isLogged(seen: AnySeen): seen is Extract<AnySeen, Seen<Logged>> {
  return seen.topic === 'transfer.lifecycle' || seen.topic === 'intent.rejected' || seen.topic === 'intent.duplicated';
}

function compare(seen: Seen<Logged>, document: EventDocument | undefined, run: Run): void {
  const { topic, record, value } = seen;
  const { partition, offset } = record;
  const finding = { transferId: value.transferId, position: positionOf(topic, partition, offset) };
  if (document === undefined) {
    const detail = `${value.eventId} is not stored`;
    const source = { owner: OWNER, topic, partition, offset };
    run.findings.defer(NAME, { ...finding, code: 'DOCUMENT_MISSING', detail }, { source });
  } else if (!isSame(seen, document)) {
    const detail = `${value.eventId} is stored with other content`;
    run.findings.add(NAME, { ...finding, code: 'DOCUMENT_DIFFERS', detail });
  }
}

/** When it was taken in may be that of a repeat; all else must be equal. */
function isSame(seen: Seen<Logged>, document: EventDocument): boolean {
  const { _id: eventId, topic, ingestedAt: _, ...fields } = document as EventDocument & Record<string, unknown>;
  if (topic !== seen.topic) return false;
  if (seen.topic === 'transfer.lifecycle') {
    const stored = withDefaults('TransferLifecycle', { ...fields, eventId }) as TransferLifecycle;
    return (
      Object.keys(stored).length === LIFECYCLE_FIELDS &&
      lifecycleDigest(stored) === lifecycleDigest(seen.value as TransferLifecycle)
    );
  }
  const received = { topic, value: seen.value, appendedAt: 0 } as unknown as LoggedRecord;
  const { ingestedAt: __, ...right } = toWrite([received])[0]!;
  const record = seen.topic === 'intent.rejected' ? 'IntentRejected' : 'IntentDuplicated';
  const { eventId: ___, ...stored } = withDefaults(record, { ...fields, eventId }) as Record<string, unknown>;
  return digest(canonical({ _id: eventId, topic, ...stored })) === digest(canonical(right));
}
