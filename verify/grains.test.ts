// State, money and watermarks against the rows: in agreement nothing is found, and each thing that is wrong is named.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { laterOf } from '../domain/transfers/row-order.ts';
import { moneyRecordsOf } from '../operations/analytics/grains.ts';
import type { AnalyticsWatermark, TransferLifecycle } from '../schemas/types.generated.ts';
import { AT } from '../test/kit/builders.ts';
import type { Entry } from './testing/entry.ts';
import type { FixedLog } from './testing/fixed-log.ts';
import { ENDINGS, History } from './testing/history.ts';
import { PARTITIONS } from './testing/history-log.ts';
import { AT_ONCE, change, drop, entryOf, type Plant, repeat } from './testing/plant.ts';
import { verify } from './verify.ts';

const LIFECYCLE = 'transfer.lifecycle';

/** What the writer of the grains makes of the rows of a history: every row of state, as before the log is compacted. */
function addGrains(history: History): void {
  const latest = new Map<string, TransferLifecycle>();
  for (const { topic, partition, key, value } of [...history.entries]) {
    if (topic !== LIFECYCLE) continue;
    const row = value as TransferLifecycle;
    if (laterOf(latest.get(key), row) === row) {
      latest.set(key, row);
      history.append('transfer.state', partition, { key, value: row });
    }
    for (const movement of moneyRecordsOf(row)) history.append('transfer.money', partition, { key, value: movement });
  }
}

/** Leaves the last record of each key, as compaction does. */
const compacted: Plant = (history) => {
  const states = history.entries.filter(({ topic }) => topic === 'transfer.state');
  const last = new Map(states.map((entry) => [entry.key, entry]));
  for (const entry of states)
    if (last.get(entry.key) !== entry) history.entries.splice(history.entries.indexOf(entry), 1);
};

const claim = (partition: number, offset: number, completeUntil: number): AnalyticsWatermark => ({
  ...{ topic: LIFECYCLE, topicId: LIFECYCLE, partition, offset, completeUntil, claimedAt: completeUntil },
});

interface Wishes {
  readonly plant?: Plant;
  readonly claims?: (ends: readonly number[]) => readonly AnalyticsWatermark[];
  readonly later?: (fixed: FixedLog, ends: readonly number[]) => void;
  readonly from?: string;
}

async function verified({ plant, claims, later }: Wishes = {}) {
  const history = new History();
  for (const ending of ENDINGS) history.tell(ending);
  history.fillStores();
  addGrains(history);
  plant?.(history);
  const ends = Array.from({ length: PARTITIONS }, (_, partition) => {
    const rows = history.entries.filter((entry) => entry.topic === LIFECYCLE && entry.partition === partition);
    return rows.at(-1)!.offset + 1;
  });
  for (const value of claims?.(ends) ?? [])
    history.append('analytics.watermark', 0, { key: `${value.topic}/${value.partition}`, value });
  const sources = history.sources();
  for (const [partition, end] of ends.entries()) sources.fixed.commit('analytics', LIFECYCLE, partition, end);
  later?.(sources.fixed, ends);
  const report = await verify(sources, AT_ONCE);
  return report.findings.filter(({ check }) => check === 'grains');
}

describe('grains in agreement', () => {
  it('have no findings, before and after compaction', async () => {
    expect(await verified()).toEqual([]);
    expect(await verified({ plant: compacted })).toEqual([]);
  });

  it('are not there yet where their writer is behind, and that is no finding', async () => {
    const none: Plant = (history) => {
      const left = history.entries.filter(({ topic }) => topic !== 'transfer.state' && topic !== 'transfer.money');
      history.entries.splice(0, history.entries.length, ...left);
    };
    const atStart = (fixed: FixedLog) => {
      for (let partition = 0; partition < PARTITIONS; partition++) fixed.commit('analytics', LIFECYCLE, partition, 0);
    };
    expect(await verified({ plant: none, later: atStart })).toEqual([]);
    // What it wrote since the offsets were taken is of rows that are there.
    expect(await verified({ later: atStart })).toEqual([]);
  });

  it('have watermarks that claim what was complete', async () => {
    const claims = (ends: readonly number[]) => [
      claim(0, 0, AT - 1),
      claim(0, ends[0]!, AT + 60_000),
      claim(1, ends[1]!, AT),
    ];
    expect(await verified({ claims })).toEqual([]);
  });
});

