// The transfer view in MongoDB is the fold of the lifecycle.

import { withDefaults } from '../../schemas/schema-defaults.ts';
import type { TransferLifecycle } from '../../schemas/types.generated.ts';
import type { TransferDocument } from '../../sinks/transfer-view/to-write.ts';
import { type Check, needsStores, type Run } from '../check.ts';
import type { FindingCode } from '../finding-codes.ts';
import { lifecycleDigest } from '../lifecycle-text.ts';
import type { Transfer } from '../transfer.ts';

const NAME = 'transfer-view';
const OWNER = 'sink-transfer-view';
const TOPIC = 'transfer.lifecycle';

export const transferView: Check = {
  name: NAME,
  proves: 'The transfer view shows the last lifecycle record of each transfer, in every field.',
  skips: needsStores,
  async transfers(batch, run) {
    const due = batch.filter(
      ({ view, partition }) => view !== undefined && run.cut.isHandled(OWNER, TOPIC, partition, view.offset),
    );
    if (due.length === 0) return;
    const stored = await run.sources.stores!.transfers.find(due.map(({ id }) => id));
    const byId = new Map(stored.map((document) => [document._id, document]));
    for (const transfer of due) compare(transfer, byId.get(transfer.id), run);
  },
};

function compare({ id, partition, view }: Transfer, document: TransferDocument | undefined, run: Run): void {
  const { version, digest, offset } = view!;
  const source = { owner: OWNER, topic: TOPIC, partition, offset };
  const say = (code: FindingCode, detail: string) =>
    run.findings.defer(NAME, { code, transferId: id, detail }, { subject: id, source });
  if (document === undefined) {
    say('DOCUMENT_MISSING', 'it is not in the view');
    return;
  }
  const at = Number(document.version);
  if (at < version) say('DOCUMENT_BEHIND', `the view is at version ${at}, the log at ${version}`);
  else if (at > version) say('DOCUMENT_AHEAD', `the view is at version ${at}, the log at ${version}`);
  else if (lifecycleDigest(recordIn(document)) !== digest) {
    say('DOCUMENT_DIFFERS', `version ${version} is stored with other content`);
  }
}

function recordIn(document: TransferDocument): TransferLifecycle {
  const { _id, version: _, updatedAt: __, lastEventId, ...fields } = document;
  return withDefaults('TransferLifecycle', { ...fields, eventId: lastEventId, transferId: _id }) as TransferLifecycle;
}
