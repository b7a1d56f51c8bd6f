// A case for each hold, and each decision in the log as it was made.

import { withDefaults } from '../../schemas/schema-defaults.ts';
import type { CaseDocument } from '../../sinks/cases/case.ts';
import { toWrite } from '../../sinks/cases/to-write.ts';
import { type Check, needsStores, ofTopic, type Run } from '../check.ts';
import { canonical } from '../digest.ts';
import type { FindingCode } from '../finding-codes.ts';
import { positionOf, type Seen, type Transfer } from '../transfer.ts';

const NAME = 'cases';
const OWNER = 'sink-cases';
const TOPIC = 'transfer.held';

export const cases: Check = {
  name: NAME,
  proves:
    'There is a case for each hold, with what is held; a case is decided as the log says, and a published decision is in the log.',
  skips: needsStores,
  async batch(batch, run) {
    const due = ofTopic(batch, TOPIC).filter(({ record }) =>
      run.cut.isHandled(OWNER, TOPIC, record.partition, record.offset),
    );
    if (due.length === 0) return;
    const stored = await run.sources.stores!.cases.find(due.map(({ value }) => value.hold.holdId));
    const byId = new Map(stored.map((document) => [document._id, document]));
    for (const seen of due) compare(seen, byId.get(seen.value.hold.holdId), run);
  },
  async transfers(batch, run) {
    const held = batch.filter(({ holds }) => holds.length > 0);
    if (held.length === 0) return;
    const ids = held.flatMap(({ holds }) => holds.map(({ holdId }) => holdId));
    const stored = new Map((await run.sources.stores!.cases.find(ids)).map((document) => [document._id, document]));
    for (const transfer of held) decisions(transfer, stored, run);
  },
};

function compare({ record, value }: Seen<'transfer.held'>, document: CaseDocument | undefined, run: Run): void {
  const { transferId } = value.envelope;
  const { partition, offset } = record;
  const finding = { transferId, position: positionOf(TOPIC, partition, offset) };
  if (document === undefined) {
    const excuse = { source: { owner: OWNER, topic: TOPIC, partition, offset } };
    const detail = `hold ${value.hold.holdId} has no case`;
    run.findings.defer(NAME, { ...finding, code: 'CASE_MISSING', detail }, excuse);
    return;
  }
  const [right] = toWrite([{ topic: TOPIC, value } as never]);
  if (canonical(undecided(right!)) === canonical(undecided(document))) return;
  const detail = `the case of hold ${value.hold.holdId} does not show what is held`;
  run.findings.add(NAME, { ...finding, code: 'CASE_DIFFERS', detail });
}

/** All that no decision changes. */
function undecided(document: CaseDocument) {
  const held = withDefaults('TransferHeld', document.held);
  return { ...document, held, state: null, decision: null, commandPending: null };
}

function decisions({ id, holds, reviews }: Transfer, stored: ReadonlyMap<string, CaseDocument>, run: Run): void {
  const say = (code: FindingCode, detail: string) =>
    run.findings.defer(NAME, { code, transferId: id, detail }, { subject: id });
  for (const { holdId } of holds) {
    const document = stored.get(holdId);
    if (document === undefined) continue;
    const review = reviews.find((each) => each.holdId === holdId);
    const { state, decision, commandPending } = document;
    if (review && decision?.decision !== review.decision) {
      say(
        'DECISION_DIFFERS',
        `the log says ${review.decision} of hold ${holdId}, the case ${decision?.decision ?? state}`,
      );
    }
    if (!review && decision !== null && !commandPending) {
      say('DECISION_NOT_IN_LOG', `the case of hold ${holdId} counts as published, and the log has no decision`);
    }
  }
}
