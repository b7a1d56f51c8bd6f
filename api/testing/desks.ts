// The desks of operators in memory: an audit log with a sequencer, list versions, exceptions, a consumer that stands.

import { describeContent } from '../../operations/approvals/execute.ts';
import type { memoryApprovals } from '../../operations/approvals/testing/memory-approvals.ts';
import { catchUp } from '../../operations/audit/indexer.ts';
import type { AuditIndex, IndexedEntry } from '../../operations/audit/ports.ts';
import { AuditWorld, KEY } from '../../operations/audit/testing/audit-world.ts';
import type { inboxWorld } from '../../operations/cases/inbox/testing/world.ts';
import type { StoredException } from '../../operations/exceptions/exception.ts';
import type { Exceptions } from '../../operations/exceptions/ports.ts';
import { exceptionHandler } from '../../operations/exceptions/second-person.ts';
import { activationHandler } from '../../operations/lists/second-person.ts';
import type { ListedPayout } from '../../operations/queries/ports.ts';
import type { StandingPoint } from '../../operations/skips/ports.ts';
import { type SkipContent, skipLines } from '../../operations/skips/skip.ts';
import { stuckBoard } from '../../operations/stuck/board.ts';
import { requestCodec } from '../../payouts/request-codec.ts';
import type { LogRecord } from '../../ports/log.ts';
import { ringOf } from '../../ports/seals.ts';
import type { ScreeningExceptionRevoked, ScreeningListActivated } from '../../schemas/types.generated.ts';
import { loadSampleList } from '../../screening/lists/sample/load.ts';
import type { Desks } from '../../services/api/desks.ts';
import { gateOf } from '../../services/api/gated.ts';
import { AT, BOOK } from '../../test/kit/builders.ts';
import { memoryCodec } from '../../test/kit/memory-codec.ts';
import { type MemoryLists, memoryLists } from '../../test/kit/memory-screening.ts';
import { testRings } from '../../test/kit/rings.ts';

export interface DeskMemory {
  readonly auditLog: AuditWorld;
  readonly index: IndexedEntry[];
  readonly lists: MemoryLists;
  /** Activations in the log, in order. */
  readonly activated: ScreeningListActivated[];
  readonly exceptions: StoredException[];
  /** Revocations in the log, in order. */
  readonly revoked: ScreeningExceptionRevoked[];
  readonly payouts: ListedPayout[];
  /** Where `limits` stands in `transfer.priced`, partition 3. */
  head: LogRecord | undefined;
}

/** Entries of the audit log that are there from the beginning. */
const ENTRIES = 5;

/** Five entries under a signed checkpoint, one list in force. */
export async function deskMemory(): Promise<DeskMemory> {
  const auditLog = new AuditWorld();
  auditLog.log.append(auditLog.recordsOf(0, ENTRIES));
  await auditLog.sequence();
  const index: IndexedEntry[] = [];
  await catchUp({ codec: auditLog.codec, reader: auditLog.log.reader(), index: memoryIndex(index) });
  const lists = memoryLists();
  await lists.put(await loadSampleList());
  const head: LogRecord = {
    ...{ topic: 'transfer.priced', partition: 3, offset: 4_711, timestamp: AT, headers: {} },
    ...{ key: Buffer.from('transfer-0001'), value: Buffer.from('what it cannot handle') },
  };
  return { auditLog, index, lists, activated: [], exceptions: [], revoked: [], payouts: [], head };
}

function memoryIndex(entries: IndexedEntry[]): AuditIndex {
  let offset = 0;
  return {
    ensureIndexes: async () => undefined,
    standing: async () => ({ next: entries.length, offset }),
    async write(some, standing) {
      entries.push(...some);
      offset = standing.offset;
    },
    async list({ subject, outcome, objectId }, limit, before = Number.POSITIVE_INFINITY) {
      return entries
        .filter((each) => subject === undefined || each.subject === subject)
        .filter((each) => outcome === undefined || each.outcome === outcome)
        .filter((each) => objectId === undefined || each.objectId === objectId)
        .filter((each) => each.index < before)
        .toReversed()
        .slice(0, limit);
    },
    find: async (which) => entries.find(({ index, entryId }) => which === index || which === entryId),
    async *leaves() {},
  };
}

