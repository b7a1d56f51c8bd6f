// The analytics records against the events that they describe.
import type { Check } from '../check.ts';
import { positionOf } from '../transfer.ts';

const NAME = 'lifecycle';

export const lifecycle: Check = {
  name: NAME,
  proves: 'Lifecycle records and chain events agree one to one, in every field.',
  transfer({ id, partition, events, verifiedThrough }, run) {
    for (const event of events) {
      const { topic, sequence, seen, lifecycleRecords, offset } = event;
      if (sequence <= verifiedThrough) continue;
      const finding = { transferId: id, position: positionOf(topic, partition, offset) };
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
      if (!event.lifecycleRecordsDiffer && event.lifecycleRecordDigest === right) continue;
      const detail = `the lifecycle record of ${topic} ${sequence} says something else than the event`;
      run.findings.add(NAME, { ...finding, code: 'LIFECYCLE_DIFFERS', detail });
    }
  },
};
