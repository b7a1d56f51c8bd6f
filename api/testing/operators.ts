// The parts of operators in memory, with the rings of tests.

import { BUILT_IN_LIMITS } from '../../domain/limits/limit-rules.ts';
import type { memoryApprovals } from '../../operations/approvals/testing/memory-approvals.ts';
import type { inboxWorld } from '../../operations/cases/inbox/testing/world.ts';
import type { CaseNote } from '../../operations/cases/notes/notes.ts';
import { ChangeFeed } from '../../operations/changes/changes.ts';
import { lookAt } from '../../operations/changes/look.ts';
import { resumeHandler } from '../../operations/control/controls.ts';
import type { KnownTargets } from '../../operations/control/targets.ts';
import type { MemoryControls } from '../../operations/control/testing/memory-controls.ts';
import type { LetterCheck } from '../../operations/dead-letters/checks/checks.ts';
import type { GroupNote } from '../../operations/dead-letters/ports.ts';
import { checkReplayWaits } from '../../operations/dead-letters/replays/control.ts';
import type { Replays } from '../../operations/dead-letters/replays/ports.ts';
import { summaryOf } from '../../operations/dead-letters/replays/prepare.ts';
import { approvedHash, type ReplayDocument, type ReplayItem } from '../../operations/dead-letters/replays/replay.ts';
import { limitStandings } from '../../operations/limits/standing.ts';
import type { MemoryEyes } from '../../operations/limits/testing/memory-eyes.ts';
import { activatePolicyHandler } from '../../operations/policies/activate.ts';
import { limitsPolicy } from '../../operations/policies/limits.ts';
import type { PolicyBook } from '../../operations/policies/ports.ts';
import type { MemoryPolicies } from '../../operations/policies/testing/memory-policies.ts';
import { acceptJumpHandler } from '../../operations/rates/jumps.ts';
import { CodedError } from '../../ports/fault.ts';
import type { LogRecord } from '../../ports/log.ts';
import { ringOf } from '../../ports/seals.ts';
import type { OperatorComponents } from '../../services/api/operators.ts';
import type { DeadLetterDocument } from '../../sinks/dead-letters/letter.ts';
import { AT } from '../../test/kit/builders.ts';
import { memoryCodec } from '../../test/kit/memory-codec.ts';
import type { MemoryRates } from '../../test/kit/memory-rates.ts';
import { testRings } from '../../test/kit/rings.ts';
import { type DeskMemory, deskHandlers, memoryDesks } from './desks.ts';

export interface OperatorMemory {
  readonly letters: DeadLetterDocument[];
  readonly replays: ReplayDocument[];
  readonly replayItems: ReplayItem[];
  readonly checks: Map<string, LetterCheck>;
  /** The letters of the log, by `partition/offset`. */
  letterRecords: (places: readonly ReplayItem['place'][]) => ReadonlyMap<string, LogRecord>;
  readonly approvals: ReturnType<typeof memoryApprovals>;
  readonly notes: Map<string, GroupNote>;
  readonly controls: MemoryControls;
  readonly rates: MemoryRates;
  readonly policies: MemoryPolicies;
  readonly limits: MemoryEyes;
  readonly cases: ReturnType<typeof inboxWorld>;
  readonly caseNotes: CaseNote[];
  readonly desks: DeskMemory;
}

const TARGETS: KnownTargets = {
  ...{ processors: ['limits'], partitions: 4, corridors: ['GB-IN'], providers: ['simulator'], rails: ['SCT'] },
};

const POLICIES = new Map([
  [
    'limits',
    limitsPolicy(
      () => BUILT_IN_LIMITS,
      () => TARGETS.corridors,
    ),
  ],
]) as PolicyBook;

type Asked = <T>(answer: () => T) => Promise<T>;

const unused = (): never => {
  throw new Error('no route asks for this');
};

function memoryReplays(memory: OperatorMemory, asked: Asked): Replays {
  const at = (id: string) => memory.replays.findIndex(({ _id }) => _id === id);
  return {
    insert: (replay) =>
      asked(() => {
        if (at(replay._id) >= 0) return false;
        memory.replays.unshift(replay);
        return true;
      }),
    find: (id) => asked(() => memory.replays[at(id)]),
    list: (states, limit) => asked(() => memory.replays.filter(({ state }) => states.includes(state)).slice(0, limit)),
    neverAsked: (askedBy, since) =>
      asked(() =>
        memory.replays
          .filter((each) => each.askedBy === askedBy && each.createdAt > since && each.approvalId === null)
          .map(({ createdAt, endedAt, halted }) => ({ createdAt, until: endedAt ?? halted?.at ?? null })),
      ),
    change: (replay, to) =>
      asked(() => {
        const place = at(replay._id);
        const found = memory.replays[place];
        if (found?.version !== replay.version) return false;
        memory.replays[place] = { ...found, ...to, version: found.version + 1 };
        return true;
      }),
    insertItems: (some) => asked(() => void memory.replayItems.push(...some)),
    item: (id, letterId) => asked(() => memory.replayItems.find(({ _id }) => _id === `${id}/${letterId}`)),
    items: (id) => asked(() => memory.replayItems.filter(({ replayId }) => replayId === id)),
    edit: (item, edit) =>
      asked(() => {
        const place = memory.replayItems.findIndex(({ _id }) => _id === item);
        memory.replayItems[place] = { ...memory.replayItems[place]!, edit };
      }),
    counts: () => asked(() => [{ state: 'SENT', outcome: 'COMPLETED', reason: null, letters: 3 }]),
    release: () => asked(() => undefined),
    ...{ open: unused, lease: unused, predict: unused, markSent: unused, skip: unused, settle: unused },
    ...{ progress: unused, watched: unused, mark: unused },
  };
}

