// What is wrong with a set of terms: rows that contradict each other, calendars that are not there, transfers without a margin.
import { localTime, secondOfDay } from '../calendars/zones.ts';
import type { Corridor } from '../corridors/corridors.ts';
import { DomainError } from '../fault.ts';
import { currencyOf } from '../money/currencies.ts';
import { competes, feeSlot, ROUNDING_FEE, type TermRow, type TermSet, type TermWhere, taxSlot } from './terms.ts';

/** @throws DomainError TERMS_INVALID with every mistake */
export function checkTerms(set: TermSet): TermSet {
  return refuseWith(
    [
      ...namedTwice(set),
      ...slotsOf(set).flatMap((rows) => [...contradictions(rows)]),
      ...calendarFaults(set),
      ...rowFaults(set),
    ],
    set,
  );
}

/** @throws DomainError TERMS_INVALID for rows of corridors that are not there: who writes them means one that is */
export function checkCorridorsOf(set: TermSet, corridors: readonly Corridor[]): TermSet {
  const known = new Set(corridors.map(({ id }) => id));
  const faults = rowsOf(set).flatMap(({ termId, where }) => {
    const strange = (where.corridors ?? []).filter((id) => !known.has(id));
    return strange.length > 0 ? [`${termId}: there is no corridor ${strange.join(', ')}`] : [];
  });
  return refuseWith(faults, set);
}

/**
 * A row of a corridor that is gone means nothing, and is no fault here: terms outlive the table of corridors.
 * @throws DomainError TERMS_INVALID when a transfer of a corridor would have no margin or lifetime
 */
export function checkTermsFor(set: TermSet, corridors: readonly Corridor[]): TermSet {
  const known = new Map(corridors.map((corridor) => [corridor.id, corridor]));
  const faults: string[] = [];
  for (const { termId, where } of rowsOf(set)) {
    const { amount } = where;
    const isMeasured = (id: string) => known.get(id)!.source.currency === amount?.currency;
    const isAny =
      where.corridors === undefined
        ? [...known.keys()].some(isMeasured)
        : where.corridors.filter((id) => known.has(id)).every(isMeasured);
    if (amount && !isAny) faults.push(`${termId}: the amounts are in ${amount.currency}, which is not what is debited`);
  }
  for (const corridor of corridors) {
    for (const [kind, rows] of [['margin', set.margins] as const, ['lifetime', set.lifetimes] as const]) {
      if (!rows.some(({ where }) => isWhole(where, corridor.id)))
        faults.push(`${corridor.id}: not every transfer has a ${kind}`);
    }
    const own = set.fees.some(
      ({ where: { bearers, ...where }, currency }) =>
        currency === corridor.source.currency &&
        bearers?.length === 1 &&
        bearers[0] === 'DEBT' &&
        isWhole(where, corridor.id),
    );
    if (corridor.chargeBearers.includes('DEBT') && !own)
      faults.push(
        `${corridor.id}: DEBT is offered without a fee of its own, which pays what the beneficiary's side charges`,
      );
  }
  return refuseWith(faults, set);
}

function refuseWith(faults: readonly string[], set: TermSet): TermSet {
  if (faults.length > 0) throw new DomainError('TERMS_INVALID', `correct the terms: ${faults.join('; ')}`);
  return set;
}

/** Whether every transfer of the corridor is meant. */
const isWhole = ({ corridors, ...more }: TermWhere, id: string): boolean =>
  (corridors === undefined || corridors.includes(id)) && Object.values(more).every((value) => value === undefined);

function rowsOf(set: TermSet): readonly TermRow[] {
  const { markets, margins, fees, taxes, lifetimes, settlements, cancellations } = set;
  return [...markets, ...margins, ...fees, ...taxes, ...lifetimes, ...settlements, ...cancellations];
}

function slotsOf(set: TermSet): readonly (readonly TermRow[])[] {
  const { markets, margins, fees, taxes, lifetimes, settlements, cancellations } = set;
  const grouped = [Map.groupBy(fees, feeSlot), Map.groupBy(taxes, taxSlot)].flatMap((groups): readonly TermRow[][] => [
    ...groups.values(),
  ]);
  return [markets, margins, lifetimes, settlements, cancellations, ...grouped];
}

