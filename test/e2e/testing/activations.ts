// List versions that become active where a test says so. Versions, what is in force, payouts, cases and progress are in MongoDB,
// activations go through Kafka; where something becomes active is chosen by barriers in the ports, never by time. The provider
// is in memory: it counts.
import { afterAll, beforeAll } from 'vitest';
import { customerCaseStore, rescreenProgress } from '../../../adapters/mongo/customer-cases.ts';
import { holdClaims } from '../../../adapters/mongo/hold-claims.ts';
import { listStore } from '../../../adapters/mongo/list-versions.ts';
import { mongoPayoutStore } from '../../../adapters/mongo/payouts.ts';
import { exceptionStore } from '../../../adapters/mongo/screening-exceptions.ts';
import type { StackUrls } from '../../../infra/local/stack.ts';
import {
  activateVersion,
  importVersion,
  type PublishActivation,
} from '../../../operations/lists/import-and-activate.ts';
import { DEFAULT_EXECUTOR_CONFIG } from '../../../payouts/config.ts';
import type { PayoutExecutorDependencies } from '../../../payouts/dependencies.ts';
import { createPayoutExecutor } from '../../../payouts/executor.ts';
import { DEFAULT_PAYOUT_POLICY } from '../../../payouts/policy.ts';
import { requestCodec } from '../../../payouts/request-codec.ts';
import { createScreeningGate } from '../../../payouts/screening-gate.ts';
import { systemClock } from '../../../ports/clock.ts';
import { createPayoutDispatch } from '../../../processors/payout-dispatch/processor.ts';
import { createScreening } from '../../../processors/screening/processor.ts';
import { createTable, type Table } from '../../../runtime/hosts/table.ts';
import { seeded } from '../../../samples/random.ts';
import type {
  PayoutRequested,
  ScreeningListActivated,
  TransferAccepted,
  TransferReserved,
  TransferScreened,
} from '../../../schemas/types.generated.ts';
import { screeningTerms } from '../../../screening/configuration.ts';
import { comparePair, DEFAULT_CONFIG } from '../../../screening/engine/index.ts';
import { openIndexThread } from '../../../screening/index/thread.ts';
import type { ListEntity, ListVersion } from '../../../screening/lists/index.ts';
import { loadSampleList } from '../../../screening/lists/sample/load.ts';
import type { ActiveLists, OpenIndexes } from '../../../screening/ports.ts';
import { requestOf } from '../../../screening/requests.ts';
import { type KnownParties, rescreen } from '../../../screening/rescreening/rescreen.ts';
import { type ClosableScreener, createScreener } from '../../../screening/screener.ts';
import { activationPublisher, activeInTable } from '../../../services/screening.ts';
import { AT, intermediary, only, received, run, transferAccepted, transferReserved } from '../../kit/builders.ts';
import { KEYS } from '../../kit/keys.ts';
import { listedPerson, nextVersion } from '../../kit/memory-screening.ts';
import { forgetfulTimer, MemoryOutbox, MemoryProvider } from '../../kit/payouts/memory.ts';
import { received as requestedRecord } from '../../kit/payouts/requested.ts';
import { TestPipeline } from '../../kit/pipeline.ts';

const DAY_MS = 86_400_000;
const clock = () => AT;
const terms = screeningTerms({ railsWithoutListCheck: [] });

let pipeline: TestPipeline;
export let stores: {
  readonly lists: ReturnType<typeof listStore>;
  readonly exceptions: ReturnType<typeof exceptionStore>;
  readonly cases: ReturnType<typeof customerCaseStore>;
  readonly payouts: ReturnType<typeof mongoPayoutStore>;
  readonly progress: ReturnType<typeof rescreenProgress>;
  readonly holds: ReturnType<typeof holdClaims>;
};
export let table: Table<ScreeningListActivated>;
let publisher: Awaited<ReturnType<typeof activationPublisher>>;
let sample: ListVersion;
/** What is in force, entity by entity. */
export let entities: readonly ListEntity[];
let listed = 800;
export const opened: ClosableScreener[] = [];