function memoryInbox({ cases, caseNotes }: OperatorMemory): OperatorComponents['inbox'] {
  const { sources, deciding, assignments: all } = cases;
  const at = (caseId: string) => all.findIndex((each) => each.caseId === caseId);
  const assignments: OperatorComponents['inbox']['assignments'] = {
    current: sources.assignments.current,
    find: async (caseId, now) => all.find((each) => each.caseId === caseId && each.until > now),
    async assign(wanted) {
      const known = all[at(wanted.caseId)];
      if (known && known.person !== wanted.person && known.until > wanted.at) return known;
      if (known) all[at(wanted.caseId)] = wanted;
      else all.push(wanted);
      return wanted;
    },
    async release(caseId, person) {
      const place = at(caseId);
      if (all[place]?.person !== person) return false;
      all.splice(place, 1);
      return true;
    },
  };
  const notes: OperatorComponents['inbox']['notes'] = {
    async add(note) {
      const known = caseNotes.find(({ id }) => id === note.id);
      if (!known) caseNotes.push(note);
      return known ?? note;
    },
    of: async (caseId, limit) => caseNotes.filter((note) => note.caseId === caseId).slice(-limit),
  };
  // As in an installation, the API has no key of the executor.
  return { sources, deciding: { ...deciding, closesPayouts: false }, assignments, notes, policy: deciding.policy };
}

export function memoryOperators(memory: OperatorMemory, asked: Asked): OperatorComponents {
  const parked = (group: string | undefined) =>
    memory.letters.filter((letter) => letter.state === 'PARKED' && (group === undefined || letter.group === group));
  const inbox = memoryInbox(memory);
  const replays = memoryReplays(memory, asked);
  const letters = { groups: () => asked(() => ({ counted: [], uncounted: 0, isCut: false })) };
  const watched = { replays, approvals: memory.approvals, letters, inbox: inbox.sources };
  const feed = new ChangeFeed({ look: () => lookAt(watched, 0), onFault: () => undefined, everyMs: 5 });
  return {
    ...memoryDesks(memory, asked),
    ring: ringOf(testRings, 'operators'),
    controls: { log: memory.controls, known: TARGETS },
    rates: memory.rates,
    policies: { log: memory.policies, kinds: POLICIES },
    limits: {
      standings: async (subjects) => {
        const { book } = memory.limits;
        return limitStandings(memory.limits, { subjects, book, at: AT });
      },
    },
    handlers: {
      ...deskHandlers(memory),
      'control.resume': resumeHandler(memory.controls),
      'policy.activate': activatePolicyHandler({ log: memory.policies, kinds: POLICIES }),
      'rates.accept-jump': acceptJumpHandler(memory.rates),
      'dead-letters.replay': {
        async describe({ subject, hash }) {
          const replay = memory.replays.find(({ _id }) => _id === subject);
          if (replay && approvedHash(replay) === hash) return [summaryOf(replay)];
          throw new CodedError('EVIDENCE_CHANGED', 'it is not what was asked for');
        },
        checkApprover: (approval) => checkReplayWaits(replays, approval),
      },
    },
    replays: {
      replays,
      letters: {
        take: ({ group }, replayId, limit) =>
          asked(() => {
            const taken = parked(group).slice(0, limit);
            for (const letter of taken) Object.assign(letter, { state: 'SELECTED', takenBy: replayId });
            return taken;
          }),
        giveBack: () => asked(() => undefined),
        ...{ taken: unused, move: unused, newFailures: unused, successors: unused },
      },
      approvals: memory.approvals,
    },
    edits: {
      replays,
      log: { letters: (_, places) => asked(() => ({ found: memory.letterRecords(places), left: new Set<string>() })) },
      codec: memoryCodec(),
    },
    checks: {
      insert: (check) =>
        asked(() => {
          if (memory.checks.has(check._id)) return false;
          memory.checks.set(check._id, check);
          return true;
        }),
      find: (id) => asked(() => memory.checks.get(id)),
      ...{ wanted: unused, end: unused },
    },
    inbox,
    changes: { feed, heartbeatMs: 50, lifetimeMs: 300 },
    letters: {
      list: ({ group }, limit) => asked(() => parked(group).slice(0, limit)),
      noteOf: (group) => asked(() => memory.notes.get(group)),
      annotate: (note) =>
        asked(() => {
          if ((memory.notes.get(note.group)?.version ?? 0) !== note.version - 1) return false;
          memory.notes.set(note.group, note);
          return true;
        }),
    },
  };
}
