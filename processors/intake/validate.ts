// Whether an intent can become a transfer. Pure, and stable: time is the append time of the intent, so that the answer
// is the same however often it runs. Every reason is collected.
import type { Corridor, CorridorBook, CorridorSide } from '../../domain/corridors/corridors.ts';
import { currencyOf, formatMoney } from '../../domain/money/currencies.ts';
import { isTransferId, TRANSFER_ID_RULE } from '../../domain/transfers/transfer-id.ts';
import type { Reason, TransferRequested } from '../../schemas/types.generated.ts';
import { MAX_CHARACTERS } from './bounds.ts';
import { dayOf, isDay, todayAnywhere } from './dates.ts';
import { checkDeclarations, checkVerifiedName } from './declarations.ts';
import { checkParties } from './parties.ts';
import { findingsOf } from './rules/evaluate.ts';
import type { TransferRules } from './rules/rule-set.ts';
import { Violations } from './violations.ts';

export interface IntakeRules {
  readonly corridors: CorridorBook;
  /** What a transfer must say beside; absent: nothing. */
  readonly transferRules?: TransferRules | undefined;
  /** How far the producer's clock may be ahead, in ms. */
  readonly maxClockSkewMs: number;
  /** How old an intent may be when it arrives, in ms. */
  readonly maxAgeMs: number;
}

export const DEFAULT_TIMING = { maxClockSkewMs: 5 * 60_000, maxAgeMs: 72 * 3_600_000 } as const;

/** As many as a detail has room for. */
const MAX_CODES_SHOWN = 20;
const CURRENCY_CODE = /^[A-Z]{3}$/;

/** What intake finds. */
export interface IntentFindings {
  /** Why it is refused; empty when it is valid. */
  readonly reasons: readonly Reason[];
  /** Ids of the rules of data that it does not meet. */
  readonly brokenRules: readonly string[];
  /** Ids of those that ask for a person. */
  readonly reviewRules: readonly string[];
}

/** Every reason why the intent, appended to the log at `appendedAt` (ms), is refused; empty when it is valid. */
export const reasonsAgainst = (intent: TransferRequested, appendedAt: number, rules: IntakeRules): readonly Reason[] =>
  lookAt(intent, appendedAt, rules).reasons;

/** All that intake finds about an intent that was appended to the log at `appendedAt` (ms). */
export function lookAt(intent: TransferRequested, appendedAt: number, rules: IntakeRules): IntentFindings {
  const violations = new Violations();
  const { parties } = intent;
  violations.unless(isTransferId(intent.transferId), 'CH16', `transferId must be ${TRANSFER_ID_RULE}`);
  violations.text(intent.endToEndId, 'endToEndId', MAX_CHARACTERS.endToEndId);
  checkTimes(violations, intent, appendedAt, rules);
  const corridor = checkCurrencies(violations, intent, appendedAt, rules.corridors);
  checkAmount(violations, intent, corridor);
  checkTerms(violations, intent, corridor);
  checkDeclarations(violations, intent, appendedAt, rules);
  if (!('corridor.Parties' in parties)) {
    violations.add('SEAL', 'parties are sealed: send them open');
    return { reasons: violations.reasons, brokenRules: [], reviewRules: [] };
  }
  const open = parties['corridor.Parties'];
  checkParties(violations, open, corridor, appendedAt);
  checkVerifiedName(violations, open.verifiedPayeeName, intent);
  const { transferRules } = rules;
  if (transferRules === undefined || corridor === undefined) {
    return { reasons: violations.reasons, brokenRules: [], reviewRules: [] };
  }
  const asked = { intent, parties: open, corridor, day: dayOf(appendedAt) };
  const { reasons, ...ofRules } = findingsOf(transferRules, asked);
  return { reasons: [...violations.reasons, ...reasons], ...ofRules };
}

