// An audit of the ledger against a log that goes on meanwhile: what differs is named, and what is under way is not.
import { expect, it } from 'vitest';
import type { LedgerEntry } from '../../processors/limits/rebuild.ts';
import { LedgerFold } from '../../processors/limits/rebuild.ts';
import { type AuditPorts, auditLedger, type Motion } from './audit.ts';
import { bucketOf, type StoredCounter, type StoredRecord, type StoredSum } from './drift.ts';

const NOW = Date.UTC(2026, 11, 1, 12);
const NONE: Motion = { transfers: new Set(), subjects: new Set() };
const STEP = Math.floor(NOW / 120_000);

/** A use of a sender's day, or of 24 hours in steps of two minutes. */
const use = (subjectToken: string, minor: bigint, window = '2026-12-01') => ({
  ...{
    ruleId: 'limit',
    subjectToken,
    window,
    currency: 'GBP',
    reservedMinor: minor,
    usedMinor: minor,
    limitMinor: 10_000n,
  },
  ...({
    metric: 'AMOUNT',
    action: 'REJECT',
    member: null,
    declaredMinor: null,
    freesAt: null,
    freedByReturn: true,
  } as const),
});
const entry = (id: string, uses: LedgerEntry['uses'], over: Partial<LedgerEntry> = {}): LedgerEntry => ({
  ...{ transferId: id, sequence: 1, attempt: 1, state: 'committed', uses, at: NOW },
  ...over,
});

/** Redis and the log of one audit; `next` is what comes to the log between two looks. */
function world(entries: readonly LedgerEntry[]) {
  const fold = new LedgerFold([]);
  for (const each of entries) fold.restore(each);
  const stored = {
    counters: new Map<string, StoredCounter>(),
    sums: new Map<string, StoredSum>(),
    records: new Map<string, StoredRecord>(),
  };
  const of = (state: LedgerFold) => {
    for (const counter of state.state().counters) {
      const { usedMinor: used, open } = counter;
      const bucket = bucketOf(counter);
      stored.counters.set(bucket, { bucket, used, open: BigInt(open), members: counter.members ?? new Map() });
    }
    for (const { transferId, state: stands, attempt, uses } of state.transferEntries()) {
      const counted = stands === 'released' ? [] : uses;
      const held = counted.map((each) => ({ bucket: bucketOf(each), minor: each.reservedMinor, member: each.member }));
      stored.records.set(transferId, { transferId, state: stands, attempt, uses: held, isProven: true });
    }
  };
  of(fold);
  const shown: {
    standing: { marker: string | null; isCatchUpDue: boolean };
    looks: number;
    since: number | undefined;
  } = {
    standing: { marker: 'run:2.one', isCatchUpDue: false },
    looks: 0,
    since: undefined,
  };
  const next: { look: () => void; motion: () => Motion } = { look: () => undefined, motion: () => NONE };
  const pick = <T>(all: ReadonlyMap<string, T>, names: readonly string[]) =>
    names.flatMap((name) => all.get(name) ?? []);
  const ports: AuditPorts = {
    ledger: {
      standing: async () => shown.standing,
      async *counters() {
        yield [...stored.counters.values()];
      },
      async *sums() {
        yield [...stored.sums.values()];
      },
      countersOf: async (_marker, buckets) => pick(stored.counters, buckets),
      sumsOf: async (_marker, names) => pick(stored.sums, names),
      async *records() {
        yield [...stored.records.values()];
      },
      recordsOf: async (_marker, ids) => pick(stored.records, ids),
    },
    fold: async () => ({ fold, since: shown.since }),
    foldOn: async () => {
      shown.looks += 1;
      next.look();
    },
    stageStands: async () => async () => next.motion(),
    transactionTimeoutMs: 1,
    clock: () => NOW,
  };
  const run = () => auditLedger(ports, { waitMs: 0 });
  return { fold, stored, shown, next, run, ports };
}

it('says that all is as the log says, and looks once', async () => {
  const { run, shown } = world([entry('a', [use('one', 500n)]), entry('b', [use('one', 300n)], { state: 'open' })]);
  expect(await run()).toEqual({
    ...{ conclusion: 'SAME', reason: null, transfers: 2, missingSince: null, moving: 0, short: 0, drift: [] },
  });
  expect(shown.looks).toBe(0);
});

