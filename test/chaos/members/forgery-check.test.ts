import { expect, it } from 'vitest';
import { checkForgeries, type Forged, type ForgedLetter } from './forgery-check.ts';

const forged = (id: string, topic: string): Forged => ({ id, topic, position: `${topic}/0/7`, transferId: 't' });
const letter = (id: string, owner: string, code = 'SEAL_MISSING'): ForgedLetter => ({
  id,
  owner,
  code,
  position: `${owner}.dlq/0/1`,
});
const subjects = (
  ...[records, letters, tables = []]: [Forged[], ForgedLetter[], Parameters<typeof checkForgeries>[2]?]
) => checkForgeries(records, letters, tables).map(({ detail }) => detail);

it('wants one dead letter of each reader', () => {
  const record = forged('unsealed:1', 'review.decided');
  const readers = ['screening', 'limits', 'payout-dispatch'];
  const letters = readers.map((owner) => letter('unsealed:1', owner));
  expect(subjects([record], letters)).toEqual([]);
  expect(subjects([record], letters.slice(1))).toHaveLength(1);
  expect(subjects([record], [...letters, letters[0]!])).toHaveLength(1);
  expect(subjects([record], [...letters, letter('unsealed:1', 'settlement')])).toHaveLength(1);
  // It is in the log twice: its writer did not know that the first had arrived.
  expect(subjects([record, record], [...letters, ...letters])).toEqual([]);
});

it('wants a copy to be told as a repeat by stages and the payout executor, and nothing of others', () => {
  const code = 'EVENT_REPEATED';
  expect(subjects([forged('copy:1', 'transfer.screened')], [letter('copy:1', 'fx-pricing', code)])).toEqual([]);
  expect(subjects([forged('copy:1', 'transfer.screened')], [letter('copy:1', 'fx-pricing')])).toHaveLength(1);
  expect(subjects([forged('copy:1', 'payout.requested')], [letter('copy:1', 'payout-executor', code)])).toEqual([]);
  expect(subjects([forged('copy:1', 'payout.requested')], [])).toHaveLength(1);
  expect(subjects([forged('copy:1', 'transfer.lifecycle')], [])).toEqual([]);
  expect(subjects([forged('copy:1', 'transfer.screened')], [])).toHaveLength(1);
});

it('lets the sink of cases meet a copy with a case that was tampered with, and no other', () => {
  const copy = forged('copy:1', 'transfer.held');
  const found = [letter('copy:1', 'sink-cases', 'ID_CONFLICT')];
  expect(checkForgeries([copy], found, [], new Set([copy.transferId]))).toEqual([]);
  expect(checkForgeries([copy], found, [], new Set(['another']))).toHaveLength(1);
});

it('wants what was never put aside to be a dead letter of whose it seems to be', () => {
  const record = forged('detour:1', 'payout-dispatch.replay');
  expect(subjects([record], [letter('detour:1', 'payout-dispatch')])).toEqual([]);
  expect(subjects([record], [])).toHaveLength(1);
});

it('wants every process to have passed over every forgery on a table', () => {
  const record = forged('altered:1', 'fx.rates');
  const table = { process: 'chain-1', topic: 'fx.rates', unproven: 1 };
  expect(subjects([record], [], [table])).toEqual([]);
  expect(subjects([record], [], [{ ...table, unproven: 0 }])).toHaveLength(1);
  expect(subjects([record], [])).toHaveLength(1);
});
