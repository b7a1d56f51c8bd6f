// What the face of operators works with: the one place of the API where there is a key of operators.
import { deadLetters, groupCounts } from '../../adapters/mongo/dead-letters.ts';
import { letterChecks } from '../../adapters/mongo/letter-checks.ts';
import { replayableLetters, replays } from '../../adapters/mongo/replays.ts';
import type { KeyRing } from '../../domain/seals/seal.ts';
import type { ActHandlers } from '../../operations/approvals/execute.ts';
import { ChangeFeed } from '../../operations/changes/changes.ts';
import { lookAt } from '../../operations/changes/look.ts';
import type { ControlLog } from '../../operations/control/ports.ts';
import type { KnownTargets } from '../../operations/control/targets.ts';
import type { LetterChecks } from '../../operations/dead-letters/checks/checks.ts';
import type { EditComponents } from '../../operations/dead-letters/edits/edit-letter.ts';
import type { DeadLetters } from '../../operations/dead-letters/ports.ts';
import { replayLog } from '../../operations/dead-letters/replays/log.ts';
import type { ReplayStores } from '../../operations/dead-letters/replays/prepare.ts';
import type { PolicyStores } from '../../operations/policies/activate.ts';
import type { RateLog } from '../../operations/rates/ports.ts';
import { openApprovals } from '../approvals.ts';
import type { Connections } from '../connections.ts';
import { controlLog, knownTargets } from '../controls.ts';
import { type Inbox, openInbox } from '../inbox.ts';
import { type LimitsDesk, openLimitsDesk } from '../limits-standing.ts';
import { policyBook, policyLog } from '../policies.ts';
import { rateLog } from '../rates.ts';
import { type Desks, openDesks } from './desks.ts';

export interface OperatorComponents extends Desks {
  /** Seals what persons ask for and decide. */
  readonly ring: KeyRing;
  readonly replays: Pick<ReplayStores, 'replays' | 'letters' | 'approvals'>;
  /** What edits of letters are made and shown with. */
  readonly edits: EditComponents;
  readonly checks: LetterChecks;
  readonly letters: Pick<DeadLetters, 'noteOf' | 'list' | 'annotate'>;
  readonly inbox: Inbox;
  readonly changes: {
    readonly feed: ChangeFeed;
    /** How long nothing may happen before a watcher hears that we are here, ms. */
    readonly heartbeatMs: number;
    /** After so long a watcher has to come again, with a credential that is valid still, ms. */
    readonly lifetimeMs: number;
  };
  /** What is paused, and what can be. */
  readonly controls: { readonly log: ControlLog; readonly known: KnownTargets };
  /** What corridors go by, and jumps of it that were accepted. */
  readonly rates: RateLog;
  /** Versions of what is law as data. */
  readonly policies: PolicyStores;
  /** What is used of limits. */
  readonly limits: LimitsDesk;
  /** What each act needs to be shown and done. */
  readonly handlers: ActHandlers;
}

const LOOK_EVERY_MS = 1_000;
const HEARTBEAT_MS = 15_000;
const WATCH_LIFETIME_MS = 10 * 60_000;

/**
 * The parts over these connections, with their indexes.
 * @param onFault called when a look at changes failed
 * @throws CodedError when the database is away
 */
export async function composeOperators(
  connections: Connections,
  onFault: (error: unknown) => void,
): Promise<OperatorComponents & { close(): Promise<void> }> {
  const db = await connections.db();
  const kept = replays(db);
  await kept.ensureIndexes();
  const inbox = await openInbox(connections);
  const { store, handlers, close } = await openApprovals(connections);
  const desks = await openDesks(connections);
  const log = replayLog(connections.log, connections.config.appName, connections.config.keys);
  const watched = { replays: kept, approvals: store, letters: deadLetters(db), inbox: inbox.sources };
  const limits = openLimitsDesk(connections);
  const feed = new ChangeFeed({ look: () => lookAt(watched, Date.now()), onFault, everyMs: LOOK_EVERY_MS });
  return {
    ...desks,
    ring: connections.config.keys.operators,
    replays: { replays: kept, letters: replayableLetters(db, groupCounts(db)), approvals: store },
    edits: { replays: kept, log, codec: connections.codec },
    checks: letterChecks(db),
    letters: deadLetters(db),
    inbox,
    changes: { feed, heartbeatMs: HEARTBEAT_MS, lifetimeMs: WATCH_LIFETIME_MS },
    controls: { log: controlLog(connections), known: knownTargets(connections) },
    rates: rateLog(connections),
    policies: { log: policyLog(connections), kinds: policyBook(connections.config) },
    limits,
    handlers,
    close: async () => {
      feed.end();
      await limits.close();
      await desks.close();
      await log.close();
      await close();
    },
  };
}
