// Runs that go on from a checkpoint: they find what one run over everything finds, and nothing twice.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { CheckpointWriter, readCheckpoint } from './checkpoint.ts';
import type { FixedLog } from './testing/fixed-log.ts';
import { ENDINGS, type Ending, History } from './testing/history.ts';
import { AT_ONCE, edit, forget } from './testing/plant.ts';
import { verify } from './verify.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'corridor-verify-'));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;
const file = (suffix = 'ndjson') => path.join(folder, `${files++}.${suffix}`);

/** What is in the log before this many entries; the rest comes later. */
function until(history: History, entries: number) {
  const before = new History();
  before.entries.push(...history.entries.slice(0, entries));
  Object.assign(before, { stores: history.stores, limits: history.limits });
  before.provider.push(...history.provider);
  return before;
}

/** Retention takes what a checkpoint covers. */
function trimmed(later: FixedLog, earlier: FixedLog, topics: readonly string[]): void {
  for (const topic of topics) {
    for (const partition of [0, 1]) later.trim(topic, partition, earlier.end(topic, partition));
  }
}

async function inTwo(first: readonly Ending[], second: readonly Ending[], suffix?: string) {
  const history = new History();
  for (const ending of first) history.tell(ending);
  const cutAt = history.entries.length;
  for (const ending of second) history.tell(ending);
  history.fillStores();
  const earlier = until(history, cutAt);
  // The stores of the first run hold only what there was.
  const then = new History();
  for (const ending of first) then.tell(ending);
  const checkpoint = file(suffix);
  const one = await verify(then.fillStores().sources(), { ...AT_ONCE, checkpoint });
  const sources = history.sources();
  const topics = [...new Set(history.entries.map(({ topic }) => topic))];
  trimmed(sources.fixed, earlier.log(), topics);
  return { history, one, checkpoint, sources };
}

