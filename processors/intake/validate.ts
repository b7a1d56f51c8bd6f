// Whether an intent can become a transfer. Pure, and stable: time is the append time of the intent, so that the answer
// is the same however often it runs. Every reason is collected.
import type { Corridor, CorridorBook, CorridorSide } from '../../domain/corridors/corridors.ts';
import { currencyOf, formatMoney } from '../../domain/money/currencies.ts';
import { isTransferId, TRANSFER_ID_RULE } from '../../domain/transfers/transfer-id.ts';
import type { Reason, TransferRequested } from '../../schemas/types.generated.ts';
import { MAX_CHARACTERS } from './bounds.ts';
import { dayOf, isDay, todayAnywhere } from './dates.ts';
import { checkParties } from './parties.ts';
import { Faults } from './violations.ts';

export interface IntakeRules {
  readonly corridors: CorridorBook;
  /** How far the producer's clock may be ahead, in ms. */
  readonly maxClockSkewMs: number;
  /** How old an intent may be when it arrives, in ms. */
  readonly maxAgeMs: number;
}

export const DEFAULT_TIMING = { maxClockSkewMs: 5 * 60_000, maxAgeMs: 72 * 3_600_000 } as const;

const CURRENCY_CODE = /^[A-Z]{3}$/;

/** Every reason why the intent, appended to the log at `appendedAt` (ms), is refused; empty when it is valid. */
export function reasonsAgainst(intent: TransferRequested, appendedAt: number, rules: IntakeRules): readonly Reason[] {
  const faults = new Faults();
  const { parties } = intent;
  faults.unless(isTransferId(intent.transferId), 'CH16', `transferId must be ${TRANSFER_ID_RULE}`);
  faults.text(intent.endToEndId, 'endToEndId', MAX_CHARACTERS.endToEndId);
  checkTimes(faults, intent, appendedAt, rules);
  const corridor = checkCurrencies(faults, intent, appendedAt, rules.corridors);
  checkAmount(faults, intent, corridor);
  checkTerms(faults, intent, corridor);
  if ('corridor.Parties' in parties) checkParties(faults, parties['corridor.Parties'], corridor, appendedAt);
  else faults.add('SEAL', 'parties are sealed: send them open');
  return faults.reasons;
}

function checkTimes(faults: Faults, intent: TransferRequested, appendedAt: number, rules: IntakeRules): void {
  const { requestedAt, requestedExecutionDate: day } = intent;
  faults.unless(requestedAt <= appendedAt + rules.maxClockSkewMs, 'DT02', 'requestedAt is in the future');
  faults.unless(requestedAt >= appendedAt - rules.maxAgeMs, 'DT02', 'requestedAt is too long ago');
  if (day === null) return;
  if (!faults.unless(isDay(day), 'DT01', 'requestedExecutionDate is no date (YYYY-MM-DD)')) return;
  const [first, last] = todayAnywhere(appendedAt);
  faults.unless(day >= first, 'CH04', 'requestedExecutionDate has passed');
  faults.unless(day <= last, 'CH03', 'requestedExecutionDate is later than today');
}

function checkCurrencies(
  faults: Faults,
  intent: TransferRequested,
  appendedAt: number,
  corridors: CorridorBook,
): Corridor | undefined {
  const { sourceCurrency, targetCurrency } = intent;
  const today = dayOf(appendedAt);
  const source = currencyOf(sourceCurrency, today) !== undefined;
  const target = currencyOf(targetCurrency, today) !== undefined;
  faults.unless(source, 'AM03', `sourceCurrency ${shown(sourceCurrency)} is not known`);
  faults.unless(target, 'AM03', `targetCurrency ${shown(targetCurrency)} is not known`);
  if (!source || !target) return undefined;
  if (!faults.unless(sourceCurrency !== targetCurrency, 'AM03', 'source and target currency are the same'))
    return undefined;
  const corridor = corridors.between(sourceCurrency, targetCurrency);
  faults.unless(corridor !== undefined, 'AG03', `no corridor carries ${sourceCurrency} to ${targetCurrency}`);
  return corridor;
}

function checkAmount(faults: Faults, intent: TransferRequested, corridor: Corridor | undefined): void {
  const { amountSide, instructedAmount } = intent;
  const { minor, currency } = instructedAmount;
  if (minor === 0n) faults.add('AM01', 'instructedAmount is zero');
  if (minor < 0n) faults.add('AM12', 'instructedAmount is negative');
  if (amountSide === 'UNKNOWN') {
    faults.add('CH16', 'amountSide is none that this version knows');
    return;
  }
  const fixed = amountSide === 'SOURCE' ? intent.sourceCurrency : intent.targetCurrency;
  const fits = currency === fixed;
  faults.unless(fits, 'AM11', `the currency of instructedAmount is not that of its side (${amountSide})`);
  if (!fits || corridor === undefined || minor <= 0n) return;
  checkRange(faults, minor, amountSide === 'SOURCE' ? corridor.source : corridor.target);
}

function checkRange(faults: Faults, minor: bigint, { amount, currency }: CorridorSide): void {
  const limit = (bound: bigint) => formatMoney({ minor: bound, currency });
  faults.unless(minor >= amount.minMinor, 'AM06', `the corridor carries ${limit(amount.minMinor)} at least`);
  faults.unless(minor <= amount.maxMinor, 'AM02', `the corridor carries ${limit(amount.maxMinor)} at most`);
}

function checkTerms(faults: Faults, intent: TransferRequested, corridor: Corridor | undefined): void {
  const { chargeBearer, purposeCode } = intent;
  if (chargeBearer === 'UNKNOWN') {
    faults.add('CH16', 'chargeBearer is none that this version knows');
  } else if (corridor !== undefined) {
    faults.unless(corridor.chargeBearers.includes(chargeBearer), 'AG03', `chargeBearer ${chargeBearer} is not offered`);
  }
  if (corridor !== undefined) {
    faults.unless(corridor.purposeCodes.includes(purposeCode), 'FF07', 'purposeCode is none of the corridor');
  }
}

/** A code as given, if it looks like one: a producer may have put anything there. */
const shown = (code: string): string => (CURRENCY_CODE.test(code) ? code : '(not a code)');