it('names by rule and window what Redis holds otherwise, each kind by itself', async () => {
  const rolling = `r120x720.${STEP}`;
  const { run, stored, shown } = world([
    entry('a', [use('one', 500n), use('one', 500n, rolling)]),
    entry('b', [use('two', 300n)], { state: 'open' }),
    entry('c', [use('three', 70n)]),
    entry('old', [use('one', 9n, '2026-10-01')]),
  ]);
  stored.counters.set('limit:one:2026-12-01', {
    bucket: 'limit:one:2026-12-01',
    used: 501n,
    open: 0n,
    members: new Map(),
  });
  stored.counters.set('limit:two:2026-12-01', {
    bucket: 'limit:two:2026-12-01',
    used: 300n,
    open: 0n,
    members: new Map(),
  });
  stored.counters.set('limit:x:2026-12-01', { bucket: 'limit:x:2026-12-01', used: 40n, open: 0n, members: new Map() });
  stored.counters.delete('limit:three:2026-12-01');
  stored.counters.delete('limit:one:2026-10-01');
  stored.records.delete('c');
  const { conclusion, drift } = await run();
  expect(conclusion).toBe('DRIFT');
  expect(drift).toEqual([
    { ruleId: 'limit', window: '2026-12-01', what: 'used', counters: 3, tooMany: 41n, tooFew: 70n },
    { ruleId: 'limit', window: '2026-12-01', what: 'open', counters: 1, tooMany: 0n, tooFew: 1n },
    { ruleId: 'limit', window: 'r120x720', what: 'sum', counters: 1, tooMany: 0n, tooFew: 500n },
    { ruleId: 'limit', window: '2026-12-01', what: 'transfers', counters: 1, tooMany: 0n, tooFew: 1n },
  ]);
  // Twice: what is hidden behind an open transaction at the first look is there at the second.
  expect(shown.looks).toBe(2);
});

it('takes for no drift what comes into the log a moment later', async () => {
  const { run, fold, stored, next, shown } = world([entry('a', [use('one', 500n)])]);
  stored.counters.set('limit:one:2026-12-01', {
    bucket: 'limit:one:2026-12-01',
    used: 900n,
    open: 1n,
    members: new Map(),
  });
  next.look = () => {
    if (shown.looks === 2) fold.restore(entry('b', [use('one', 400n)], { state: 'open' }));
  };
  expect(await run()).toMatchObject({ conclusion: 'SAME', drift: [] });
});

it('does not compare what the stage has still to do, and compares the rest', async () => {
  // The stage stands: two transfers have ended, and are open in Redis, as their counters are.
  const open = [entry('a', [use('one', 500n)], { state: 'open' }), entry('b', [use('two', 500n)], { state: 'open' })];
  const { run, fold, stored, next } = world(open);
  for (const { transferId, uses } of open) fold.restore(entry(transferId, uses, { state: 'released', sequence: 2 }));
  next.motion = () => ({ transfers: new Set(['a', 'b']), subjects: new Set() });
  expect(await run()).toMatchObject({ conclusion: 'INCOMPLETE', moving: 4, drift: [] });
  // Something else is wrong, and is named.
  stored.counters.set('limit:x:2026-12-01', { bucket: 'limit:x:2026-12-01', used: 7n, open: 0n, members: new Map() });
  expect(await run()).toMatchObject({ conclusion: 'DRIFT', moving: 4, drift: [{ counters: 1, tooMany: 7n }] });
});

it('does not compare for whom a priced transfer is on its way', async () => {
  const { run, stored, next, shown } = world([entry('a', [use('one', 500n)])]);
  stored.counters.set('limit:one:2026-12-01', {
    bucket: 'limit:one:2026-12-01',
    used: 700n,
    open: 1n,
    members: new Map(),
  });
  next.motion = () => ({ transfers: new Set(['new']), subjects: new Set(['one']) });
  expect(await run()).toMatchObject({ conclusion: 'INCOMPLETE', moving: 1 });
  expect(shown.looks).toBe(5);
});

