// A log of lifecycle rows over several hours and corridors, with gaps in its offsets, for exports that die.
import type { LogReader } from '../../../ports/log.ts';
import { lifecycleOf } from '../../../processors/lifecycle.ts';
import { completed } from '../../../test/kit/events.ts';
import { memoryCodec } from '../../../test/kit/memory-codec.ts';
import { FixedLog } from '../../../verify/testing/fixed-log.ts';

export const TOPIC = 'transfer.lifecycle';
export const PARTITIONS = 2;
const HOUR_MS = 3_600_000;
export const AT = Date.UTC(2026, 10, 30, 22, 50);
export const codec = memoryCodec();
export const base = lifecycleOf('transfer.completed', completed(), 'SETTLEMENT')!;
const CORRIDORS = ['GB-IN', 'US-IN', null, '../../etc'];

export class ExportWorld {
  readonly log = new FixedLog(PARTITIONS);
  readonly ids: string[] = [];

  /** One more record, of one of several hours and corridors; every third offset is a gap. */
  put(kind: number, transferId = base.transferId): void {
    const partition = kind % PARTITIONS;
    const eventId = `e-${this.ids.length}`;
    this.ids.push(eventId);
    const corridorId = CORRIDORS[kind % CORRIDORS.length]!;
    const offset = this.log.end(TOPIC, partition) + (kind % 3 === 0 ? 1 : 0);
    this.log.put({
      ...{ topic: TOPIC, partition, offset, key: Buffer.from('t'), headers: {} },
      timestamp: AT + (kind % 5) * (HOUR_MS / 4),
      value: codec.encode(TOPIC, { ...base, eventId, corridorId, transferId }),
    });
  }

  get sources() {
    const reader = this.log.asLog().reader();
    const all = (topics: readonly string[]) => reader.offsets(topics);
    const offsetsSince: LogReader['offsetsSince'] = all;
    return {
      ...{ codec, rings: {}, topicIds: new Map([[TOPIC, 'topic-id-1']]) },
      reader: { offsets: all, read: reader.read, offsetsSince },
    };
  }
}
