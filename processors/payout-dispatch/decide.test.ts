// Given a reserved transfer, dispatch asks for the payout while the price holds, and for nothing that must not be paid.
import { describe, expect, it } from 'vitest';
import type { TransferHeld, TransferReserved } from '../../schemas/types.generated.ts';
import type { ListEntity } from '../../screening/lists/index.ts';
import { loadSampleList } from '../../screening/lists/sample/load.ts';
import {
  AT,
  only,
  received,
  reviewDecided,
  run,
  summary,
  transferAccepted,
  transferReserved,
} from '../../test/kit/builders.ts';
import { KEYS } from '../../test/kit/keys.ts';
import { memoryHoldClaims } from '../../test/kit/memory-claims.ts';
import { listedPerson, memoryLists, nextVersion, screenerOver } from '../../test/kit/memory-screening.ts';
import { createScreening } from '../screening/processor.ts';
import { createPayoutDispatch, type PayoutDispatchOptions } from './processor.ts';

const reserved = transferReserved();
const { price } = reserved;
const nothingNew = { recheck: async (batch: readonly unknown[]) => batch.map(() => undefined) };
const at = (now: number, screener: PayoutDispatchOptions['screener'] = nothingNew) =>
  createPayoutDispatch({ keys: KEYS, clock: () => now, holds: memoryHoldClaims(), screener });
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

describe('a list version that becomes active before dispatch', () => {
  async function world() {
    const list = await loadSampleList();
    const lists = memoryLists();
    await lists.put(list);
    const stage = createScreening({
      keys: KEYS,
      screener: screenerOver(lists),
      holds: memoryHoldClaims(),
      clock: () => AT,
    });
    const intent = transferAccepted({ debtor: { birthDate: null } });
    const screened = only((await run(stage, [received('transfer.accepted', intent)]))[0], 'transfer.screened');
    const value: TransferReserved = { ...reserved, parties: screened.parties, screening: screened.screening };
    const add = (...more: readonly ListEntity[]) =>
      lists.put(nextVersion(list, [...list.entities, ...more], '2026-11-22'));
    return { lists, value, add, dispatch: at(AT, screenerOver(lists)) };
  }
  const input = (value: TransferReserved) => received('transfer.reserved', value);
  const approve = (held: TransferHeld) => received('review.decided', reviewDecided(held));
  const hartley = listedPerson('7001', 'Gwen Hartley');

  it('changes nothing while it is the one that was screened against', async () => {
    const { lists, value, dispatch } = await world();
    const { screening } = only((await run(dispatch, [input(value)]))[0], 'payout.requested');
    expect(screening).toEqual(value.screening);
    expect(lists.reads.loads).toBe(1);
  });

  it('lets a transfer go on whose parties it does not name, with the evidence of the look', async () => {
    const { value, add, dispatch } = await world();
    await add(listedPerson('7002', 'Somebody Else Entirely'));
    const { screening } = only((await run(dispatch, [input(value)]))[0], 'payout.requested');
    expect(screening).toMatchObject({
      outcome: 'CLEAR',
      rechecks: [{ reason: 'DISPATCH', outcome: 'CLEAR', screenedAt: AT, lists: [{ activation: 2 }] }],
    });
  });

  it('holds a transfer whose sender it added, with price and reservation kept', async () => {
    const { value, add, dispatch } = await world();
    await add(hartley);
    const held = only((await run(dispatch, [input(value)]))[0], 'transfer.held');
    expect(held).toMatchObject({
      price: value.price,
      reservation: value.reservation,
      hold: { stage: 'PAYOUT_DISPATCH', reasons: [{ code: 'RR04', detail: 'the sender resembles CORRIDOR 7001' }] },
      screening: { outcome: 'POTENTIAL_MATCH' },
    });
  });

  it('is not screened against again when it was decided on; a rejection releases the reservation', async () => {
    const { value, add, dispatch } = await world();
    await add(hartley);
    const held = only((await run(dispatch, [input(value)]))[0], 'transfer.held');
    const rejected = received('review.decided', reviewDecided(held, { decision: 'REJECT' }));
    const other = at(AT);
    expect(only((await run(other, [rejected]))[0], 'transfer.rejected')).toMatchObject({
      stage: 'PAYOUT_DISPATCH',
      reasons: [{ code: 'RR04' }],
      reservation: value.reservation,
    });
    const { screening, envelope } = only((await run(dispatch, [approve(held)]))[0], 'payout.requested');
    expect(screening).toMatchObject({ outcome: 'APPROVED', rechecks: [{ review: { decision: 'APPROVE' } }] });
    expect(envelope.sequence).toBe(held.envelope.sequence + 1);
  });

  it('asks for a new price when the review took longer than the price held', async () => {
    const { lists, value, add, dispatch } = await world();
    await add(hartley);
    const held = only((await run(dispatch, [input(value)]))[0], 'transfer.held');
    const late = at(value.price.expiresAt, screenerOver(lists));
    expect((await run(late, [approve(held)])).map(summary)).toEqual(['transfer.requote-requested']);
  });

  it('is left out on a rail where the law forbids the look, unless there is a case about a party', async () => {
    const { lists, value, add } = await world();
    await add(hartley);
    const screener = screenerOver(lists);
    const instant = createPayoutDispatch({
      keys: KEYS,
      clock: () => AT,
      holds: memoryHoldClaims(),
      screener,
      maySeeLists: () => false,
    });
    expect((await run(instant, [input(value)])).map(summary)).toEqual(['payout.requested']);
    const entity = { source: 'CORRIDOR', entityId: '7001', entityHash: 'h' };
    const blocked = createPayoutDispatch({
      keys: KEYS,
      clock: () => AT,
      holds: memoryHoldClaims(),
      screener,
      maySeeLists: () => false,
      cases: { blocked: async ([token]) => new Map([[token!, [entity]]]) },
    });
    expect((await run(blocked, [input(value)])).map(summary)).toEqual(['transfer.held']);
  });

  it('is looked at once for a batch, whatever the number of transfers', async () => {
    const { lists, value, add, dispatch } = await world();
    await add(hartley);
    const before = { ...lists.reads };
    await run(
      dispatch,
      Array.from({ length: 20 }, () => input(value)),
    );
    expect(lists.reads).toEqual({ active: before.active + 1, loads: before.loads + 2 });
  });

  it('does not go back to an older one that this instance still believes in', async () => {
    const { lists, value, add } = await world();
    const stale = await lists.current();
    await add(hartley);
    const stage = at(AT, screenerOver(lists));
    const held = only((await run(stage, [input(value)]))[0], 'transfer.held');
    const screener = screenerOver(lists, { active: { current: async () => stale } });
    const { rechecks } = held.screening!;
    const covered = {
      ...value,
      screening: { ...value.screening, rechecks: [{ ...rechecks[0]!, outcome: 'CLEAR', parties: [] }] },
    };
    expect((await run(at(AT, screener), [input(covered as TransferReserved)])).map(summary)).toEqual([
      'payout.requested',
    ]);
  });
});
