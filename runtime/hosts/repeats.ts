// Nothing is handled twice: what a record was made from is compared with the progress note beside the offset.

import { ProgressNote } from '../progress/progress-notes.ts';
import type { Judged } from './dispositions.ts';
import { type InboundRecord, placeOf, provenCauseOf, type Refusal } from './inbound-records.ts';

const REPEATED: Refusal = {
  kind: 'repeated',
  code: 'EVENT_REPEATED',
  detail: 'what it was made from, or something later, was handled here before: replay it only if it never was',
};

/** Refuses what was handled before by its sealed cause: a copy, or what another run of an earlier stage wrote again. */
export function withoutRepeats(
  inboundRecords: readonly InboundRecord[],
  note: string | undefined,
): readonly InboundRecord[] {
  const handled = ProgressNote.from(note);
  return inboundRecords.map((inbound) => {
    const cause = provenCauseOf(inbound);
    if (!cause) return inbound;
    if (!handled.isNew(cause)) return repeated(inbound);
    handled.raise(cause);
    return inbound;
  });
}

/**
 * The note beside the offset of the last of these.
 *
 * @param note that of the batch
 * @param token names the topic of the offset; see topicToken
 */
export function noteAfter(note: string | undefined, token: string, judged: readonly Judged[]): string {
  const handled = ProgressNote.from(note);
  for (const { inbound } of judged) {
    const cause = inbound.refusal?.kind === 'repeated' ? undefined : provenCauseOf(inbound);
    if (cause) handled.raise(cause);
  }
  return `${token} ${handled.text()}`.trimEnd();
}

/** Of a copy on a retry topic the letter is its own: what was put aside first may have another. */
function repeated(inbound: InboundRecord): InboundRecord {
  const { record, topicId, source } = inbound;
  const refused = { ...inbound, received: undefined, refusal: REPEATED };
  return record.topic === source.topic
    ? refused
    : { ...refused, source: { ...source, letterAt: placeOf(record, topicId) } };
}
