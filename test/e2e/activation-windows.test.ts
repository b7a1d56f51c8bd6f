// A list version that becomes active in each window between screening and the first byte, and while customers are screened
// again. Versions, what is in force, payouts, cases and progress are in MongoDB, activations go through Kafka; where
// something becomes active is chosen by barriers in the ports, never by time. The provider is in memory: it counts.

import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { customerCaseStore, rescreenProgress } from '../../adapters/mongo/customer-cases.ts';
import { holdClaims } from '../../adapters/mongo/hold-claims.ts';
import { listStore } from '../../adapters/mongo/list-versions.ts';
import { mongoPayoutStore } from '../../adapters/mongo/payouts.ts';
import { exceptionStore } from '../../adapters/mongo/screening-exceptions.ts';
import { activateVersion, importVersion, type PublishActivation } from '../../operations/lists/import-and-activate.ts';
import { DEFAULT_EXECUTOR_CONFIG } from '../../payouts/config.ts';
import type { PayoutExecutorDependencies } from '../../payouts/dependencies.ts';
import { createPayoutExecutor } from '../../payouts/executor.ts';
import { DEFAULT_PAYOUT_POLICY } from '../../payouts/policy.ts';
import { requestCodec } from '../../payouts/request-codec.ts';
import { createScreeningGate } from '../../payouts/screening-gate.ts';
import { systemClock } from '../../ports/clock.ts';
import { createPayoutDispatch } from '../../processors/payout-dispatch/processor.ts';
import { createScreening } from '../../processors/screening/processor.ts';
import { createTable, type Table } from '../../runtime/hosts/table.ts';
import { seeded } from '../../samples/random.ts';
import type {
  PayoutRequested,
  ScreeningListActivated,
  TransferAccepted,
  TransferHeld,
  TransferReserved,
  TransferScreened,
} from '../../schemas/types.generated.ts';
import { screeningTerms } from '../../screening/configuration.ts';
import { comparePair, DEFAULT_CONFIG } from '../../screening/engine/index.ts';
import { openIndexThread } from '../../screening/index/thread.ts';
import type { ListEntity, ListVersion } from '../../screening/lists/index.ts';
import { loadSampleList } from '../../screening/lists/sample/load.ts';
import type { ActiveLists, OpenIndexes } from '../../screening/ports.ts';
import { requestOf } from '../../screening/requests.ts';
import { type KnownParties, rescreen } from '../../screening/rescreening/rescreen.ts';
import { type ClosableScreener, createScreener } from '../../screening/screener.ts';
import { activationPublisher, activeInTable } from '../../services/screening.ts';
import {
  AT,
  intermediary,
  only,
  received,
  reviewDecided,
  run,
  summary,
  transferAccepted,
  transferReserved,
} from '../kit/builders.ts';
import { KEYS } from '../kit/keys.ts';
import { listedPerson, nextVersion } from '../kit/memory-screening.ts';
import { forgetfulTimer, MemoryOutbox, MemoryProvider } from '../kit/payouts/memory.ts';
import { received as requestedRecord } from '../kit/payouts/requested.ts';
import { TestPipeline } from '../kit/pipeline.ts';

const DAY_MS = 86_400_000;
const clock = () => AT;
const terms = screeningTerms({ railsWithoutListCheck: [] });

let pipeline: TestPipeline;
let stores: {
  readonly lists: ReturnType<typeof listStore>;
  readonly exceptions: ReturnType<typeof exceptionStore>;
  readonly cases: ReturnType<typeof customerCaseStore>;
  readonly payouts: ReturnType<typeof mongoPayoutStore>;
  readonly progress: ReturnType<typeof rescreenProgress>;
  readonly holds: ReturnType<typeof holdClaims>;
};
let table: Table<ScreeningListActivated>;
let publisher: Awaited<ReturnType<typeof activationPublisher>>;
let sample: ListVersion;
/** What is in force, entity by entity. */
let entities: readonly ListEntity[];
let listed = 800;
const opened: ClosableScreener[] = [];