function memoryExceptions(kept: StoredException[]): Exceptions {
  const change = (id: string, isSo: (found: StoredException) => boolean, to: Partial<StoredException>) => {
    const place = kept.findIndex((each) => each.exceptionId === id && isSo(each));
    if (place >= 0) kept[place] = { ...kept[place]!, ...to };
    return place >= 0;
  };
  return {
    clock: async (own) => own,
    list: async ({ token, limit }) =>
      kept
        .filter((each) => token === undefined || each.token === token)
        .toReversed()
        .slice(0, limit),
    async insert(exception) {
      if (kept.some(({ exceptionId }) => exceptionId === exception.exceptionId)) return false;
      kept.push(exception);
      return true;
    },
    waiting: async (id, now) =>
      kept.find((each) => each.exceptionId === id && !each.approved && !each.revoked && each.expiresAt > now),
    approve: async (id, approved) => change(id, (found) => !found.approved && !found.revoked, { approved }),
    revoke: async (id, revoked) => change(id, (found) => !found.revoked, { revoked }),
  };
}

interface Around {
  readonly desks: DeskMemory;
  readonly approvals: ReturnType<typeof memoryApprovals>;
  readonly cases: ReturnType<typeof inboxWorld>;
}

type Asked = <T>(answer: () => T) => Promise<T>;

/** What lists and exceptions need to be let through. */
export const deskHandlers = ({ desks }: Pick<Around, 'desks'>) => ({
  'exceptions.grant': exceptionHandler(memoryExceptions(desks.exceptions), ringOf(testRings, 'operators')),
  'lists.activate': activationHandler(async () => ({ lists: desks.lists, ...publishing(desks) })),
  'records.skip': { describe: describeContent<SkipContent>(skipLines) },
});

const publishing = ({ activated }: DeskMemory) => ({
  publish: async (activation: ScreeningListActivated) => void activated.push(activation),
  lastOf: async (source: string) => activated.findLast(({ list }) => list.source === source),
  forTrials: true,
  close: async () => undefined,
});

export function memoryDesks({ desks, approvals, cases }: Around, asked: Asked): Desks {
  const { auditLog, index } = desks;
  const gate = gateOf(10);
  const payouts = {
    payouts: {
      inPhase: () => asked(() => desks.payouts),
    },
    requests: requestCodec(memoryCodec()),
    corridors: BOOK,
  };
  const board: Desks['board'] = (query) =>
    stuckBoard(
      {
        unhandled: () => asked(() => ({ records: [], cut: [], isProven: false })),
        holds: cases.sources.holds,
        payouts,
        deadLetters: { groups: () => asked(() => ({ counted: [], uncounted: 0, isCut: false })) },
      },
      query,
    );
  const point = (): StandingPoint => ({
    ...{ topicId: 'AAAAAAAAAAAAAAAAAAAAAA', head: desks.head, position: desks.head?.offset ?? 9, end: 9_999 },
  });
  return {
    audit: { codec: auditLog.codec, reader: auditLog.log.reader(), keys: [KEY.verifies], index: memoryIndex(index) },
    proving: gate,
    board,
    status: {
      sources: (now) => ({
        health: { of: async () => ({ live: true, ready: true, standing: [], parts: [] }) },
        lags: () => asked(() => []),
        stuck: () => board({ now }),
        cases: async () => ({ count: 0, money: [], withoutAmount: 0, firstDueAt: null, complete: true }),
      }),
      processes: ['http://chain.test:9464'],
      gate,
    },
    payouts: { sources: payouts, isProven: false },
    skips: {
      approvals,
      partsOf: async () => ({
        approvals,
        log: { standingPoint: () => asked(point), positions: async () => [], skipped: async () => new Set<string>() },
        operators: ringOf(testRings, 'operators'),
        amountOf: async () => ({ minor: 12_300n, currency: 'GBP' }),
        proves: false,
      }),
    },
    lists: { store: desks.lists, comparing: gate, publisher: async () => publishing(desks) },
    exceptions: {
      store: memoryExceptions(desks.exceptions),
      publish: (revoked) => asked(() => void desks.revoked.push(revoked)),
    },
  };
}
