// One observer per host: turns what happens into metrics, log lines and health.

import { boundedLabels } from '../domain/text.ts';
import { transferIdOf } from './arrivals.ts';
import type { Clock } from './clock.ts';
import type { DependencyTrouble, HostObserver } from './host.ts';
import type { Logger } from './logger.ts';
import type { Metrics } from './metrics.ts';

export interface ObserverOptions {
  readonly name: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

export interface Observer extends HostObserver {
  troubles(): readonly DependencyTrouble[];
}

export function createObserver({ name, clock, logger, metrics }: ObserverOptions): Observer {
  const troubles = new Map<string, DependencyTrouble>();
  const log = logger.child({ stage: name });
  // Codes are the product's own, but for what a dependency's client calls an error.
  const label = boundedLabels();

  return {
    troubles: () => [...troubles.values()],
    batch(topic, records) {
      metrics.recordsIn.inc({ consumer: name, topic }, records);
      metrics.batchRecords.observe({ consumer: name }, records);
    },
    records(topic, disposition, count) {
      metrics.records.inc({ consumer: name, topic, disposition }, count);
    },
    deadLetter({ source, received }, cause, deadLetterClass) {
      const { topic, partition, offset } = source;
      const transferId = received ? transferIdOf(received.value) : undefined;
      metrics.deadLetters.inc({ consumer: name, code: label(cause.code), class: deadLetterClass });
      log.warn({ topic, partition, offset, code: cause.code, class: deadLetterClass, transferId }, 'dead letter');
    },
    dropped({ record }, { code, detail }) {
      const { topic, partition, offset } = record;
      metrics.faults.inc({ consumer: name, code: label(code) });
      log.warn({ topic, partition, offset, code, detail }, 'dropped');
    },
    dependencyDown(topic, partition, { code, detail, dependency = 'unknown' }) {
      const key = `${topic}/${partition}`;
      metrics.faults.inc({ consumer: name, code: label(code) });
      const known = troubles.get(key);
      troubles.set(key, {
        dependency,
        code,
        detail,
        since: known?.since ?? clock.now(),
        topic,
        partition,
        lastMetAt: performance.now(),
      });
      metrics.waitingPartitions.set({ consumer: name }, troubles.size);
      if (known?.code !== code)
        log.warn({ topic, partition, code, dependency, detail }, 'a dependency is down: waiting');
    },
    dependencyBack(topic, partition) {
      const key = `${topic}/${partition}`;
      const known = troubles.get(key);
      if (!known) return;
      troubles.delete(key);
      metrics.waitingPartitions.set({ consumer: name }, troubles.size);
      const durationMs = clock.now() - known.since;
      log.info({ topic, partition, dependency: known.dependency, durationMs }, 'the dependency is back');
    },
    stopped(topic, partition, { code, detail }, arrival) {
      metrics.faults.inc({ consumer: name, code: label(code) });
      log.error({ topic, partition, offset: arrival?.record.offset, code, detail }, 'stopping');
    },
    logFault({ code, detail, topic, partition, severity }) {
      metrics.faults.inc({ consumer: name, code: label(code) });
      log[severity === 'fatal' ? 'error' : 'warn']({ topic, partition, code, detail, severity }, 'fault of the log');
    },
  };
}
