// One observer per host: turns what happens into metrics, log lines and health.

import { boundedLabels } from '../../domain/text/text.ts';
import type { Clock } from '../../ports/clock.ts';
import { contractOf } from '../../topics/catalogue.ts';
import { transferIdOf } from '../../topics/identity.ts';
import type { Logger } from '../logs-and-metrics/logger.ts';
import type { Metrics } from '../logs-and-metrics/metrics.ts';
import type { Alarm, DependencyTrouble, HostObserver } from './host.ts';
import type { InboundRecord } from './inbound-records.ts';

export interface ObserverOptions {
  readonly name: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

export interface Observer extends HostObserver {
  troubles(): readonly DependencyTrouble[];
  alarms(): readonly Alarm[];
}

export function createObserver({ name, clock, logger, metrics }: ObserverOptions): Observer {
  const troubles = new Map<string, DependencyTrouble>();
  const alarms = new Map<string, Alarm>();
  const log = logger.child({ stage: name });
  // Codes are the product's own, but for what a dependency's client calls an error.
  const label = boundedLabels();

  return {
    troubles: () => [...troubles.values()],
    alarms: () => [...alarms.values()],
    batch(topic, records) {
      metrics.recordsIn.inc({ consumer: name, topic }, records);
      metrics.batchRecords.observe({ consumer: name }, records);
    },
    records(topic, disposition, count) {
      metrics.records.inc({ consumer: name, topic, disposition }, count);
    },
    deadLetter(inbound, cause, deadLetterClass) {
      const { source, received } = inbound;
      const { topic, partition, offset } = source;
      const alarm = alarmOf(name, inbound, alarms.get(`${topic}/${partition}`), clock.now());
      if (alarm) {
        alarms.set(`${topic}/${partition}`, alarm);
        log.error({ ...alarm }, 'alarm');
      }
      const transferId = received ? transferIdOf(received.topic, received.value) : undefined;
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
    stopped(topic, partition, { code, detail }, inbound) {
      metrics.faults.inc({ consumer: name, code: label(code) });
      log.error({ topic, partition, offset: inbound?.record.offset, code, detail }, 'stopping');
    },
    logFault({ code, detail, topic, partition, severity }) {
      metrics.faults.inc({ consumer: name, code: label(code) });
      log[severity === 'fatal' ? 'error' : 'warn']({ topic, partition, code, detail, severity }, 'fault of the log');
    },
  };
}

/** On an intent's topic an unreadable batch is a producer's doing. Elsewhere only we write: the disk, or we, did it. */
function alarmOf(
  name: string,
  { record, source }: InboundRecord,
  before: Alarm | undefined,
  now: number,
): Alarm | undefined {
  const { unreadable } = record;
  if (unreadable === undefined || contractOf(source.topic)?.kind === 'intent') return undefined;
  const { topic, partition } = source;
  const { code, firstOffset, lastOffset } = unreadable;
  return {
    code: 'INNER_BATCH_UNREADABLE',
    topic,
    partition,
    firstOffset,
    lastOffset,
    detail: `${code}: offsets ${firstOffset} to ${lastOffset} of ${topic}/${partition} went to ${name}.dlq unread, with all transfers in them`,
    toDo:
      'compare the replicas of the partition and look at the disk of its leader; run `corridor verify`, which names the ' +
      'transfers that stand; a sound replica still has the records',
    count: (before?.count ?? 0) + 1,
    since: before?.since ?? now,
  };
}
