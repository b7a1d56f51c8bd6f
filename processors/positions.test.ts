// Positions over whole histories: each price opens one, at most one takes it back, and what is left open is what was paid.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FxPosition } from '../schemas/types.generated.ts';
import { payoutRequested, transferPriced, transferScreened } from '../test/kit/builders.ts';
import { times } from '../test/kit/times.ts';
import { ENDINGS, type Ending, History } from '../verify/testing/history.ts';
import { positionOf } from './positions.ts';

function positionsOf(endings: readonly Ending[]): readonly FxPosition[] {
  const history = new History();
  for (const ending of endings) history.tell(ending);
  return history.entries.filter(({ topic }) => topic === 'fx.position').map(({ value }) => value as FxPosition);
}

function sums(positions: readonly FxPosition[]): Readonly<Record<string, bigint>> {
  const open: Record<string, bigint> = {};
  for (const { sourceCurrency, sourceMinor, targetCurrency, targetMinor } of positions) {
    open[sourceCurrency] = (open[sourceCurrency] ?? 0n) + sourceMinor;
    open[targetCurrency] = (open[targetCurrency] ?? 0n) + targetMinor;
  }
  return open;
}

describe('the positions of a transfer', () => {
  const price = transferPriced().price;
  const [principal, credit] = [price.principal.minor, price.credit.minor];

  it.each<[Ending, readonly string[], boolean]>([
    ['completed', ['OPENED'], true],
    ['with-provider', ['OPENED'], true],
    ['returned', ['OPENED', 'RETURNED'], false],
    ['failed', ['OPENED', 'REJECTED'], false],
    ['over-limit', ['OPENED', 'REJECTED'], false],
    ['requoted', ['OPENED', 'EXPIRED', 'OPENED'], true],
    ['held', [], false],
    ['declined', [], false],
    ['dead-lettered', [], false],
  ])('that is %s are %j', (ending, changes, isOpen) => {
    const positions = positionsOf([ending]);
    expect(positions.map(({ change }) => change)).toEqual(changes);
    const open = Object.values(sums(positions));
    if (isOpen) expect(sums(positions)).toEqual({ GBP: principal, INR: -credit });
    else expect(open.every((minor) => minor === 0n)).toBe(true);
  });

  it('come to what was not taken back, over any history, and no two share an id', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...ENDINGS), { maxLength: 12 }), (endings) => {
        const positions = positionsOf(endings);
        expect(new Set(positions.map(({ eventId }) => eventId)).size).toBe(positions.length);
        const perPrice = Map.groupBy(positions, ({ transferId, attempt }) => `${transferId}:${attempt}`);
        for (const each of perPrice.values()) {
          expect(each[0]!.change).toBe('OPENED');
          expect(each.slice(1).filter(({ change }) => change === 'OPENED')).toEqual([]);
          expect(each.length).toBeLessThanOrEqual(2);
        }
        const open = [...perPrice.values()].filter((each) => each.length === 1);
        const kept = sums(open.flat());
        for (const [currency, minor] of Object.entries(sums(positions))) expect(kept[currency] ?? 0n).toBe(minor);
      }),
      { numRuns: times(60) },
    );
  });

  it('are the same, ids and all, whenever the event is read', () => {
    const priced = transferPriced();
    expect(positionOf('transfer.priced', priced)).toEqual(positionOf('transfer.priced', structuredClone(priced)));
  });
});

describe('no position', () => {
  it('goes with what changes no price', () => {
    expect(positionOf('transfer.screened', transferScreened())).toBeUndefined();
    expect(positionOf('payout.requested', payoutRequested())).toBeUndefined();
  });

  it('is taken back twice: a request for another price did it before pricing declines', () => {
    const { envelope, instruction, price } = payoutRequested();
    const rejected = { envelope, instruction, price, stage: 'FX_PRICING' } as const;
    expect(positionOf('transfer.rejected', rejected)).toBeUndefined();
    expect(positionOf('transfer.rejected', { ...rejected, stage: 'LIMITS' })).toMatchObject({ change: 'REJECTED' });
  });

  it('is taken back of a price that opened none', () => {
    const requested = payoutRequested();
    const before = { ...requested, price: { ...requested.price, positioned: false } };
    expect(positionOf('transfer.returned', before)).toBeUndefined();
  });
});