/** To be called once, at the top of a file: an installation of its own on these servers. */
export function useActivations(urls: StackUrls): void {
  beforeAll(async () => {
    pipeline = await TestPipeline.create({ urls, processes: [] });
    const { connections } = pipeline;
    const db = await connections.db();
    stores = {
      lists: listStore(db, connections.config.keys),
      exceptions: exceptionStore(db, connections.config.keys),
      cases: customerCaseStore(db, connections.config.keys),
      payouts: mongoPayoutStore(db),
      progress: rescreenProgress(db, connections.config.keys.operators),
      holds: holdClaims(db),
    };
    await Promise.all([stores.cases.ensureIndexes(), stores.payouts.ensureIndexes()]);
    table = createTable({
      topic: 'screening.list-activated',
      log: connections.log,
      codec: connections.codec,
      rings: connections.config.keys,
    });
    await table.start();
    await connections.codec.load(['payout.requested']);
    publisher = await activationPublisher(connections);
    sample = await loadSampleList();
    entities = sample.entities;
    await stores.progress.advance(await stores.lists.current(), AT);
  }, 240_000);
  afterAll(async () => {
    await Promise.all(opened.map((screener) => screener.close()));
    await publisher?.close();
    await table?.stop();
    await pipeline?.close();
  });
}

const random = seeded(5);
const syllable = () =>
  `${random.pick([...'bdfgklmnprstvz'])}${random.pick([...'aeiou'])}${random.pick(['', 'l', 'n', 'r', 's'])}`;
const word = () => {
  const text = `${syllable()}${syllable()}${syllable()}`;
  return `${text[0]!.toUpperCase()}${text.slice(1)}`;
};
export const taken: string[] = [];
/** A person nobody else resembles, listed or paid. */
export function stranger(): string {
  for (;;) {
    const name = `${word()} ${word()}`;
    const alike = (other: string) => comparePair('Person', { name }, { name: other }, DEFAULT_CONFIG).score > 0.5;
    if ([...taken, ...sample.entities.flatMap(({ names }) => names.map(({ full }) => full))].some(alike)) continue;
    taken.push(name);
    return name;
  }
}

/** The next version: what is in force, with these persons more. Not yet in force. */
export async function imported(...names: readonly string[]): Promise<string> {
  entities = [...entities, ...names.map((name) => listedPerson(String(++listed), name))];
  const version = nextVersion(sample, entities, new Date(AT + listed * DAY_MS).toISOString().slice(0, 10));
  const { versionId } = await importVersion(stores.lists, version, { by: 'amara', now: AT });
  return versionId;
}
export const inForce = (versionId: string, publish: PublishActivation = publisher.publish) =>
  activateVersion(stores.lists, publish, versionId, { by: 'noor', now: AT });
/** Puts them on the list, in force durably and in the log. */
export const activate = async (...names: readonly string[]) => inForce(await imported(...names));
/** Puts these alone in force: what came since is taken off the list. */
export async function activateAlone(them: readonly ListEntity[]): Promise<void> {
  entities = them;
  await activate();
}

/** Resolves when this process has read of what is in force. */
export async function followed(): Promise<void> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    const durable = await stores.lists.current();
    if (durable.every((list) => table.get(list.source)?.list.activation === list.activation)) return;
    if (performance.now() > deadline) throw new Error('the activation did not come through the log');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
/** What an instance knows that has not heard of anything since. */
export async function asNow(): Promise<ActiveLists> {
  await followed();
  const seen = await activeInTable(table).current();
  return { current: async () => seen };
}

export function screenerOver(active: ActiveLists, openIndex: OpenIndexes = openIndexThread): ClosableScreener {
  const { lists: versions, exceptions } = stores;
  const screener = createScreener({ active, versions, exceptions, openIndex, terms, clock, timeoutMs: 120_000 });
  opened.push(screener);
  return screener;
}
export const screeningOver = (active: ActiveLists, screener = screenerOver(active)) =>
  createScreening({ keys: KEYS, screener, holds: stores.holds, clock });
const dispatchOver = (active: ActiveLists) =>
  createPayoutDispatch({ keys: KEYS, clock, holds: stores.holds, screener: screenerOver(active), cases: stores.cases });

const RUN = `window-${process.pid}-${Date.now().toString(36)}`;
export let transfers = 0;
export const transferOf = (debtor: string, creditor = stranger(), beside: readonly string[] = []): TransferAccepted => {
  const transferId = `${RUN}-${++transfers}`;
  return transferAccepted({
    transferId,
    debtor: { customerId: `${transferId}-d`, name: debtor, birthDate: null },
    creditor: { customerId: `${transferId}-c`, name: creditor },
    intermediaries: beside.map((name) => intermediary({ name })),
  });
};
export async function screened(transfer: TransferAccepted, active: ActiveLists): Promise<TransferScreened> {
  const [decision] = await run(screeningOver(active), [received('transfer.accepted', transfer)]);
  return only(decision, 'transfer.screened');
}
/** As it stands after pricing and limits. */
const reservedAfter = ({ instruction, parties, screening, envelope }: TransferScreened): TransferReserved => {
  const priced = transferReserved({ transferId: envelope.transferId });
  return { ...priced, instruction, parties, screening };
};
export async function dispatched(transfer: TransferScreened, active: ActiveLists) {
  const [decision] = await run(dispatchOver(active), [received('transfer.reserved', reservedAfter(transfer))]);
  return decision;
}
/** A transfer that was asked for by stages that know what is in force now. */
export async function requested(...of: Parameters<typeof transferOf>): Promise<PayoutRequested> {
  const active = await asNow();
  return only(await dispatched(await screened(transferOf(...of), active), active), 'payout.requested');
}

