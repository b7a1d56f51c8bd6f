// Dead letters stand for records that exist, unchanged, and each one that stops a transfer is on its lifecycle.
import { sourceOf } from '../../topics/cause.ts';
import { deadLetterId, markId } from '../../topics/dead-letter-id.ts';
import type { Check, Run } from '../check.ts';
import { isOfTopic } from '../cut.ts';
import type { FindingCode } from '../finding-codes.ts';
import { type DeadLetter, placeOf } from '../recovery-trail.ts';

const NAME = 'dead-letters';

/** StatusMarks of the partition at hand, by their id, with their transfer. */
type StatusMarks = Map<string, string>;

/** A check of its own per run: it keeps the marks of a partition. */
export function deadLetters(): Check {
  const marks: StatusMarks = new Map();
  return {
    name: NAME,
    proves:
      'Each dead letter stands for a record of the log, byte for byte, and each one that stops a transfer has its DEAD_LETTERED mark; there is no mark without a dead letter.',
    inputs(run) {
      judge(run, marks);
    },
    transfer(transfer) {
      for (const { eventId } of transfer.marks) marks.set(eventId, transfer.id);
    },
    partition(_partition, run) {
      judge(run, marks);
      for (const [eventId, transferId] of marks) {
        const detail = `the lifecycle says DEAD_LETTERED (${eventId}), and there is no such dead letter`;
        run.findings.defer(NAME, { code: 'MARK_WITHOUT_DEAD_LETTER', transferId, detail }, { subject: transferId });
      }
      marks.clear();
    },
  };
}

function judge(run: Run, marks: StatusMarks): void {
  const seen = new Set<string>();
  for (const letter of run.deadLetters) {
    const { id, key, stops } = letter;
    const who = stops ?? key;
    const named = { position: placeOf(letter), ...(who === undefined ? {} : { transferId: who }) };
    const say = (code: FindingCode, detail: string) => run.findings.add(NAME, { code, ...named, detail });
    const right = deadLetterId({ owner: letter.owner, source: letter });
    if (id !== right) say('DEAD_LETTER_ID_WRONG', `its id is ${id || 'missing'}, but ${right} follows from its source`);
    else if (!isItsOwn(letter)) {
      say('DEAD_LETTER_ID_WRONG', `its id ${id} is that of another record, for which it has never stood`);
    }
    compareWithSource(letter, run, say);
    if (letter.putAside && letter.putAside.partition !== letter.at.partition) {
      say('DEAD_LETTER_REPEATED', `${id} was put aside on partition ${letter.putAside.partition}: this is a copy`);
      continue;
    }
    if (seen.has(id)) {
      say('DEAD_LETTER_REPEATED', `${id} was written twice`);
      continue;
    }
    seen.add(id);
    if (stops === undefined || marks.delete(markId(id))) continue;
    const detail = `${stops} is stopped by it (${letter.code}), and its lifecycle does not say so`;
    run.findings.defer(NAME, { code: 'DEAD_LETTER_UNMARKED', ...named, detail }, { subject: stops });
  }
  run.deadLetters.length = 0;
}

/** The id of what is a forgery or a copy follows from where it stood itself, not from what it says that it was. */
function isItsOwn({ owner, isAlone, putAside, letterAt, topicId, partition, offset }: DeadLetter): boolean {
  if (!isAlone || putAside === undefined) return true;
  const place = letterAt ?? { topicId, partition, offset };
  const isThere = putAside.partition === place.partition && putAside.offset === place.offset;
  return isThere && putAside.source === sourceOf(owner, place.topicId);
}

function compareWithSource(letter: DeadLetter, run: Run, say: (code: FindingCode, detail: string) => void): void {
  const { topic, partition, offset, lastOffset, bytes } = letter;
  const there = bytesAt(letter, run);
  if (there === undefined) return;
  if (there === 0) say('DEAD_LETTER_OF_NOTHING', `there is no record at ${topic}/${partition}/${offset}`);
  else if (bytes === undefined || there === bytes) return;
  else if (lastOffset === undefined)
    say('DEAD_LETTER_ALTERED', `it is not the record at ${topic}/${partition}/${offset}`);
  else {
    const detail = `the batch at ${topic}/${partition}/${offset} to ${lastOffset} is another, or can be read now: have its records sent again`;
    say('DEAD_LETTER_OF_A_READABLE_BATCH', detail);
  }
}

function bytesAt({ topic, topicId, partition, offset }: DeadLetter, run: Run): number | undefined {
  // Of a topic that is there no more: nothing is left to compare it with.
  if (!isOfTopic(run.cut, topic, topicId)) return undefined;
  if (topic !== run.inputs.topic) return run.bytesAt(topic, offset);
  const at = { topicId: topic, partition, offset };
  const known = run.inputs.known(at);
  if (known === 'before') return undefined;
  return known === 'present' ? run.inputs.digestsAt(at).bytes : 0;
}
