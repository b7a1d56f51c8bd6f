// Records that do not decode are findings with their place; everything else is checked all the same, run after run.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { deterministicId } from '../domain/transfers/event-id.ts';
import type { Log, LogRecord } from '../ports/log.ts';
import { ENDINGS, type Ending, History } from './testing/history.ts';
import { AT_ONCE } from './testing/plant.ts';
import { verify } from './verify.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'corridor-verify-'));
afterAll(() => rmSync(folder, { recursive: true }));

const BYTES = {
  'a schema id that nobody knows': Buffer.from('\x00garbage', 'latin1'),
  'a schema that only a newer version knows': Buffer.from([0, 0, 0, 3, 231, 1]),
  'bytes that are no Avro': Buffer.from('rubbish'),
  'no bytes': Buffer.alloc(0),
};
const TOPICS = [
  'transfer.priced',
  'payout.updated',
  'review.decided',
  'transfer.lifecycle',
  'intent.rejected',
] as const;
const CASES = Object.entries(BYTES).flatMap(([what, bytes]) => TOPICS.map((topic) => ({ topic, what, bytes })));

function historyOf(endings: readonly Ending[]): History {
  const history = new History();
  for (const ending of endings) history.tell(ending);
  history.codec.newerIds.add(999);
  history.fillStores();
  return history;
}

/** A record that a stranger wrote, as the last of its topic. @returns its position */
function stray(history: History, topic: string, bytes: Buffer): string {
  const offset = 2 + Math.max(-2, ...history.entries.filter((e) => e.topic === topic).map((e) => e.offset));
  history.entries.push({ topic, partition: 1, offset, key: 'stranger', value: undefined, bytes, headers: {} });
  return `${topic}/1/${offset}`;
}

describe('a record that does not decode', () => {
  it.each(CASES)('is the only finding, with its place: $topic, $what', async ({ topic, bytes }) => {
    const history = historyOf(ENDINGS);
    const position = stray(history, topic, bytes);
    const report = await verify(history.sources(), AT_ONCE);
    expect(report.findings).toMatchObject([{ code: 'RECORD_UNREADABLE', position }]);
    expect(report.codes).toEqual({ RECORD_UNREADABLE: 1 });
    expect(report.ok).toBe(false);
    expect(report.totals.transfers).toBeGreaterThan(5);
  });

  it.each(CASES)('hides nothing else: $topic, $what', async ({ topic, bytes }) => {
    const history = historyOf(['completed', 'completed']);
    stray(history, topic, bytes);
    history.provider.push({ ...history.provider.find(({ kind }) => kind === 'execution')!, seq: 99 });
    const report = await verify(history.sources(), AT_ONCE);
    expect(Object.keys(report.codes)).toEqual(expect.arrayContaining(['RECORD_UNREADABLE', 'PAID_TWICE']));
  });

  it('is found again by every run that goes on from a checkpoint of before it', async () => {
    const checkpoint = path.join(folder, 'before.ndjson');
    await verify(historyOf(ENDINGS).sources(), { ...AT_ONCE, checkpoint });
    for (let run = 0; run < 2; run++) {
      const history = historyOf(ENDINGS);
      const position = stray(history, 'transfer.priced', BYTES['a schema id that nobody knows']);
      const report = await verify(history.sources(), { ...AT_ONCE, from: checkpoint });
      expect(report.findings).toMatchObject([{ code: 'RECORD_UNREADABLE', position }]);
    }
  });
});

/** As the runtime names the dead letter of an intent of partition 1. */
const letterId = (offset: number) => deterministicId(`dead-letter\nintake\ntransfer.requested\n1\n${offset}\n0`);

describe('a batch that nobody can read', () => {
  const READ = ['transfer.priced', 'payout.updated', 'transfer.lifecycle', 'intent.rejected'] as const;

  /** The log with a batch of two offsets in place of the stranger's record. */
  function withBatch(history: History, topic: string) {
    const last = Number(stray(history, topic, Buffer.from('x')).split('/').at(-1));
    const sources = history.sources();
    const reader = sources.log.reader();
    const detail = 'the record batch fails its checksum';
    const bytes = Buffer.from('as the broker gave it');
    const unreadable = { code: 'BATCH_CORRUPT', detail, firstOffset: last - 1, lastOffset: last, bytes } as const;
    const stands = (record: LogRecord): LogRecord =>
      String(record.key) === 'stranger' ? { ...record, key: null, value: null, headers: {}, unreadable } : record;
    const log: Log = {
      ...sources.log,
      admin: () => sources.log.admin(),
      reader: () => ({
        ...reader,
        read: (ranges, onBatch) =>
          reader.read(ranges, (batch) => onBatch({ ...batch, records: batch.records.map(stands) })),
      }),
    };
    return { sources: { ...sources, log }, first: last - 1, last };
  }

  it.each(READ)('is the only finding, where it begins: %s', async (topic) => {
    const { sources, first } = withBatch(historyOf(ENDINGS), topic);
    const report = await verify(sources, AT_ONCE);
    expect(report.findings).toMatchObject([{ code: 'RECORD_UNREADABLE', position: `${topic}/1/${first}` }]);
    expect(report.totals.transfers).toBeGreaterThan(5);
  });

  it.each(READ)('hides nothing else: %s', async (topic) => {
    const history = historyOf(['completed', 'completed']);
    history.provider.push({ ...history.provider.find(({ kind }) => kind === 'execution')!, seq: 99 });
    const report = await verify(withBatch(history, topic).sources, AT_ONCE);
    expect(Object.keys(report.codes)).toEqual(expect.arrayContaining(['RECORD_UNREADABLE', 'PAID_TWICE']));
  });

  it.each([true, false])(
    'of intents is accounted for by its dead letter, and lost without one (%s)',
    async (isThere) => {
      const history = historyOf(ENDINGS);
      const { first, last } = withBatch(history, 'transfer.requested');
      if (isThere) {
        history.entries.push({
          topic: 'intake.dlq',
          partition: 1,
          offset: 0,
          key: '',
          value: undefined,
          bytes: Buffer.from('as the broker gave it'),
          headers: {
            'source-topic': 'transfer.requested',
            'source-partition': '1',
            'source-offset': String(first),
            'source-last-offset': String(last),
            'dlq-id': letterId(first),
            'dlq-error-code': 'BATCH_CORRUPT',
            'dlq-class': 'undecodable',
          },
        });
      }
      history.entries.splice(
        history.entries.findIndex(({ key }) => key === 'stranger'),
        1,
      );
      const report = await verify(withBatch(history, 'transfer.requested').sources, AT_ONCE);
      if (isThere) expect(report.findings).toEqual([]);
      else expect(report.findings).toMatchObject([{ code: 'INPUT_LOST', position: `transfer.requested/1/${first}` }]);
    },
  );
});
