import { globSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import {
  ANALYTICS,
  AUDIT_SEQUENCER,
  analyticsConsumers,
  auditConsumers,
  consumers,
  LETTER_INDEX,
  RATE_HISTORY,
  topology,
} from '../../processors/topology.ts';
import { inputTopics } from '../../topics/recovery.ts';
import { groupId, transactionalId } from './names.ts';

// These names stand in the cluster. A group under another name has no offsets; a producer under another transactional id
// does not fence its predecessor. Never change this list: add to it.
const FROZEN = {
  intake: ['transfer.requested'],
  screening: ['transfer.accepted', 'review.decided'],
  'fx-pricing': ['transfer.screened', 'transfer.requote-requested'],
  limits: ['transfer.priced', 'review.decided', 'transfer.rejected', 'transfer.completed', 'transfer.returned'],
  'payout-dispatch': ['transfer.reserved', 'review.decided'],
  settlement: ['payout.updated'],
  'payout-executor': ['payout.requested'],
  'sink-events': ['transfer.lifecycle', 'intent.rejected', 'intent.duplicated'],
  'sink-transfer-view': ['transfer.lifecycle'],
  'sink-cases': ['transfer.held'],
  'sink-webhooks': ['transfer.lifecycle'],
};
const RECOVERY = ['retry.5s', 'retry.60s', 'replay'];

const readsOf = Object.fromEntries(
  Object.entries({ ...topology, ...consumers }).map(([name, { reads }]) => [name, reads.map((topic) => topic.name)]),
);

it('every processor and sink has its frozen name and inputs', () => {
  expect(readsOf).toEqual(FROZEN);
});

it('the index of dead letters keeps its group', () => {
  expect(groupId('corridor', LETTER_INDEX)).toBe('corridor.sink-dead-letters');
});

it('the audit log keeps its groups and the transactional id of its one sequencer', () => {
  expect(Object.keys(auditConsumers).map((name) => groupId('corridor', name))).toEqual([
    'corridor.audit-sequencer',
    'corridor.audit-index',
  ]);
  const [reads] = auditConsumers[AUDIT_SEQUENCER].reads;
  expect(transactionalId('corridor', AUDIT_SEQUENCER, reads.name, 0)).toBe('corridor.audit-sequencer.audit.entries.0');
});

it('what analysts read is written by one group and its transactional ids', () => {
  expect(Object.keys(analyticsConsumers).map((name) => groupId('corridor', name))).toEqual([
    'corridor.analytics',
    'corridor.rate-history',
  ]);
  const [reads] = analyticsConsumers[ANALYTICS].reads;
  expect(transactionalId('corridor', ANALYTICS, reads.name, 2)).toBe('corridor.analytics.transfer.lifecycle.2');
  const [rates] = analyticsConsumers[RATE_HISTORY].reads;
  expect(transactionalId('corridor', RATE_HISTORY, rates.name, 0)).toBe('corridor.rate-history.fx.rates.0');
});

it.each(Object.entries(FROZEN))('%s keeps its group and its transactional ids', (name, reads) => {
  expect(groupId('corridor', name)).toBe(`corridor.${name}`);
  const topics = inputTopics(name, reads);
  expect(topics).toEqual([...reads, ...RECOVERY.map((suffix) => `${name}.${suffix}`)]);
  expect(topics.map((topic) => transactionalId('corridor', name, topic, 2))).toEqual([
    ...reads.map((topic) => `corridor.${name}.${topic}.2`),
    ...RECOVERY.map((suffix) => `corridor.${name}.${name}.${suffix}.2`),
  ]);
});

// A copy of these templates elsewhere would be used without being guarded.
it('no other file of the product makes a group or a transactional id', () => {
  const product = globSync(
    '{adapters,api,cli,operations,payouts,ports,processors,runtime,services,sinks,verify}/**/*.ts',
  );
  const makers = product.filter((file) => /\$\{(\w+\.)*app(Name)?\}\.\$\{/.test(readFileSync(file, 'utf8')));
  expect(makers).toEqual(['ports/consumer-groups/names.ts']);
});