describe('a run that goes on from a checkpoint', () => {
  it.each(['ndjson', 'ndjson.gz'])('needs nothing of what was before, and adds up (%s)', async (suffix) => {
    const { one, checkpoint, sources } = await inTwo(ENDINGS, ENDINGS, suffix);
    expect(one.findings).toEqual([]);
    const next = file(suffix);
    const two = await verify(sources, { ...AT_ONCE, from: checkpoint, checkpoint: next });
    expect(two.findings).toEqual([]);
    const whole = new History();
    for (const ending of [...ENDINGS, ...ENDINGS]) whole.tell(ending);
    const all = await verify(whole.fillStores().sources(), AT_ONCE);
    expect(two.totals.currencies).toEqual(all.totals.currencies);
    const [before, after] = [await readCheckpoint(checkpoint), await readCheckpoint(next)];
    expect(after.header.previous).toBe(before.header.hash);
    expect(two.cut.from).toBe(before.header.hash);
  });

  it.each([
    ['completed', 'returned'],
    ['reviewed-limit', 'reviewed-returned'],
  ] as const)('goes on with a transfer that was open: %s, then %s', async (open, ended) => {
    const history = new History();
    history.tell(ended);
    const completed = history.entries.findIndex(({ topic }) => topic === 'transfer.completed');
    const earlier = until(history, completed + 2);
    const movements = earlier.provider.splice(2);
    // Then: paid, not returned; its claim has one step, its payout one update.
    const then = new History();
    then.tell(open);
    const now = earlier.log();
    const checkpoint = file();
    const at = then.fillStores().sources();
    const one = await verify({ ...at, log: now.asLog() }, { ...AT_ONCE, checkpoint });
    expect(one.findings).toEqual([]);
    expect(one.totals.byState).toEqual({ COMPLETED: 1 });
    const sources = history.fillStores().sources();
    expect(movements).toHaveLength(1);
    trimmed(sources.fixed, now, ['transfer.accepted', 'transfer.screened', 'transfer.priced', 'transfer.reserved']);
    const two = await verify(sources, { ...AT_ONCE, from: checkpoint });
    expect(two.findings).toEqual([]);
    expect(two.totals.byState).toEqual({ RETURNED: 1 });
    expect(two.totals.currencies['INR']!.returned).toBe(two.totals.currencies['INR']!.credited);
  });

  it('goes on from a checkpoint of other schemas: what they carry is not compared, what follows is', async () => {
    const history = new History();
    history.tell('reviewed-returned');
    const completed = history.entries.findIndex(({ topic }) => topic === 'transfer.completed');
    const then = new History();
    then.tell('reviewed-limit');
    const now = until(history, completed + 2).log();
    const made = file();
    await verify({ ...then.fillStores().sources(), log: now.asLog() }, { ...AT_ONCE, checkpoint: made });
    const { header } = await readCheckpoint(made);
    const lines = readFileSync(made, 'utf8').trim().split('\n').slice(0, -1);
    /** As if every digest were of other bytes. */
    const rewritten = async (schemas: number | undefined) => {
      const other = file();
      const writer = new CheckpointWriter(other);
      for (const line of lines) {
        await writer.add(JSON.parse(line.replace(/"(instruction|parties|payout|request)":(\d+)/g, '"$1":1$2')));
      }
      const { kind: _, version: __, lines: ___, hash: ____, schemas: _____, ...rest } = header;
      await writer.commit({ ...rest, ...(schemas === undefined ? {} : { schemas }) });
      return other;
    };
    const sources = history.fillStores().sources();
    const run = async (schemas: number | undefined) =>
      (await verify(sources, { ...AT_ONCE, from: await rewritten(schemas) })).codes;
    expect(await run(header.schemas)).toMatchObject({ INSTRUCTION_CHANGED: 1, PARTIES_CHANGED: 1, UPDATE_DIFFERS: 1 });
    expect(await run(header.schemas! + 1)).toEqual({});
    expect(await run(undefined)).toEqual({});
    edit(history.stores.payouts, { phase: 'PAID' });
    expect(await run(header.schemas! + 1)).toMatchObject({ PAYOUT_FLAWED: 1 });
  });

  it('finds a second payment of what had been verified', async () => {
    const { history, checkpoint, sources } = await inTwo(['completed', 'failed'], ['held']);
    const [, execution] = history.provider;
    history.provider.push({ ...execution!, seq: history.provider.length + 1 });
    const report = await verify(sources, { ...AT_ONCE, from: checkpoint });
    expect(report.codes).toMatchObject({ PAID_TWICE: 1 });
  });

  it('finds a payment of what had been rejected', async () => {
    const { history, checkpoint, sources } = await inTwo(['failed'], ['held']);
    const { transferId, key, amount } = history.provider[0]!;
    history.provider.push({ seq: 9, kind: 'execution', transferId, key, amount });
    const report = await verify(sources, { ...AT_ONCE, from: checkpoint });
    expect(report.codes).toMatchObject({ EXECUTION_OF_STRANGER: 1 });
  });

  it('finds an input that is accounted for again, and an event that comes again', async () => {
    const { history, checkpoint } = await inTwo(['completed'], ['held']);
    const accepted = history.entries.find(({ topic }) => topic === 'transfer.accepted')!;
    history.append('transfer.accepted', accepted.partition, { ...accepted, offset: 99 });
    const report = await verify(history.sources(), { ...AT_ONCE, from: checkpoint });
    expect(Object.keys(report.codes)).toEqual(expect.arrayContaining(['INPUT_ENDED_TWICE', 'EVENT_BEFORE_CHECKPOINT']));
  });

  it('finds a counter that lost what an earlier run had counted, and a view that went back', async () => {
    const { history, checkpoint, sources } = await inTwo(['completed'], ['held']);
    history.limits.buckets.clear();
    edit(history.stores.transfers, { version: 2 });
    const report = await verify(sources, { ...AT_ONCE, from: checkpoint });
    expect(Object.keys(report.codes)).toEqual(expect.arrayContaining(['COUNTER_DIFFERS', 'DOCUMENT_BEHIND']));
  });

  it('compares what a sink had not got to', async () => {
    const then = new History();
    then.tell('completed');
    const sources = then.fillStores().sources();
    for (const partition of [0, 1]) sources.fixed.commit('sink-events', 'transfer.lifecycle', partition, 0);
    const checkpoint = file();
    const one = await verify(sources, { ...AT_ONCE, checkpoint });
    expect(one.ok).toBe(true);
    forget(then.stores.events);
    const two = await verify(then.sources(), { ...AT_ONCE, from: checkpoint });
    expect(two.codes).toMatchObject({ DOCUMENT_MISSING: 1 });
  });
});

describe('a checkpoint', () => {
  it('is not written when something is wrong', async () => {
    const history = new History();
    history.tell('completed');
    history.provider.length = 0;
    const checkpoint = file();
    const report = await verify(history.fillStores().sources(), { ...AT_ONCE, checkpoint });
    expect(report.ok).toBe(false);
    await expect(readCheckpoint(checkpoint)).rejects.toMatchObject({ code: 'CHECKPOINT_UNREADABLE' });
    await expect(readCheckpoint(`${checkpoint}.tmp`)).rejects.toMatchObject({ code: 'CHECKPOINT_UNREADABLE' });
  });

  it('is refused when it was changed, cut off or is of another log', async () => {
    const { checkpoint } = await inTwo(['completed'], ['held']);
    const text = readFileSync(checkpoint, 'utf8');
    const changed = file();
    writeFileSync(changed, text.replace(/"credited":"\d+"/, '"credited":"1"'));
    await expect(readCheckpoint(changed)).rejects.toMatchObject({ code: 'CHECKPOINT_DAMAGED' });
    const newer = file();
    writeFileSync(newer, text.replace(/("t":"header".*"version":)\d+/, '$1 99'));
    await expect(readCheckpoint(newer)).rejects.toMatchObject({ code: 'CHECKPOINT_OF_OTHER_FORM' });
    const cut = file();
    writeFileSync(cut, text.slice(0, text.length / 2));
    await expect(readCheckpoint(cut)).rejects.toMatchObject({ code: 'CHECKPOINT_DAMAGED' });
    const empty = new History();
    await expect(verify(empty.sources(), { ...AT_ONCE, from: checkpoint })).rejects.toMatchObject({
      code: 'CHECKPOINT_AHEAD',
    });
  });
});
