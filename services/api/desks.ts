// What the face of operators has beside cases, replays and approvals: the audit log, status, payouts, skips, lists, exceptions.
// Of all keys it has those of operators alone, so what stages and the executor seal is shown as it stands, and said to be so.

import { auditIndex } from '../../adapters/mongo/audit-index.ts';
import { listStore } from '../../adapters/mongo/list-versions.ts';
import { exceptionStore } from '../../adapters/mongo/screening-exceptions.ts';
import type { AuditReading } from '../../operations/audit/entries.ts';
import type { Exceptions, PublishRevocation } from '../../operations/exceptions/ports.ts';
import type { ActivationTerms, PublishActivation } from '../../operations/lists/import-and-activate.ts';
import type { PayoutListSources } from '../../operations/queries/payouts.ts';
import type { ApprovalsBySubject } from '../../operations/skips/ports.ts';
import type { SkipComponents } from '../../operations/skips/skips.ts';
import type { StatusSources } from '../../operations/status/status.ts';
import type { StuckBoard, StuckQuery } from '../../operations/stuck/board.ts';
import { type Rings, ringOf } from '../../ports/seals.ts';
import type { ListStore } from '../../screening/versions/store.ts';
import { approvalStore } from '../approval-store.ts';
import { AUDIT_TOPICS, auditKeys } from '../audit.ts';
import type { Connections } from '../connections.ts';
import { activationPublisher, revocationsInLog } from '../screening.ts';
import { skipComponents } from '../skips.ts';
import { boardOf, payoutListSources, type StuckKeys, statusSources } from '../stuck.ts';
import { type Gate, gateOf } from './gated.ts';

export interface Desks {
  readonly audit: AuditReading;
  /** Reads the whole log. */
  readonly proving: Gate;
  readonly board: (query: StuckQuery) => Promise<StuckBoard>;
  readonly status: {
    /** @param now ms since 1970 */
    readonly sources: (now: number) => StatusSources;
    /** Health servers of all processes. */
    readonly processes: readonly string[];
    readonly gate: Gate;
  };
  readonly payouts: { readonly sources: PayoutListSources; readonly isProven: boolean };
  readonly skips: {
    readonly approvals: ApprovalsBySubject;
    readonly partsOf: (owner: string) => Promise<SkipComponents>;
  };
  readonly lists: {
    readonly store: ListStore;
    /** Unpacks whole lists. */
    readonly comparing: Gate;
    readonly publisher: () => Promise<{
      readonly publish: PublishActivation;
      readonly lastOf: NonNullable<ActivationTerms['lastOf']>;
      readonly forTrials: boolean;
      close(): Promise<void>;
    }>;
  };
  readonly exceptions: { readonly store: Exceptions; readonly publish: PublishRevocation };
}

const MAX_PROOFS = 2;
const MAX_BOARDS = 2;
const MAX_COMPARISONS = 1;

/** The desks over these connections. Close them before the connections. @throws CodedError when a store is away */
export async function openDesks(connections: Connections): Promise<Desks & { close(): Promise<void> }> {
  const { config, codec, log } = connections;
  const db = await connections.db();
  await codec.load(AUDIT_TOPICS);
  const operators = ringOf(config.keys, 'operators');
  const rings: Rings = { operators };
  const keys: StuckKeys = { rings, unproven: true };
  const revocations = revocationsInLog(connections);
  const exceptions = exceptionStore(db, { operators, revocations });
  const lists = listStore(db, { operators });
  await Promise.all([exceptions.ensureIndexes(), lists.ensureIndexes()]);
  const boards = gateOf(MAX_BOARDS);
  return {
    audit: { codec, reader: log.reader(), keys: auditKeys(config), index: auditIndex(db) },
    proving: gateOf(MAX_PROOFS),
    board: (query) => boards(() => boardOf(connections, query, keys)),
    status: {
      sources: (now) => statusSources(connections, now, keys),
      processes: config.health.urls ?? [],
      gate: boards,
    },
    payouts: { sources: await payoutListSources(connections, keys), isProven: false },
    skips: { approvals: approvalStore(db), partsOf: (owner) => skipComponents(connections, owner, keys) },
    lists: { store: lists, comparing: gateOf(MAX_COMPARISONS), publisher: () => activationPublisher(connections) },
    exceptions: { store: exceptions, publish: revocations.publish! },
    close: () => revocations.close(),
  };
}
