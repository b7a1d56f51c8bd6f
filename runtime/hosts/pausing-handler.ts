// A handler of batches that waits out every fault of a dependency, for consumers that put nothing aside.
import { backoffMs, DEPENDENCY_BACKOFF } from '../../ports/backoff.ts';
import type { BatchHandler, BatchResult } from '../../ports/log.ts';
import { faultOf } from '../fault.ts';
import type { HostObserver } from './host.ts';

const undone = (then: BatchResult['then']): BatchResult => ({ doneThrough: undefined, outputs: [], then });

/** The same handler: what it throws pauses the partition, with back-off, or stops the consumer when it is fatal. */
export function pausingHandler(observer: HostObserver, handle: BatchHandler): BatchHandler {
  /** Failures in a row of each partition. */
  const failures = new Map<string, number>();
  return async (batch) => {
    const { topic, partition, records } = batch;
    const key = `${topic}/${partition}`;
    observer.batch(topic, records.length);
    try {
      const result = await handle(batch);
      if (failures.delete(key)) observer.dependencyBack(topic, partition);
      return result;
    } catch (error) {
      const fault = faultOf(error);
      const { code, detail } = fault;
      if (fault.faultClass === 'fatal') {
        observer.stopped(topic, partition, fault, undefined);
        return undone({ do: 'stop', code, detail });
      }
      const count = (failures.get(key) ?? 0) + 1;
      failures.set(key, count);
      observer.dependencyDown(topic, partition, fault);
      const forMs = backoffMs(count, DEPENDENCY_BACKOFF);
      return undone({ do: 'pause', forMs, code, detail });
    }
  };
}
