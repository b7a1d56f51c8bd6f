// Whether the offset that a batch follows is where its consumer had come to: it may be lost, set back, or of another topic.

import type { LogRecord, RecordBatch } from '../../ports/log.ts';
import type { Cause } from '../../processors/contract.ts';
import { noteStanding, topicToken } from './proven-progress.ts';

const RESUME = 'look with `corridor topics resume`, then stop its processes and run it with --apply';
const OFFSET_LOST: Cause = {
  code: 'OFFSET_LOST',
  detail: `what stands here was handled before: the offset of the group was lost or set back, and nothing is decided twice; ${RESUME}`,
};
const OFFSET_OF_ANOTHER_TOPIC: Cause = {
  code: 'OFFSET_OF_ANOTHER_TOPIC',
  detail: `the topic was deleted and made again, and the offset of the group is of the one before; ${RESUME}`,
};
/** Where no outputs prove how far it came; what it does guards itself against a repeat. */
const ANOTHER_TOPIC_BEGINS: Cause = {
  code: 'OFFSET_OF_ANOTHER_TOPIC',
  detail:
    'the topic was deleted and made again, and the offset of the group is of the one before: stop its processes, and set the offset to the earliest of the topic (kafka-consumer-groups --reset-offsets)',
};

/** Whether the outputs of a consumer show that this record, or a later one, was handled. */
export type WasHandled = (input: { readonly topicId: string; readonly first: LogRecord }) => Promise<boolean>;

/** Why this batch, whose first record to handle is `first`, must not be handled; undefined: it may be. */
export type OffsetCheck = (batch: RecordBatch, first: LogRecord) => Promise<Cause | undefined>;

/** The outputs are looked through once for each place at which no note says whose offset it is. */
export function offsetCheck(owner: string, wasHandled: WasHandled | undefined): OffsetCheck {
  const looked = new Set<string>();

  return async (batch, first) => {
    const { topic, topicId = topic, partition, note } = batch;
    const standing = noteStanding(note, topicToken(owner, topicId));
    if (standing === 'foreign') return wasHandled ? OFFSET_OF_ANOTHER_TOPIC : ANOTHER_TOPIC_BEGINS;
    if (!wasHandled) return undefined;
    const place = `${topic}/${partition}/${first.offset}`;
    if (standing === 'own' || looked.has(place)) return undefined;
    if (await wasHandled({ topicId, first })) return OFFSET_LOST;
    looked.add(place);
    return undefined;
  };
}