function checkTimes(violations: Violations, intent: TransferRequested, appendedAt: number, rules: IntakeRules): void {
  const { requestedAt, requestedExecutionDate: day } = intent;
  violations.unless(requestedAt <= appendedAt + rules.maxClockSkewMs, 'DT02', 'requestedAt is in the future');
  violations.unless(requestedAt >= appendedAt - rules.maxAgeMs, 'DT02', 'requestedAt is too long ago');
  if (day === null) return;
  if (!violations.unless(isDay(day), 'DT01', 'requestedExecutionDate is no date (YYYY-MM-DD)')) return;
  const [first, last] = todayAnywhere(appendedAt);
  violations.unless(day >= first, 'CH04', 'requestedExecutionDate has passed');
  violations.unless(day <= last, 'CH03', 'requestedExecutionDate is later than today');
}

function checkCurrencies(
  violations: Violations,
  intent: TransferRequested,
  appendedAt: number,
  corridors: CorridorBook,
): Corridor | undefined {
  const { sourceCurrency, targetCurrency } = intent;
  const today = dayOf(appendedAt);
  const source = currencyOf(sourceCurrency, today) !== undefined;
  const target = currencyOf(targetCurrency, today) !== undefined;
  violations.unless(source, 'AM03', `sourceCurrency ${shown(sourceCurrency)} is not known`);
  violations.unless(target, 'AM03', `targetCurrency ${shown(targetCurrency)} is not known`);
  if (!source || !target) return undefined;
  if (!violations.unless(sourceCurrency !== targetCurrency, 'AM03', 'source and target currency are the same'))
    return undefined;
  const corridor = corridors.between(sourceCurrency, targetCurrency);
  violations.unless(corridor !== undefined, 'AG03', `no corridor carries ${sourceCurrency} to ${targetCurrency}`);
  return corridor;
}

function checkAmount(violations: Violations, intent: TransferRequested, corridor: Corridor | undefined): void {
  const { amountSide, instructedAmount } = intent;
  const { minor, currency } = instructedAmount;
  if (minor === 0n) violations.add('AM01', 'instructedAmount is zero');
  if (minor < 0n) violations.add('AM12', 'instructedAmount is negative');
  if (amountSide === 'UNKNOWN') {
    violations.add('CH16', 'amountSide is not one that this version knows');
    return;
  }
  const fixed = amountSide === 'SOURCE' ? intent.sourceCurrency : intent.targetCurrency;
  const fits = currency === fixed;
  violations.unless(fits, 'AM11', `the currency of instructedAmount is not that of its side (${amountSide})`);
  if (!fits || corridor === undefined || minor <= 0n) return;
  checkRange(violations, minor, amountSide === 'SOURCE' ? corridor.source : corridor.target);
}

function checkRange(violations: Violations, minor: bigint, { amount, currency }: CorridorSide): void {
  const limit = (bound: bigint) => formatMoney({ minor: bound, currency });
  violations.unless(minor >= amount.minMinor, 'AM06', `the corridor carries ${limit(amount.minMinor)} at least`);
  violations.unless(minor <= amount.maxMinor, 'AM02', `the corridor carries ${limit(amount.maxMinor)} at most`);
}

function checkTerms(violations: Violations, intent: TransferRequested, corridor: Corridor | undefined): void {
  const { chargeBearer, purposeCode } = intent;
  if (chargeBearer === 'UNKNOWN') {
    violations.add('CH16', 'chargeBearer is not one that this version knows');
  } else if (corridor !== undefined) {
    violations.unless(
      corridor.chargeBearers.includes(chargeBearer),
      'AG03',
      `chargeBearer ${chargeBearer} is not offered`,
    );
  }
  if (corridor !== undefined) {
    const { purposeCodes } = corridor;
    const taken = `${purposeCodes.slice(0, MAX_CODES_SHOWN).join(', ')}${purposeCodes.length > MAX_CODES_SHOWN ? ', …' : ''}`;
    violations.unless(purposeCodes.includes(purposeCode), 'FF07', `purposeCode is not one of the corridor: ${taken}`);
  }
}

/** A code as given, if it looks like one: a producer may have put anything there. */
const shown = (code: string): string => (CURRENCY_CODE.test(code) ? code : '(not a code)');