it('from a checkpoint on, what its writer was behind with is judged by the next run', async () => {
  const history = new History();
  for (const ending of ENDINGS) history.tell(ending);
  history.fillStores();
  addGrains(history);
  const sources = history.sources();
  const ends = [0, 1].map((partition) => sources.fixed.end(LIFECYCLE, partition));
  for (const [partition, end] of ends.entries()) sources.fixed.commit('analytics', LIFECYCLE, partition, end >> 1);
  const folder = mkdtempSync(path.join(tmpdir(), 'corridor-grains-'));
  const file = path.join(folder, 'checkpoint');
  const first = await verify(sources, { ...AT_ONCE, checkpoint: file });
  expect(first.findings).toEqual([]);
  for (const [partition, end] of ends.entries()) sources.fixed.commit('analytics', LIFECYCLE, partition, end);
  expect((await verify(sources, { ...AT_ONCE, from: file })).findings).toEqual([]);
  // A movement that was there when nobody had to look at it, and is gone.
  const money = history.entries.filter(({ topic, partition }) => topic === 'transfer.money' && partition === 0);
  const { topic, partition, offset } = money.at(-1)!;
  sources.fixed.drop(topic, partition, offset);
  expect((await verify(sources, { ...AT_ONCE, from: file })).codes).toHaveProperty('MONEY_MISSING');
  rmSync(folder, { recursive: true });
});

const moneyOf = (history: History) => entryOf(history, 'transfer.money');
const lastState = (history: History): Entry =>
  history.entries.findLast(({ topic, key }) => topic === 'transfer.state' && key === moneyOf(history).key)!;
const edited =
  (entry: (history: History) => Entry, fields: object): Plant =>
  (history) => {
    const found = entry(history);
    found.value = { ...found.value, ...fields };
  };

const WRONG: readonly (readonly [what: string, plant: Plant, code: string])[] = [
  ['a movement that is not there', drop('transfer.money'), 'MONEY_MISSING'],
  ['a movement that is there twice', repeat('transfer.money'), 'MONEY_REPEATED'],
  [
    'a movement of another amount',
    change('transfer.money', (value) => Object.assign(value, { minor: value.minor + 1n })),
    'MONEY_UNFOUNDED',
  ],
  [
    'a movement on another account',
    change('transfer.money', (value) => Object.assign(value, { role: 'FEES' })),
    'MONEY_UNFOUNDED',
  ],
  [
    'a movement of what never moved',
    (history) => {
      const { value, headers } = moneyOf(history);
      const held = history.entries.find(({ topic, value: row }) => topic === LIFECYCLE && row.state === 'HELD')!;
      const { transferId, sequence, eventId } = held.value;
      const moved = { ...value, transferId, sequence, eventId, state: 'COMPLETED' };
      history.append('transfer.money', held.partition, { key: held.key, value: moved, headers });
    },
    'MONEY_UNFOUNDED',
  ],
  [
    'a transfer without a state',
    (history) => {
      const { key } = moneyOf(history);
      const left = history.entries.filter((entry) => entry.topic !== 'transfer.state' || entry.key !== key);
      history.entries.splice(0, history.entries.length, ...left);
    },
    'STATE_MISSING',
  ],
  [
    'a transfer as it was before',
    (history) => void history.entries.splice(history.entries.indexOf(lastState(history)), 1),
    'STATE_BEHIND',
  ],
  [
    'an older row behind the latest',
    (history) => {
      const { partition, key } = moneyOf(history);
      const first = history.entries.find((entry) => entry.topic === 'transfer.state' && entry.key === key)!;
      history.append('transfer.state', partition, { key, value: first.value });
    },
    'STATE_BEHIND',
  ],
  ['a state that no row says', edited(lastState, { creditMinor: 1n }), 'STATE_UNFOUNDED'],
  ['a state ahead of every row', edited(lastState, { sequence: 99, state: 'REJECTED' }), 'STATE_UNFOUNDED'],
  [
    'a state of no transfer',
    (history) => {
      const { partition, value } = lastState(history);
      history.append('transfer.state', partition, { key: 'nobody', value: { ...value, transferId: 'nobody' } });
    },
    'STATE_UNFOUNDED',
  ],
];

describe('what is wrong with grains', () => {
  it.each(WRONG)('is found: %s', async (_, plant, code) => {
    const findings = await verified({ plant });
    expect(findings.map((finding) => finding.code)).toContain(code);
    for (const { transferId } of findings) expect(transferId).toBeTruthy();
  });

  it('is found: a watermark over a row that came later', async () => {
    const findings = await verified({ claims: () => [claim(0, 3, AT)] });
    expect(new Set(findings.map(({ code }) => code))).toEqual(new Set(['WATERMARK_FALSE']));
    expect(findings[0]!.position).toMatch(/^transfer\.lifecycle\/0\//);
  });

  it('is found: a watermark over a row that nobody has handled', async () => {
    const findings = await verified({
      claims: (ends) => [claim(0, ends[0]!, AT - 1)],
      later: (fixed, ends) => fixed.commit('analytics', LIFECYCLE, 0, ends[0]! - 1),
    });
    expect(findings).toMatchObject([{ code: 'WATERMARK_FALSE' }]);
  });

  it('is not found in a watermark of a topic that was made anew since', async () => {
    const claims = () => [{ ...claim(0, 0, AT), topicId: 'another' }];
    const later = (fixed: FixedLog) => void fixed.topicIds.set(LIFECYCLE, LIFECYCLE);
    expect(await verified({ claims, later })).toEqual([]);
  });
});
