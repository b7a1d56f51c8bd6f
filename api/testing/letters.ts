// Dead letters as an API test finds them: parked, of one cause, of transfers that wait at limits.
import type { DeadLetterDocument } from '../../sinks/dead-letters/letter.ts';
import { AT } from '../../test/kit/builders.ts';

/** @param n its number, from 0: `letter-n` at offset n of the dead-letter topic, of the transfer `T-n` */
export function parkedLetter(n: number): DeadLetterDocument {
  const at = new Date(AT);
  return {
    ...{ _id: `letter-${n}`, letterId: `letter-${n}`, proven: true, owner: 'limits', code: 'UNEXPECTED_ERROR' },
    ...{ class: 'poison', detail: '', frame: null, group: 'g', cause: 'x', replayCount: 0, replayId: null },
    place: { topicId: 'dlq', partition: 0, offset: n },
    source: { topic: 'transfer.priced', topicId: 't', partition: 1, offset: n, lastOffset: null },
    ...{ firstFailedAt: at, failedAt: at, tries: 1, transferId: `T-${n}`, sequence: 3, corridor: 'GB-IN' },
    ...{ amountMinor: 100n, currency: 'GBP', bytes: 9, state: 'PARKED', takenBy: null, stateAt: at },
  };
}
