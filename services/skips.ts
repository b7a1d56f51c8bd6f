// Skips of records with their adapters: for the consumers that do them, and for the people who ask.
import type { Audit } from '../operations/audit/audit.ts';
import { skipLog } from '../operations/skips/log.ts';
import { recordSkips, type SkipComponents, settleSkips } from '../operations/skips/skips.ts';
import { CONTRACTS, describeUnhandled } from '../operations/stuck/unhandled.ts';
import type { RecordSkips } from '../ports/record-skips.ts';
import { ringOf } from '../ports/seals.ts';
import { approvalStore } from './approval-store.ts';
import type { Connections } from './connections.ts';
import type { StuckKeys } from './stuck.ts';

/** What consumers of this process may skip. The database is asked for when one cannot get past a record, and not before. */
export function skipsOf(connections: Connections): RecordSkips {
  const store = async () => approvalStore(await connections.db());
  return recordSkips(
    {
      ofSubject: async (...asked) => (await store()).ofSubject(...asked),
      begin: async (...asked) => (await store()).begin(...asked),
      clock: async (own) => (await store()).clock(own),
    },
    connections.config.keys.operators,
    () => new Date(),
  );
}

/** Everything that is needed to ask for the skip of a record of this consumer. */
export async function skipComponents(
  connections: Connections,
  owner: string,
  { rings, unproven }: StuckKeys = { rings: connections.config.keys },
): Promise<SkipComponents> {
  const { config, log, codec } = connections;
  await codec.load(CONTRACTS);
  const store = approvalStore(await connections.db());
  await store.ensureIndexes();
  return {
    approvals: store,
    log: skipLog(log, config.appName, rings),
    operators: ringOf(rings, 'operators'),
    proves: !unproven,
    amountOf: async (record) =>
      (await describeUnhandled(owner, [record], { codec, rings, ...(unproven && { unproven }) }))[0]!.amount,
  };
}

/** Ends the skips whose consumers have come past their records. @returns how many */
export async function settleSkipsOf(connections: Connections, audit: Pick<Audit, 'note'>): Promise<number> {
  const { config, log } = connections;
  const store = approvalStore(await connections.db());
  return settleSkips(store, skipLog(log, config.appName, config.keys), new Date(), audit);
}
