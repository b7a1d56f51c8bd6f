// What the sinks and the limits make of a log, put into stores in memory.

import { LIMIT_RULES } from '../../domain/limits/limit-rules.ts';
import { secondPersonOf } from '../../domain/people/two-persons.ts';
import { LEDGER_TOPICS, LedgerFold, type LedgerTopic } from '../../processors/limits/rebuild.ts';
import { toWrite as casesToWrite } from '../../sinks/cases/to-write.ts';
import { toWrite as eventsToWrite } from '../../sinks/events/to-write.ts';
import { toWrite as viewToWrite } from '../../sinks/transfer-view/to-write.ts';
import { AT } from '../../test/kit/builders.ts';
import type { Entry } from './entry.ts';
import type { MemoryLimits, MemoryStores } from './memory-stores.ts';

/** The event log, the view and the cases, those that were decided with their decision. */
export function fillStores(entries: readonly Entry[], stores: MemoryStores): void {
  const received = (topic: string) =>
    entries
      .filter((entry) => entry.topic === topic && entry.value !== undefined)
      .map(({ value }) => ({ topic, value, appendedAt: AT }) as never);
  for (const topic of ['transfer.lifecycle', 'intent.rejected', 'intent.duplicated']) {
    for (const document of eventsToWrite(received(topic))) stores.events.put(document);
  }
  for (const document of viewToWrite(received('transfer.lifecycle'))) stores.transfers.put(document);
  for (const document of casesToWrite(received('transfer.held'))) {
    const review = entries.find(({ topic, value }) => topic === 'review.decided' && value.holdId === document._id);
    const decision = review && {
      decision: review.value.decision,
      decidedBy: review.value.command.issuedBy,
      decidedAt: new Date(review.value.command.issuedAt),
      justification: review.value.justification,
      ...secondPersonOf(review.value),
      seal: review.value.seal,
    };
    stores.cases.put(decision ? { ...document, state: 'DECIDED', decision } : document);
  }
}

/** The limits ledger: reservations and counters. */
export function fillLimits(entries: readonly Entry[], limits: MemoryLimits): void {
  const fold = new LedgerFold(LIMIT_RULES);
  for (const { topic, value } of entries) {
    if ((LEDGER_TOPICS as readonly string[]).includes(topic)) fold.add(topic as LedgerTopic, value);
  }
  const { records, counters } = fold.state();
  for (const { transferId, attempt, state, uses } of records) {
    const kept = state === 'released' ? [] : uses;
    const stored = kept.map((use) => ({
      bucket: `${use.ruleId}:${use.subjectToken}:${use.window}`,
      minor: use.reservedMinor,
    }));
    limits.reservations.set(transferId, { transferId, attempt, state, uses: stored });
  }
  for (const { ruleId, subjectToken, window, usedMinor, open } of counters) {
    const bucket = `${ruleId}:${subjectToken}:${window}`;
    limits.buckets.set(bucket, { bucket, usedMinor, open });
  }
}
