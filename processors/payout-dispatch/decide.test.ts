// Given a reserved transfer, dispatch asks for the payout while the price holds, and for nothing that must not be paid.
import { describe, expect, it } from 'vitest';
import type { TransferReserved } from '../../schemas/types.generated.ts';
import { AT, only, received, run, summary, transferReserved } from '../../test/kit/builders.ts';
import { memoryHoldClaims } from '../../test/kit/memory-claims.ts';
import { createPayoutDispatch, type PayoutDispatchOptions } from './processor.ts';

const reserved = transferReserved();
const { price } = reserved;
const nothingNew = { recheck: async (batch: readonly unknown[]) => batch.map(() => undefined) };
const at = (now: number, screener: PayoutDispatchOptions['screener'] = nothingNew) =>
  createPayoutDispatch({ clock: () => now, holds: memoryHoldClaims(), screener });
const dispatch = async (value: TransferReserved = reserved, now = AT) =>
  (await run(at(now), [received('transfer.reserved', value)]))[0];

describe('payout dispatch', () => {
  it('asks for the payout while the price holds', async () => {
    const value = only(await dispatch(), 'payout.requested');
    expect(value).toEqual({
      ...reserved,
      envelope: expect.objectContaining({ sequence: reserved.envelope.sequence + 1, attempt: 1 }),
    });
  });

  it('asks for a new price when too little time is left', async () => {
    expect(summary(await dispatch(reserved, price.expiresAt - 30_000))).toBe('payout.requested');
    const value = only(await dispatch(reserved, price.expiresAt - 29_999), 'transfer.requote-requested');
    expect(value).toMatchObject({
      reason: { code: 'XPRD' },
      reservation: reserved.reservation,
      envelope: { attempt: 1 },
    });
  });

  it('declines at the cap of attempts', async () => {
    const last = { ...reserved, envelope: { ...reserved.envelope, attempt: 5 } };
    const value = only(await dispatch(last, price.expiresAt), 'transfer.rejected');
    expect(value).toMatchObject({
      stage: 'PAYOUT_DISPATCH',
      reasons: [{ code: 'QUOT' }],
      reservation: reserved.reservation,
    });
  });

  it.each<[string, TransferReserved]>([
    [
      'PRICE_INCONSISTENT',
      { ...reserved, price: { ...price, credit: { ...price.credit, minor: price.credit.minor + 1n } } },
    ],
    ['PRICE_INCONSISTENT', { ...reserved, price: { ...price, fees: [] } }],
    ['PRICE_INCONSISTENT', { ...reserved, price: { ...price, legs: [{ ...price.legs[0]!, rate: '126' }] } }],
    [
      'PRICE_INCONSISTENT',
      { ...reserved, instruction: { ...reserved.instruction, instructedAmount: { minor: 1n, currency: 'GBP' } } },
    ],
    ['SCREENING_NOT_CLEAR', { ...reserved, screening: { ...reserved.screening, outcome: 'POTENTIAL_MATCH' } }],
    ['SCREENING_NOT_CLEAR', { ...reserved, screening: { ...reserved.screening, outcome: 'UNSCREENABLE' } }],
  ])('never asks for what does not add up: %s', async (code, value) => {
    expect(summary(await dispatch(value))).toBe(`dead-letter ${code}`);
  });

  it('stops at what it does not know', async () => {
    const value = { ...reserved, screening: { ...reserved.screening, outcome: 'UNKNOWN' } } as const;
    expect(summary(await dispatch(value))).toBe('stop SYMBOL_UNKNOWN');
  });
});
