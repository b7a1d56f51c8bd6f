import { expect, it } from 'vitest';
import type { FindingCode } from '../../verify/finding-codes.ts';
import type { Finding } from '../../verify/report.ts';
import { type Doings, tellsOf, unreported } from './expected-findings.ts';

const doings: Doings = {
  forged: [
    { id: 'unsealed:1', topic: 'transfer.priced', position: 'transfer.priced/0/7', transferId: 'made-up' },
    { id: 'copy:2', topic: 'transfer.screened', position: 'transfer.screened/0/9', transferId: 'copied' },
    { id: 'detour:4', topic: 'limits.retry.5s', position: 'limits.retry.5s/0/2', transferId: 'put-aside' },
    { id: 'detour:5', topic: 'sink-events.retry.5s', position: 'sink-events.retry.5s/0/2', transferId: 'put-aside' },
    { id: 'unsealed:3', topic: 'fx.rates', position: 'fx.rates/0/1', transferId: 'EUR' },
  ],
  forgedLetters: [{ id: 'unsealed:1', owner: 'limits', code: 'SEAL_MISSING', position: 'limits.dlq/0/3' }],
  tampered: new Set(['tampered']),
};
const finding = (code: FindingCode, more: Partial<Finding>): Finding => ({
  check: 'log',
  severity: 'error',
  code,
  detail: '',
  ...more,
});

it('knows what verify tells of the harness by the place, or by the transfer and what may be said of it', () => {
  const isOurs = tellsOf(doings);
  expect(isOurs(finding('SEAL_MISSING', { position: 'transfer.priced/0/7' }))).toBe(true);
  expect(isOurs(finding('SEAL_MISSING', { position: 'transfer.priced/0/8' }))).toBe(false);
  expect(isOurs(finding('DEAD_LETTER_OF_NOTHING', { position: 'limits.dlq/0/3' }))).toBe(true);
  expect(isOurs(finding('EVENT_REPEATED', { transferId: 'copied' }))).toBe(true);
  for (const code of ['LIFECYCLE_REPEATED', 'POSITION_REPEATED', 'MONEY_REPEATED'] as const)
    expect(isOurs(finding(code, { transferId: 'copied' }))).toBe(true);
  expect(isOurs(finding('POSITION_REPEATED', { transferId: 'another' }))).toBe(false);
  expect(isOurs(finding('EVENT_ID_CONFLICT', { transferId: 'copied' }))).toBe(false);
  expect(isOurs(finding('CASE_DIFFERS', { transferId: 'tampered' }))).toBe(true);
  expect(isOurs(finding('PAID_TWICE', { transferId: 'tampered' }))).toBe(false);
  expect(isOurs(finding('CASE_DIFFERS', { transferId: 'another' }))).toBe(false);
});

it('misses what verify had to tell', () => {
  const all = [
    finding('SEAL_MISSING', { position: 'transfer.priced/0/7' }),
    finding('SEAL_MISSING', { position: 'limits.retry.5s/0/2' }),
    finding('CASE_DIFFERS', { transferId: 'tampered' }),
  ];
  expect(unreported(doings, all)).toEqual([]);
  expect(unreported(doings, all.slice(1))).toHaveLength(1);
  expect(unreported(doings, all.slice(0, 2))).toHaveLength(1);
  expect(unreported(doings, [all[0]!, all[2]!])).toHaveLength(1);
});
