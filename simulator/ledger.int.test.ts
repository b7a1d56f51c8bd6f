import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { describe, expect, it, vi } from 'vitest';
import { LedgerError, readLedgerLines, readWholeLedger, summarise } from './ledger.ts';
import { LedgerWriter, PositionTracker } from './ledger-writer.ts';
import type { LedgerRecord, RecordBody } from './records.ts';
import { temporaryLedger } from './testing/test-support.ts';

const amount = { minor: '700', currency: 'INR' };
const fault = { id: 'fault-1', rule: 'r', kind: 'timeout-after' };

function records(...bodies: readonly Partial<RecordBody>[]): LedgerRecord[] {
  const common = { at: 1, key: 'T1:1', transferId: 'T1' };
  return bodies.map((body, index) => ({ seq: index + 1, ...common, ...body }) as LedgerRecord);
}

const submitted = (change = {}): Partial<RecordBody> => ({ kind: 'submit', outcome: 'accepted', amount, ...change });
const executed = (change = {}): Partial<RecordBody> => ({
  kind: 'execution',
  run: 1,
  amount,
  returnAt: null,
  ...change,
});
const lines = (list: readonly LedgerRecord[]) => list.map((record) => `${JSON.stringify(record)}\n`).join('');

describe('readLedger', () => {
  it('finds nothing in a file that is not there', async () => {
    await using folder = await temporaryLedger();
    expect(await readWholeLedger(folder.ledgerFile)).toEqual([]);
  });

  it('reads records that straddle its chunks, with the bytes of each', async () => {
    await using folder = await temporaryLedger();
    const list = records(...Array.from({ length: 9_000 }, (_, n) => executed({ key: `${'ü'.repeat(n % 200)}${n}` })));
    await writeFile(folder.ledgerFile, lines(list));
    expect(await readWholeLedger(folder.ledgerFile)).toEqual(list);
    const bytes = await readFile(folder.ledgerFile);
    for await (const { record, start, end } of readLedgerLines(folder.ledgerFile)) {
      if (record.seq % 1_000 === 0) expect(JSON.parse(bytes.toString('utf8', start, end))).toEqual(record);
    }
  });

  it('passes over a last line without its end', async () => {
    await using folder = await temporaryLedger();
    const list = records(submitted(), executed());
    await writeFile(folder.ledgerFile, `${lines(list)}{"seq":3,"at":1,"ki`);
    expect(await readWholeLedger(folder.ledgerFile)).toEqual(list);
  });

  it.each([
    ['LEDGER_CORRUPT', '{"seq":1,"at":1,"kind":"submit","key":"k"\n'],
    ['LEDGER_CORRUPT', '{"seq":1,"at":1,"kind":"unheard-of","key":"k"}\n'],
    ['LEDGER_CORRUPT', 'null\n'],
    ['LEDGER_GAP', '{"seq":2,"at":1,"kind":"poll","key":"k","transferId":null,"run":1}\n'],
  ])('reports %s for %j', async (code, text) => {
    await using folder = await temporaryLedger();
    await writeFile(folder.ledgerFile, text);
    const error = await readWholeLedger(folder.ledgerFile).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(LedgerError);
    expect(error).toMatchObject({ code, message: expect.stringContaining(folder.ledgerFile) });
  });
});

