// What may be done with whose letters.
import type { StageName } from '../../processors/topology.ts';
import type { TopicName } from '../../topics/catalogue.ts';

/** Sinks that keep documents, and pay nobody: what they are sent again moves no money. They seal nothing that they put aside. */
const KEEPERS: ReadonlySet<string> = new Set(['sink-events', 'sink-transfer-view', 'sink-cases', 'sink-webhooks']);
export const movesNoMoney = (owner: string): boolean => KEEPERS.has(owner);
/** All that they write is made again from the log. */
const MADE_AGAIN: ReadonlySet<string> = new Set(['sink-events', 'sink-transfer-view', 'sink-webhooks']);
export const writesViewsOnly = (owner: string): boolean => MADE_AGAIN.has(owner);

/** The records after which a transfer stands still, by the stage that ends it with a rejection when its letter is discarded. */
const ENDED_BY_REJECTION: Readonly<Partial<Record<StageName, readonly TopicName[]>>> = {
  intake: ['transfer.requested'],
  screening: ['transfer.accepted', 'review.decided'],
  'fx-pricing': ['transfer.screened', 'transfer.requote-requested'],
  limits: ['transfer.priced', 'review.decided'],
  'payout-dispatch': ['transfer.reserved', 'review.decided'],
};
export const isEndedByRejection = (owner: string, topic: string): boolean =>
  (ENDED_BY_REJECTION[owner as StageName] ?? []).some((name) => name === topic);

/** What these handle comes behind the payout: it may be paid already. */
export const mayHavePaid = (owner: string): boolean => owner === 'payout-executor' || owner === 'settlement';