it.each([
  [{ marker: null, isCatchUpDue: false }, 'LOST'],
  [{ marker: 'run:2.one', isCatchUpDue: true }, 'CATCH_UP_DUE'],
])('says of a ledger that is not there, or not whole, that nothing can be compared: %o', async (standing, reason) => {
  const { run, stored, shown, ports } = world([entry('a', [use('one', 500n)])]);
  stored.counters.clear();
  shown.standing = standing;
  expect(await run()).toMatchObject({ conclusion: 'NOT_COMPARED', reason, drift: [] });
  // It is waited for.
  const said: string[] = [];
  const onProgress = (detail: string) => {
    said.push(detail);
    shown.standing = { marker: 'run:2.two', isCatchUpDue: false };
    stored.counters.set('limit:one:2026-12-01', {
      bucket: 'limit:one:2026-12-01',
      used: 500n,
      open: 0n,
      members: new Map(),
    });
  };
  expect(await auditLedger(ports, { waitMs: 60_000, onProgress })).toMatchObject({ conclusion: 'SAME' });
  expect(said).toHaveLength(1);
});

it('says nothing of a ledger that was made anew while it was looked at', async () => {
  const { run, stored, shown, next } = world([entry('a', [use('one', 500n)])]);
  stored.counters.clear();
  next.look = () => {
    shown.standing = { marker: 'run:2.two', isCatchUpDue: false };
  };
  expect(await run()).toMatchObject({ conclusion: 'NOT_COMPARED', reason: 'REPLACED', drift: [] });
});

it('takes for no drift that Redis knows of what the log has forgotten, but for drift that it knows of less', async () => {
  const { run, stored, shown } = world([entry('a', [use('one', 500n, 'lifetime'), use('two', 500n, 'lifetime')])]);
  shown.since = NOW - 1_000;
  stored.counters.set('limit:one:lifetime', { bucket: 'limit:one:lifetime', used: 900n, open: 0n, members: new Map() });
  expect(await run()).toMatchObject({ conclusion: 'INCOMPLETE', short: 1, drift: [] });
  stored.counters.set('limit:two:lifetime', { bucket: 'limit:two:lifetime', used: 100n, open: 0n, members: new Map() });
  expect(await run()).toMatchObject({
    conclusion: 'DRIFT',
    drift: [{ window: 'lifetime', tooMany: 0n, tooFew: 400n }],
  });
});

const RECORD = { transferId: 'x', attempt: 1, uses: [], isProven: true };
const HELD = { bucket: 'limit:one:2026-12-01', minor: 500n, member: null };
const OVER = { bucket: 'limit:one:2026-10-01', minor: 500n, member: null };

it.each<[string, Partial<StoredRecord>, readonly object[]]>([
  ['another attempt', { attempt: 2 }, [{ ruleId: 'limit', what: 'transfers', counters: 2, tooMany: 1n, tooFew: 1n }]],
  ['another state', { state: 'open' }, [{ ruleId: 'limit', what: 'transfers', tooMany: 1n, tooFew: 1n }]],
  ['no uses', { uses: [] }, [{ ruleId: 'limit', what: 'transfers', tooMany: 0n, tooFew: 1n }]],
  ['other uses', { uses: [{ ...HELD, minor: 1n }] }, [{ ruleId: 'limit', what: 'transfers', tooMany: 1n, tooFew: 1n }]],
  ['one use more', { uses: [HELD, { ...HELD, bucket: 'limit:two:2026-12-01' }] }, [{ tooMany: 1n, tooFew: 0n }]],
  ['a use more in a window that is over', { uses: [HELD, OVER] }, []],
  ['no proof', { isProven: false }, [{ ruleId: '-', window: '-', what: 'proof', tooMany: 1n, tooFew: 0n }]],
  ['nothing that can be read', { state: 'unreadable' }, [{ ruleId: '-', what: 'form', tooMany: 1n, tooFew: 0n }]],
])('names a record with %s', async (_what, damage, says) => {
  const { run, stored } = world([entry('a', [use('one', 500n)])]);
  stored.records.set('a', { ...stored.records.get('a')!, ...damage });
  expect((await run()).drift).toEqual(says.map((each) => expect.objectContaining(each)));
});