describe('summarise', () => {
  it('counts submits by key and executions by transfer', async () => {
    const summary = await summarise(
      records(
        submitted({ outcome: 'dropped', fault }),
        submitted(),
        executed(),
        submitted({ key: 'T1:2' }),
        { kind: 'fault', on: 'query', key: 'T1:2', transferId: null, fault: { ...fault, id: 'fault-2' } },
        { kind: 'return', run: 1, amount, reasonCode: 'AC04' },
        { kind: 'cancel', key: 'T9:1', transferId: null, outcome: 'cancelled' },
      ),
    );
    expect(summary.byTransfer.size).toBe(1);
    const transfer = summary.byTransfer.get('T1');
    expect(transfer).toMatchObject({ executions: 1, returns: 1, executedMinor: 700n, currency: 'INR' });
    expect(transfer?.submitsByKey).toEqual(
      new Map([
        ['T1:1', 2],
        ['T1:2', 1],
      ]),
    );
    expect(transfer?.executionsByKey).toEqual(new Map([['T1:1', 1]]));
    expect(transfer?.faults.map(({ id }) => id)).toEqual(['fault-1', 'fault-2']);
    expect(summary).toMatchObject({ executedTwice: [], keysSubmittedTwice: ['T1:1'], lastSeq: 7 });
    expect(Object.fromEntries(summary.counts)).toMatchObject({ 'submit.accepted': 2, 'cancel.cancelled': 1, fault: 1 });
  });

  it('names a transfer that was executed twice, under one key or under two', async () => {
    const summary = await summarise(
      records(executed(), executed({ key: 'T1:2' }), executed({ transferId: 'T2' }), executed({ transferId: 'T3' }), {
        ...executed({ transferId: 'T3' }),
      }),
    );
    expect(summary.executedTwice).toEqual(['T1', 'T3']);
    expect(summary.byTransfer.get('T1')?.executedMinor).toBe(1_400n);
  });
});

describe('LedgerWriter', () => {
  const poll = (seq: number): LedgerRecord => ({ seq, at: seq, key: 'k', transferId: null, kind: 'poll', run: 1 });

  async function positionIn(file: string) {
    const tracker = new PositionTracker();
    for await (const { record, start, end } of readLedgerLines(file)) tracker.add(record.seq, start, end);
    return tracker.position;
  }

  it('has on disk what durable() was awaited for, and cuts off an unfinished line when it opens', async () => {
    await using folder = await temporaryLedger();
    await writeFile(folder.ledgerFile, `${lines([poll(1)])}{"seq":2,`);
    const fail = vi.fn();
    const writer = await LedgerWriter.open(folder.ledgerFile, await positionIn(folder.ledgerFile), fail);
    for (let seq = 2; seq <= 500; seq++) {
      writer.append(poll(seq));
      if (seq % 100 > 0) continue;
      await writer.durable();
      expect(await readWholeLedger(folder.ledgerFile)).toHaveLength(seq);
    }
    await writer.durable();
    await writer.close();
    expect(await readWholeLedger(folder.ledgerFile)).toHaveLength(500);
    expect(fail).not.toHaveBeenCalled();
  });

  it('finds the same place for a record whether it wrote the file or read it', async () => {
    await using folder = await temporaryLedger();
    const fresh = await LedgerWriter.open(folder.ledgerFile, await positionIn(folder.ledgerFile), vi.fn());
    for (let seq = 1; seq <= 13_000; seq++) {
      fresh.append(poll(seq));
      if (seq % 1_700 === 0) await fresh.durable();
    }
    await fresh.durable();
    const reopened = await LedgerWriter.open(folder.ledgerFile, await positionIn(folder.ledgerFile), vi.fn());
    for (const after of [0, 1, 4_095, 4_096, 4_097, 8_192, 12_999, 13_000, 99_999]) {
      const position = fresh.positionAfter(after);
      expect(reopened.positionAfter(after)).toEqual(position);
      for await (const { record } of readLedgerLines(folder.ledgerFile, position)) {
        expect(record.seq).toBe(position.firstSeq);
        break;
      }
      expect(position.firstSeq).toBeLessThanOrEqual(after + 1);
    }
    await fresh.close();
    await reopened.close();
  });

  it('stops when another process writes the same file', async () => {
    await using folder = await temporaryLedger();
    const fail = vi.fn();
    const writer = await LedgerWriter.open(folder.ledgerFile, await positionIn(folder.ledgerFile), fail);
    await appendFile(folder.ledgerFile, lines([poll(1)]));
    writer.append(poll(1));
    await expect(writer.durable()).rejects.toMatchObject({ code: 'LEDGER_UNWRITABLE' });
    await expect(writer.durable()).rejects.toThrow('another process writes it');
    expect(fail).toHaveBeenCalledOnce();
    await writer.close();
  });
});