beforeAll(async () => {
  pipeline = await TestPipeline.create({ urls: inject('stack'), processes: [] });
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

const random = seeded(5);
const syllable = () =>
  `${random.pick([...'bdfgklmnprstvz'])}${random.pick([...'aeiou'])}${random.pick(['', 'l', 'n', 'r', 's'])}`;
const word = () => {
  const text = `${syllable()}${syllable()}${syllable()}`;
  return `${text[0]!.toUpperCase()}${text.slice(1)}`;
};
const taken: string[] = [];
/** A person nobody else resembles, listed or paid. */
function stranger(): string {
  for (;;) {
    const name = `${word()} ${word()}`;
    const alike = (other: string) => comparePair('Person', { name }, { name: other }, DEFAULT_CONFIG).score > 0.5;
    if ([...taken, ...sample.entities.flatMap(({ names }) => names.map(({ full }) => full))].some(alike)) continue;
    taken.push(name);
    return name;
  }
}

/** The next version: what is in force, with these persons more. Not yet in force. */
async function imported(...names: readonly string[]): Promise<string> {
  entities = [...entities, ...names.map((name) => listedPerson(String(++listed), name))];
  const version = nextVersion(sample, entities, new Date(AT + listed * DAY_MS).toISOString().slice(0, 10));
  const { versionId } = await importVersion(stores.lists, version, { by: 'amara', now: AT });
  return versionId;
}
const inForce = (versionId: string, publish: PublishActivation = publisher.publish) =>
  activateVersion(stores.lists, publish, versionId, { by: 'amara', now: AT });
/** Puts them on the list, in force durably and in the log. */
const activate = async (...names: readonly string[]) => inForce(await imported(...names));

/** Resolves when this process has read of what is in force. */
async function followed(): Promise<void> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    const durable = await stores.lists.current();
    if (durable.every((list) => table.get(list.source)?.list.activation === list.activation)) return;
    if (performance.now() > deadline) throw new Error('the activation did not come through the log');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
/** What an instance knows that has not heard of anything since. */
async function asNow(): Promise<ActiveLists> {
  await followed();
  const seen = await activeInTable(table).current();
  return { current: async () => seen };
}

function screenerOver(active: ActiveLists, openIndex: OpenIndexes = openIndexThread): ClosableScreener {
  const { lists: versions, exceptions } = stores;
  const screener = createScreener({ active, versions, exceptions, openIndex, terms, clock, patienceMs: 120_000 });
  opened.push(screener);
  return screener;
}
const screeningOver = (active: ActiveLists, screener = screenerOver(active)) =>
  createScreening({ keys: KEYS, screener, holds: stores.holds, clock });
const dispatchOver = (active: ActiveLists) =>
  createPayoutDispatch({ keys: KEYS, clock, holds: stores.holds, screener: screenerOver(active), cases: stores.cases });

let transfers = 0;
const transferOf = (debtor: string, creditor = stranger(), beside: readonly string[] = []): TransferAccepted => {
  const transferId = `window-${process.pid}-${++transfers}`;
  return transferAccepted({
    transferId,
    debtor: { customerId: `${transferId}-d`, name: debtor, birthDate: null },
    creditor: { customerId: `${transferId}-c`, name: creditor },
    intermediaries: beside.map((name) => intermediary({ name })),
  });
};
async function screened(transfer: TransferAccepted, active: ActiveLists): Promise<TransferScreened> {
  const [decision] = await run(screeningOver(active), [received('transfer.accepted', transfer)]);
  return only(decision, 'transfer.screened');
}
/** As it stands after pricing and limits. */
const reservedAfter = ({ instruction, parties, screening, envelope }: TransferScreened): TransferReserved => {
  const priced = transferReserved({ transferId: envelope.transferId });
  return { ...priced, instruction, parties, screening };
};
async function dispatched(transfer: TransferScreened, active: ActiveLists) {
  const [decision] = await run(dispatchOver(active), [received('transfer.reserved', reservedAfter(transfer))]);
  return decision;
}
/** A transfer that was asked for by stages that know what is in force now. */
async function requested(...of: Parameters<typeof transferOf>): Promise<PayoutRequested> {
  const active = await asNow();
  return only(await dispatched(await screened(transferOf(...of), active), active), 'payout.requested');
}

/** Does something the first time. */
function once(what: () => Promise<unknown>): () => Promise<void> {
  let done: Promise<unknown> | undefined;
  return async () => {
    if (done) return;
    done = what();
    await done;
  };
}

/** The executor over MongoDB, with barriers: each is passed once, by whoever comes first. */
function executor(barriers: {
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
      held: (...args) => payouts.held(...args),
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
async function outcome({ envelope }: PayoutRequested, { provider, idle }: ReturnType<typeof executor>) {
  await idle();
  const [payout] = await stores.payouts.load([envelope.transferId]);
  return { phase: payout?.phase, sent: provider.executionsOf(envelope.transferId), calls: provider.calls.length };
}
const STOPPED = { phase: 'NEW', sent: 0, calls: 0 };

describe('before a transfer is asked for', () => {
  it('holds it when screening has heard of it', async () => {
    const name = stranger();
    await activate(name);
    await followed();
    const stage = screeningOver(activeInTable(table));
    const [decision] = await run(stage, [received('transfer.accepted', transferOf(name))]);
    const { screening } = only(decision, 'transfer.held');
    expect(screening!.lists).toEqual(await stores.lists.current());
  });

  it('holds it at dispatch when it came after screening, or while screening still built its index', async () => {
    const [first, second] = [stranger(), stranger()];
    // Screened before it became active.
    const early = await screened(transferOf(first), await asNow());
    // An instance that knows of it, and whose index over it is held up by the test.
    const held = Promise.withResolvers<void>();
    let builds = 0;
    const slow = screenerOver(activeInTable(table), async (plan) => {
      builds += 1;
      if (builds > 1) await held.promise;
      return openIndexThread(plan);
    });
    const stage = screeningOver(activeInTable(table), slow);
    await run(stage, [received('transfer.accepted', transferOf(stranger()))]);
    await activate(first, second);
    await followed();
    const [building] = await run(stage, [received('transfer.accepted', transferOf(second))]);
    const behind = only(building, 'transfer.screened');
    expect(behind.screening.lists).not.toEqual(await stores.lists.current());
    held.resolve();
    for (const each of [early, behind]) {
      const { hold, screening } = only(await dispatched(each, activeInTable(table)), 'transfer.held');
      expect(hold).toMatchObject({ stage: 'PAYOUT_DISPATCH', reasons: [{ code: 'RR04' }] });
      expect(screening!.rechecks).toMatchObject([{ outcome: 'POTENTIAL_MATCH', lists: await stores.lists.current() }]);
    }
  });

  it('holds it for an intermediary as for sender and beneficiary', async () => {
    const name = stranger();
    const early = await screened(transferOf(stranger(), stranger(), [stranger(), name]), await asNow());
    await activate(name);
    await followed();
    const { hold } = only(await dispatched(early, activeInTable(table)), 'transfer.held');
    expect(hold.reasons).toMatchObject([{ detail: expect.stringContaining('the intermediary 2 ') }]);
  });
});

describe('after it was asked for, nothing is sent when it became active', () => {
  it('before the executor looks', async () => {
    const name = stranger();
    const value = await requested(name);
    await activate(name);
    const payouts = executor({});
    await payouts.handle(value);
    expect(await outcome(value, payouts)).toEqual(STOPPED);
  });

  it('although no other instance has heard of it: the command was cut off before the log', async () => {
    const name = stranger();
    const before = await asNow();
    const versionId = await imported(name);
    const cutOff = inForce(versionId, () => Promise.reject(new Error('cut off')));
    await expect(cutOff).rejects.toThrow('cut off');
    // Neither stage knows: both let it pass.
    const passed = await dispatched(await screened(transferOf(name), before), before);
    const value = only(passed, 'payout.requested');
    const payouts = executor({});
    await payouts.handle(value);
    expect(await outcome(value, payouts)).toEqual(STOPPED);
    expect(table.get('CORRIDOR')?.list.versionId).not.toBe(versionId);
    // Repeated, the command completes.
    expect((await inForce(versionId)).changed).toBe(false);
    await followed();
    expect(table.get('CORRIDOR')?.list.versionId).toBe(versionId);
  });

  it.each(['beforeInsert', 'afterInsert', 'afterBegin'] as const)('between the two looks: %s', async (barrier) => {
    const name = stranger();
    const value = await requested(stranger(), name);
    const payouts = executor({ [barrier]: once(() => activate(name)) });
    await payouts.handle(value);
    expect(await outcome(value, payouts)).toEqual(STOPPED);
  });

  it.each(['beforeBegin', 'afterBegin'] as const)('while it waited for the provider, and %s', async (barrier) => {
    const name = stranger();
    const value = await requested(name);
    const payouts = executor({ [barrier]: once(() => activate(name)) });
    payouts.provider.isReady = false;
    await payouts.handle(value);
    payouts.provider.isReady = true;
    await payouts.pollNow(value);
    expect(await outcome(value, payouts)).toEqual(STOPPED);
  });

  it('for a second time in quick succession, the second of which names a party', async () => {
    const [somebody, name] = [stranger(), stranger()];
    const value = await requested(name);
    const payouts = executor({
      beforeInsert: once(() => activate(somebody)),
      afterBegin: once(async () => {
        await activate(stranger());
        await activate(name);
      }),
    });
    await payouts.handle(value);
    expect(await outcome(value, payouts)).toEqual(STOPPED);
  });

  it('and is taken back as soon: what is in force at the last look decides', async () => {
    const name = stranger();
    const value = await requested(name);
    const before = entities;
    await activate(name);
    entities = before;
    await activate();
    const payouts = executor({});
    await payouts.handle(value);
    expect(await outcome(value, payouts)).toMatchObject({ phase: 'PAID', sent: 1 });
  });

  it('unless it names neither party', async () => {
    const value = await requested(stranger());
    const payouts = executor({
      beforeInsert: once(() => activate(stranger())),
      afterBegin: once(() => activate(stranger())),
    });
    await payouts.handle(value);
    expect(await outcome(value, payouts)).toMatchObject({ phase: 'PAID', sent: 1 });
  });
});

describe('after the last look', () => {
  it('the payout is sent, and its customer becomes a case that blocks the next one', async () => {
    const name = stranger();
    const transfer = transferOf(name);
    const active = await asNow();
    const request = async (of: TransferAccepted) =>
      only(await dispatched(await screened(of, active), active), 'payout.requested');
    const value = await request(transfer);
    const payouts = executor({ afterLastLook: once(() => activate(name)) });
    await payouts.handle(value);
    expect(await outcome(value, payouts)).toMatchObject({ phase: 'PAID', sent: 1 });
    expect(await customersAgain([transfer])).toMatchObject({ opened: 1 });
    const { debtorToken } = value.instruction;
    expect((await stores.cases.blocked([debtorToken])).get(debtorToken)).toHaveLength(1);
  });
});

describe('while a person looks at a held transfer', () => {
  /** Held for its sender, on a list of one's own. */
  async function heldOne(creditor: string): Promise<TransferHeld> {
    const name = stranger();
    await activate(name);
    await followed();
    const [decision] = await run(screeningOver(activeInTable(table)), [
      received('transfer.accepted', transferOf(name, creditor)),
    ]);
    return only(decision, 'transfer.held');
  }
  const approve = async (held: TransferHeld, over: Parameters<typeof reviewDecided>[1] = {}) => {
    const stage = screeningOver(activeInTable(table));
    const command = { ...reviewDecided(held).command, commandId: `approve-${held.hold.holdId}` };
    const [decision] = await run(stage, [received('review.decided', reviewDecided(held, { command, ...over }))]);
    return decision;
  };

  it('holds it again for a new hit, and only for that', async () => {
    const creditor = stranger();
    const held = await heldOne(creditor);
    await activate(creditor);
    await followed();
    const again = only(await approve(held), 'transfer.held');
    expect(again.hold.holdId).not.toBe(held.hold.holdId);
    expect(again.hold.reasons).toMatchObject([{ detail: expect.stringContaining('the beneficiary ') }]);
    const [recheck] = again.screening!.rechecks;
    expect(recheck!.parties.map(({ outcome: found }) => found)).toEqual(['CLEAR', 'POTENTIAL_MATCH']);
    expect(recheck!.lists).toEqual(await stores.lists.current());
    // The decision on what was held first is worth nothing for what is held now.
    expect(await approve(again, { evidenceHash: held.hold.evidenceHash })).toEqual([]);
    expect(summary(await approve(again))).toBe('transfer.screened');
  });

  it('lets it go on when what is new names nobody of it', async () => {
    const held = await heldOne(stranger());
    await activate(stranger());
    await followed();
    const on = only(await approve(held), 'transfer.screened');
    expect(on.screening.outcome).toBe('APPROVED');
    expect(on.screening.rechecks).toMatchObject([{ outcome: 'CLEAR', lists: await stores.lists.current() }]);
  });

  it('is found at dispatch when it became active between the look and the commit', async () => {
    const creditor = stranger();
    const held = await heldOne(creditor);
    const stage = screeningOver(activeInTable(table));
    const input = received('review.decided', reviewDecided(held));
    const [context] = await stage.prepare([input]);
    await activate(creditor);
    await followed();
    const on = only(stage.decide(input, context!), 'transfer.screened');
    const { hold } = only(await dispatched(on, activeInTable(table)), 'transfer.held');
    expect(hold.reasons).toMatchObject([{ detail: expect.stringContaining('the beneficiary ') }]);
  });
});

/** The known customers against what is in force now. Each call is a process of its own. */
async function customersAgain(
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
const casesOf = async ({ instruction }: TransferAccepted) => {
  const open = await stores.cases.list({ state: 'OPEN', limit: 1_000 });
  return open.filter(({ token }) => token === instruction.debtorToken);
};

describe('while customers are screened again', () => {
  it('another one is caught up with by the next run, for those who had their turn too', async () => {
    const [first, second] = [stranger(), stranger()];
    const known = [transferOf(second), transferOf(first)];
    await activate(first);
    expect(await customersAgain(known, { afterFirst: () => activate(second) })).toMatchObject({ opened: 1 });
    expect([await casesOf(known[0]!), await casesOf(known[1]!)]).toMatchObject([[], [{}]]);
    expect(await customersAgain(known)).toMatchObject({ opened: 1 });
    expect(await casesOf(known[0]!)).toHaveLength(1);
    expect(await customersAgain(known)).toBeUndefined();
  });

  it('two in quick succession are one difference', async () => {
    const names = [stranger(), stranger()];
    const known = names.map((name) => transferOf(name));
    for (const name of names) await activate(name);
    expect(await customersAgain(known)).toMatchObject({ opened: 2, transfers: 2 });
  });

  const die = () => Promise.reject(new Error('died'));
  it.each<[string, Parameters<typeof customersAgain>[1]]>([
    ['before the cases are written', { open: die }],
    ['after them, before anybody knows', { open: (open) => open().then(die) }],
    ['before the progress is written', { advance: die }],
  ])('a process that dies %s is made up for by another, and no case is opened twice', async (_, death) => {
    const name = stranger();
    const known = [transferOf(name), transferOf(stranger())];
    await activate(name);
    await expect(customersAgain(known, death)).rejects.toThrow('died');
    await customersAgain(known);
    expect(await casesOf(known[0]!)).toHaveLength(1);
    expect(await customersAgain(known)).toBeUndefined();
  });
});

describe('two commands at once', () => {
  it('leave in the log what is durably in force', async () => {
    const [one, other] = [await imported(stranger()), await imported(stranger())];
    const results = await Promise.allSettled([inForce(one), inForce(other)]);
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'ACTIVATION_RACED' });
    }
    expect(results.some(({ status }) => status === 'fulfilled')).toBe(true);
    await followed();
    const [durable] = await stores.lists.active();
    expect(table.get('CORRIDOR')!.list).toEqual(durable!.list);
    expect(durable!.published).toBe(true);
    await inForce(other);
    await followed();
  });
});
