// The board of what is stuck, and the status of the installation, with their adapters.
import { healthReports } from '../adapters/http/health-client.ts';
import { deadLetters } from '../adapters/mongo/dead-letters.ts';
import { openHolds } from '../adapters/mongo/inbox.ts';
import { payoutLists } from '../adapters/mongo/payout-lists.ts';
import { corridorBook } from '../domain/corridors/corridors.ts';
import { listInbox } from '../operations/cases/inbox/inbox.ts';
import type { PayoutListSources } from '../operations/queries/payouts.ts';
import { consumerLags } from '../operations/status/lags.ts';
import type { OpenCases, StatusSources } from '../operations/status/status.ts';
import { type StuckBoard, type StuckQuery, stuckBoard } from '../operations/stuck/board.ts';
import type { StuckSources } from '../operations/stuck/ports.ts';
import { type UnhandledSources, unhandledRecords } from '../operations/stuck/unhandled.ts';
import { requestCodec } from '../payouts/request-codec.ts';
import { hasRing, ringOf } from '../ports/seals.ts';
import { corridors } from './configured-rules.ts';
import type { Connections } from './connections.ts';
import { openInbox } from './inbox.ts';

const CHECKED_BY = ['executor', 'stages', 'operators'] as const;

/** What this process can check by: all keys that it takes, or nothing is proven. */
export const stuckKeys = ({ config: { keys } }: Connections): StuckKeys =>
  CHECKED_BY.every((issuer) => hasRing(keys, issuer))
    ? { rings: keys }
    : { rings: hasRing(keys, 'operators') ? { operators: keys.operators } : {}, unproven: true };

/**
 * Payouts as lists read them: what is shown is checked against the keys of the executor, the stages and operators.
 * @throws CodedError CONFIG_INVALID when one of them is not here, and it is not said that nothing is proven
 */
export async function payoutListSources(
  connections: Connections,
  { rings, unproven }: StuckKeys = { rings: connections.config.keys },
): Promise<PayoutListSources> {
  const { config, codec } = connections;
  if (!unproven) for (const issuer of CHECKED_BY) ringOf(rings, issuer);
  const { executor: ring, stages, operators } = rings;
  await codec.load(['payout.requested']);
  return {
    payouts: payoutLists(await connections.db(), {
      ...(ring && { ring }),
      ...(stages && { stages }),
      ...(operators && { operators }),
    }),
    requests: requestCodec(codec),
    corridors: corridorBook(corridors(config)),
  };
}

/** What the board is checked by; `unproven`: by whoever must not have the keys of stages. */
export type StuckKeys = Pick<UnhandledSources, 'rings' | 'unproven'>;

/**
 * Everything that the board is made of. Each source connects when it is asked, so that one that is away is told as a gap of the
 * board, and the others are read.
 */
export function stuckSources(
  connections: Connections,
  maxRecordsRead?: number,
  { rings, unproven }: StuckKeys = { rings: connections.config.keys },
): StuckSources {
  const { config, log, codec } = connections;
  return {
    unhandled: () =>
      unhandledRecords({ log, codec, app: config.appName, rings, ...(unproven && { unproven }) }, maxRecordsRead),
    holds: { briefs: async (limit) => openHolds(await connections.db()).briefs(limit) },
    payouts: {
      payouts: {
        inPhase: async (...asked) =>
          (await payoutListSources(connections, unproven ? { rings, unproven } : { rings })).payouts.inPhase(...asked),
      },
      requests: requestCodec(codec),
    },
    deadLetters: { groups: async () => deadLetters(await connections.db()).groups() },
  };
}

export const boardOf = (connections: Connections, query: StuckQuery, keys?: StuckKeys): Promise<StuckBoard> =>
  stuckBoard(stuckSources(connections, undefined, keys), query);

/** Everything that the status is made of, but for checkpoints of verify, which are files of whoever runs it. */
export function statusSources(connections: Connections, now: number, keys?: StuckKeys): StatusSources {
  return {
    health: healthReports(),
    lags: () => consumerLags(connections.log, connections.config.appName),
    stuck: () => boardOf(connections, { now }, keys),
    cases: () => openCases(connections, now),
  };
}

async function openCases(connections: Connections, now: number): Promise<OpenCases> {
  const { sources } = await openInbox(connections);
  const { total, rows, complete } = await listInbox(sources, { filter: {}, limit: 1, now });
  const { cases: count, money, withoutAmount } = total;
  return { count, money, withoutAmount, firstDueAt: rows[0]?.dueAt ?? null, complete };
}
