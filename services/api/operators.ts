// What the face of operators works with: the one place of the API where there is a key of operators.
import { deadLetters, groupCounts } from '../../adapters/mongo/dead-letters.ts';
import { replayableLetters, replays } from '../../adapters/mongo/replays.ts';
import type { KeyRing } from '../../domain/seals/seal.ts';
import type { ActHandlers } from '../../operations/approvals/execute.ts';
import type { DeadLetters } from '../../operations/dead-letters/ports.ts';
import type { ReplayStores } from '../../operations/dead-letters/replays/prepare.ts';
import { openApprovals } from '../approvals.ts';
import type { Connections } from '../connections.ts';
import { type Inbox, openInbox } from '../inbox.ts';

export interface OperatorParts {
  /** Seals what persons ask for and decide. */
  readonly ring: KeyRing;
  readonly replays: Pick<ReplayStores, 'replays' | 'letters' | 'approvals'>;
  readonly letters: Pick<DeadLetters, 'noteOf' | 'list' | 'annotate'>;
  readonly inbox: Inbox;
  /** What each act needs to be shown and done. */
  readonly handlers: ActHandlers;
}

/** The parts over these connections, with their indexes. @throws CodedError when the database is away */
export async function composeOperators(connections: Connections): Promise<OperatorParts & { close(): Promise<void> }> {
  const db = await connections.db();
  const kept = replays(db);
  await kept.ensureIndexes();
  const { store, handlers, close } = await openApprovals(connections);
  return {
    ring: connections.config.keys.operators,
    replays: { replays: kept, letters: replayableLetters(db, groupCounts(db)), approvals: store },
    letters: deadLetters(db),
    inbox: await openInbox(connections),
    handlers,
    close,
  };
}