function* contradictions(rows: readonly TermRow[]): Generator<string> {
  for (const [n, one] of rows.entries()) {
    for (const other of rows.slice(n + 1)) {
      if (competes(one, other))
        yield `${one.termId} and ${other.termId} are equally specific, and a transfer can be meant by both`;
    }
  }
}

function* namedTwice(set: TermSet): Generator<string> {
  for (const [termId, rows] of Map.groupBy(rowsOf(set), (row) => row.termId)) {
    if (rows.length > 1) yield `${termId} is there ${rows.length} times`;
  }
  for (const [id, calendars] of Map.groupBy(set.calendars, (calendar) => calendar.id)) {
    if (calendars.length > 1) yield `the calendar ${id} is there ${calendars.length} times`;
  }
}

function* calendarFaults({ calendars, markets, settlements }: TermSet): Generator<string> {
  const known = new Set(calendars.map(({ id }) => id));
  const asked = [
    ...markets.map(({ termId, calendars: ids }) => ({ termId, ids })),
    ...settlements.map(({ termId, calendars: ids, rail }) => ({ termId, ids: [...ids, ...rail.calendars] })),
  ];
  for (const { termId, ids } of asked) {
    const strange = ids.filter((id) => !known.has(id));
    if (strange.length > 0) yield `${termId}: there is no calendar ${strange.join(', ')}`;
  }
}

function* rowFaults(set: TermSet): Generator<string> {
  for (const { termId, where } of rowsOf(set)) {
    const { amount } = where;
    if (amount && currencyOf(amount.currency) === undefined)
      yield `${termId}: ${amount.currency} is no currency that is known`;
    if (amount && amount.belowMinor !== null && amount.belowMinor <= amount.fromMinor)
      yield `${termId}: the band of amounts is empty`;
  }
  for (const { termId, marginBps } of set.margins) {
    if (!Number.isInteger(marginBps) || marginBps < 0 || marginBps >= 10_000)
      yield `${termId}: a margin is of 0 to 9999 bps`;
  }
  for (const { termId, code, currency, bps, flatMinor, minMinor, maxMinor, where } of set.fees) {
    if (code === ROUNDING_FEE) yield `${termId}: the code ${ROUNDING_FEE} is taken`;
    if (currencyOf(currency) === undefined) yield `${termId}: ${currency} is no currency that is known`;
    if (where.amount && where.amount.currency !== currency)
      yield `${termId}: the band is in another currency than the fee`;
    if (flatMinor < 0n || !Number.isInteger(bps) || bps < 0) yield `${termId}: a fee is not below zero`;
    if (minMinor !== null && maxMinor !== null && minMinor > maxMinor) yield `${termId}: the least is above the most`;
  }
  for (const { termId, rateBps } of set.taxes) {
    if (!Number.isInteger(rateBps) || rateBps < 0 || rateBps > 10_000) yield `${termId}: a tax is of 0 to 10000 bps`;
  }
  for (const row of [...set.taxes, ...set.cancellations]) {
    if (row.validTo !== null && row.validTo <= row.validFrom) yield `${row.termId}: it ends before it begins`;
  }
  for (const { termId, bindsForMs } of set.lifetimes)
    if (bindsForMs <= 0) yield `${termId}: a price binds for some time`;
  yield* clockFaults(set);
}

function* clockFaults({ markets, settlements }: TermSet): Generator<string> {
  const clocks = [
    ...markets.map(({ termId, timeZone, opens, closes }) => ({ termId, timeZone, times: [opens.time, closes.time] })),
    ...settlements.map(({ termId, timeZone, cutOff }) => ({ termId, timeZone, times: [cutOff] })),
    ...settlements.map(({ termId, rail }) => ({ termId, timeZone: rail.timeZone, times: [rail.opens, rail.cutOff] })),
  ];
  for (const { termId, timeZone, times } of clocks) {
    for (const time of times) if (secondOfDay(time) === undefined) yield `${termId}: ${time} is no time of day`;
    try {
      localTime(0, timeZone);
    } catch (error) {
      yield `${termId}: ${(error as Error).message}`;
    }
  }
  for (const { termId, rail } of settlements) {
    const [opens, cutOff] = [secondOfDay(rail.opens), secondOfDay(rail.cutOff)];
    if (opens !== undefined && cutOff !== undefined && opens >= cutOff)
      yield `${termId}: the rail closes before it opens`;
  }
}
