// The analytics records against the events that they describe.
import { beforeOf, NOTHING_BEFORE } from '../../processors/lifecycle.ts';
import { CONTRACT_VERSION } from '../../topics/analytics-contract.ts';
import type { Check } from '../check.ts';
import { beforeDigest } from '../lifecycle-text.ts';
import { type EventFact, positionOf } from '../transfer.ts';

const NAME = 'lifecycle';

export const lifecycle: Check = {
  name: NAME,
  proves: 'Lifecycle records and chain events agree one to one, in every field.',
  transfer({ id, partition, events, verifiedThrough }, run) {
    for (const [place, event] of events.entries()) {
      const { topic, sequence, seen, lifecycleRecords, offset } = event;
      if (sequence <= verifiedThrough) continue;
      const finding = { transferId: id, position: positionOf(topic, partition, offset) };
      if (seen === 0 && lifecycleRecords === 0) continue;
      if (seen === 0) {
        const detail = `the lifecycle names ${topic} ${sequence}, which is not in the log`;
        run.findings.defer(NAME, { transferId: id, code: 'LIFECYCLE_WITHOUT_EVENT', detail }, { subject: id });
        continue;
      }
      if (lifecycleRecords !== seen) {
        const code = lifecycleRecords === 0 ? 'LIFECYCLE_MISSING' : 'LIFECYCLE_REPEATED';
        const detail = `${topic} ${sequence} is there ${seen} times, and ${lifecycleRecords} times in the lifecycle`;
        run.findings.defer(NAME, { ...finding, code, detail }, { subject: id });
      }
      if (lifecycleRecords === 0) continue;
      const right =
        event.stage === 'SETTLEMENT' && event.lifecycleBySettlement ? event.lifecycleBySettlement : event.lifecycle;
      const isRight =
        event.lifecycleRecordDigest === right && isSecondRight(event) && isBeforeRight(event, events[place - 1]);
      if (!event.lifecycleRecordsDiffer && isRight) continue;
      const detail = `the lifecycle record of ${topic} ${sequence} says something else than the event`;
      run.findings.add(NAME, { ...finding, code: 'LIFECYCLE_DIFFERS', detail });
    }
  },
};

/** A record of an earlier version says nothing of the fields that came with the later ones. */
function isSecondRight(event: EventFact): boolean {
  const stated = event.lifecycleRecordSecond;
  if (stated === 0 || stated === event.lifecycleSecond) return true;
  const { lifecycleSecondOfTwo, lifecycleSecondOfThree, lifecycleSecondOfFour } = event;
  return [lifecycleSecondOfTwo, lifecycleSecondOfThree, lifecycleSecondOfFour].includes(stated);
}

/** What it says of the state before is what the log says of it; a hole in the log is the finding of another check. */
function isBeforeRight(
  { lifecycleRecordBefore: stated, sequence, state, at }: EventFact,
  previous: EventFact | undefined,
): boolean {
  if (stated === 0) return true;
  const contractVersion = CONTRACT_VERSION;
  if (sequence === 1) return stated === beforeDigest({ contractVersion, ...NOTHING_BEFORE });
  if (previous === undefined || previous.seen === 0 || previous.sequence !== sequence - 1) return true;
  if (state === 'RETURNED' && previous.state === 'COMPLETED') {
    return stated === beforeDigest({ contractVersion, ...NOTHING_BEFORE, previousState: 'COMPLETED' });
  }
  return stated === beforeDigest({ contractVersion, ...beforeOf(previous.state, previous.at, at) });
}