it.each<[string, StoredRecord, readonly object[]]>([
  ['an open one', { ...RECORD, state: 'open', uses: [HELD] }, [{ ruleId: 'limit', what: 'transfers', tooMany: 1n }]],
  ['one that ends it, without a proof', { ...RECORD, state: 'released', isProven: false }, [{ what: 'proof' }]],
  ['one that nobody can read', { ...RECORD, state: 'unreadable' }, [{ what: 'form' }]],
  // An event came into the log that says nothing of limits, or has been forgotten with its window.
  ['an end that a stage has written', { ...RECORD, state: 'released' }, []],
  ['one of windows that are over', { ...RECORD, state: 'committed', uses: [OVER] }, []],
])('names a record of a transfer that the log does not know: %s', async (_what, record, says) => {
  const { run, stored } = world([entry('a', [use('one', 500n)])]);
  stored.records.set('x', record);
  expect((await run()).drift).toEqual(says.map((each) => expect.objectContaining(each)));
});

it('names what no stage writes, though its transfer is on its way', async () => {
  const { run, stored, next } = world([entry('a', [use('one', 500n)])]);
  next.motion = () => ({ transfers: new Set(['x']), subjects: new Set(['one']) });
  stored.records.set('x', { ...RECORD, state: 'committed', isProven: false });
  stored.counters.set('limit:one:2026-12-01', {
    ...stored.counters.get('limit:one:2026-12-01')!,
    ...{ used: 0n, isOdd: true },
  });
  expect(await run()).toMatchObject({ conclusion: 'DRIFT', drift: [{ what: 'form' }, { what: 'proof' }] });
});

it('names a record that counts though the log has ended it, and what no stage writes even where the log is short', async () => {
  const { run, stored, shown } = world([
    entry('a', [use('one', 500n, 'lifetime')]),
    entry('b', [], { state: 'released' }),
  ]);
  stored.records.set('b', {
    ...RECORD,
    transferId: 'b',
    state: 'committed',
    uses: [{ ...HELD, bucket: 'limit:b:lifetime' }],
  });
  expect((await run()).drift).toMatchObject([{ window: 'lifetime', what: 'transfers', tooMany: 1n }]);
  shown.since = NOW - 1_000;
  expect(await run()).toMatchObject({ conclusion: 'INCOMPLETE', drift: [] });
  stored.counters.set('limit:one:lifetime', { ...stored.counters.get('limit:one:lifetime')!, isOdd: true });
  expect((await run()).drift).toMatchObject([{ ruleId: 'limit', window: 'lifetime', what: 'form', tooMany: 1n }]);
});

it('is whole again once all that began before the log is over', async () => {
  const { run, shown, stored } = world([entry('a', [use('one', 500n)])]);
  shown.since = Date.UTC(2026, 10, 30);
  expect(await run()).toMatchObject({ conclusion: 'SAME', missingSince: Date.UTC(2026, 10, 30) });
  // One of before is there, though it agrees: the log may have told of more.
  stored.counters.set('limit:one:2026-11-30', {
    bucket: 'limit:one:2026-11-30',
    used: 0n,
    open: 0n,
    members: new Map(),
  });
  shown.since += 1;
  expect(await run()).toMatchObject({ conclusion: 'INCOMPLETE', short: 0, drift: [] });
});

it('ends with a code of its own when more is to be held than may be', async () => {
  const { ports } = world([]);
  const bounded = new LedgerFold([], 3);
  bounded.restore(entry('a', [use('one', 1n)]));
  // The same transfer again takes no more room.
  bounded.restore(entry('a', [use('one', 1n)], { sequence: 2 }));
  const foldOn = async () => bounded.restore(entry('b', [use('one', 1n)]));
  const run = () =>
    auditLedger({ ...ports, fold: async () => ({ fold: bounded, since: undefined }), foldOn }, { waitMs: 0 });
  await expect(run()).rejects.toMatchObject({ code: 'LIMITS_TOO_LARGE' });
});