/** Does something the first time. */
export function once(what: () => Promise<unknown>): () => Promise<void> {
  let done: Promise<unknown> | undefined;
  return async () => {
    if (done) return;
    done = what();
    await done;
  };
}

/** The executor over MongoDB, with barriers: each is passed once, by whoever comes first. */
export function executor(barriers: {
  readonly beforeInsert?: () => Promise<void>;
  readonly afterInsert?: () => Promise<void>;
  readonly beforeBegin?: () => Promise<void>;
  readonly afterBegin?: () => Promise<void>;
  readonly afterLastLook?: () => Promise<void>;
}) {
  const provider = new MemoryProvider(clock);
  const { payouts, cases } = stores;
  const gate = createScreeningGate({ screener: screenerOver(stores.lists), cases, maySeeLists: () => true });
  let looks = 0;
  const over: PayoutExecutorDependencies = {
    config: { ...DEFAULT_EXECUTOR_CONFIG, policy: { ...DEFAULT_PAYOUT_POLICY, returnPollsMs: [] }, admitWaitMs: 1_000 },
    payouts: {
      insert: async (batch) => {
        await barriers.beforeInsert?.();
        return payouts.insert(batch);
      },
      apply: async (changes) => {
        if (changes.some(({ next }) => next.phase === 'SUBMITTING')) await barriers.beforeBegin?.();
        return payouts.apply(changes);
      },
      now: () => payouts.now(),
      load: (ids) => payouts.load(ids),
      overdue: (...args) => payouts.overdue(...args),
      countOfOthers: (...args) => payouts.countOfOthers(...args),
    },
    gate: {
      async check(requests) {
        const verdicts = await gate.check(requests);
        looks += 1;
        if (looks === 2) await barriers.afterLastLook?.();
        return verdicts;
      },
    },
    provider,
    timer: forgetfulTimer,
    outbox: new MemoryOutbox(),
    codec: requestCodec(pipeline.connections.codec),
    clock: { ...systemClock, now: clock, monotonic: () => performance.now() },
    failpoint: (name) => {
      if (name === 'payout.after-insert') return barriers.afterInsert?.();
      return name === 'payout.after-cas-submitting' ? barriers.afterBegin?.() : undefined;
    },
  };
  const made = createPayoutExecutor(over);
  return {
    provider,
    handle: (value: PayoutRequested) => made.handle([requestedRecord(value)]),
    pollNow: (value: PayoutRequested) => made.pollNow([value.envelope.transferId]),
    idle: () => made.stop(60_000),
  };
}
/** What became of it: in MongoDB, and at the provider. */
export async function outcome({ envelope }: PayoutRequested, { provider, idle }: ReturnType<typeof executor>) {
  await idle();
  const [payout] = await stores.payouts.load([envelope.transferId]);
  return { phase: payout?.phase, sent: provider.executionsOf(envelope.transferId), calls: provider.calls.length };
}
/** The known customers against what is in force now. Each call is a process of its own. */
export async function customersAgain(
  transfersKnown: readonly TransferAccepted[],
  at: {
    readonly afterFirst?: () => Promise<unknown>;
    readonly open?: (open: () => Promise<number>) => Promise<number>;
    readonly advance?: () => Promise<void>;
  } = {},
) {
  const lists = await stores.lists.current();
  const known = transfersKnown.map(
    (accepted): KnownParties => ({ transferId: accepted.envelope.transferId, request: requestOf(accepted)! }),
  );
  return rescreen({
    lists,
    screener: screenerOver({ current: async () => lists }),
    progress: {
      covered: () => stores.progress.covered(),
      advance: async (...args) => {
        await at.advance?.();
        await stores.progress.advance(...args);
      },
    },
    cases: {
      ...stores.cases,
      open: (cases) => (at.open ? at.open(() => stores.cases.open(cases)) : stores.cases.open(cases)),
    },
    known: async function* () {
      const [first, ...others] = known;
      yield first ? [first] : [];
      await at.afterFirst?.();
      yield others;
    },
    clock,
  });
}
export const casesOf = async ({ instruction }: TransferAccepted) => {
  const open = await stores.cases.list({ state: 'OPEN', limit: 1_000 });
  return open.filter(({ token }) => token === instruction.debtorToken);
};
