// Records that do not decode are findings with their place; everything else is checked all the same, run after run.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
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

function told(endings: readonly Ending[]): History {
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
    const history = told(ENDINGS);
    const position = stray(history, topic, bytes);
    const report = await verify(history.sources(), AT_ONCE);
    expect(report.findings).toMatchObject([{ code: 'RECORD_UNREADABLE', position }]);
    expect(report.codes).toEqual({ RECORD_UNREADABLE: 1 });
    expect(report.ok).toBe(false);
    expect(report.totals.transfers).toBeGreaterThan(5);
  });

  it.each(CASES)('hides nothing else: $topic, $what', async ({ topic, bytes }) => {
    const history = told(['completed', 'completed']);
    stray(history, topic, bytes);
    history.provider.push({ ...history.provider.find(({ kind }) => kind === 'execution')!, seq: 99 });
    const report = await verify(history.sources(), AT_ONCE);
    expect(Object.keys(report.codes)).toEqual(expect.arrayContaining(['RECORD_UNREADABLE', 'PAID_TWICE']));
  });

  it('is found again by every run that goes on from a checkpoint of before it', async () => {
    const checkpoint = path.join(folder, 'before.ndjson');
    await verify(told(ENDINGS).sources(), { ...AT_ONCE, checkpoint });
    for (let run = 0; run < 2; run++) {
      const history = told(ENDINGS);
      const position = stray(history, 'transfer.priced', BYTES['a schema id that nobody knows']);
      const report = await verify(history.sources(), { ...AT_ONCE, from: checkpoint });
      expect(report.findings).toMatchObject([{ code: 'RECORD_UNREADABLE', position }]);
    }
  });
});
