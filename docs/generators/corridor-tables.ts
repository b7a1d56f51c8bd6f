// The corridors and the bounds of an intent, from the tables that intake and pricing go by.

import { readFileSync } from 'node:fs';
import { CLEARING_SYSTEMS } from '../../domain/corridors/clearing-systems.ts';
import { CORRIDORS } from '../../domain/corridors/corridor-table.ts';
import { type AccountRule, type CorridorSide, feesFor } from '../../domain/corridors/corridors.ts';
import { formatMoney } from '../../domain/money/currencies.ts';
import { type FeeRule, type PricingTerms, priceOf } from '../../domain/pricing/pricing.ts';
import { strictJson } from '../../domain/text/strict-json.ts';
import { MAX_CHARACTERS, MAX_ITEMS } from '../../processors/intake/bounds.ts';
import { rulesOn, setsInWords } from '../../processors/intake/rules/evaluate.ts';
import { type RuleWhere, transferRulesFrom, versionOf } from '../../processors/intake/rules/rule-set.ts';

const MINUTE_MS = 60_000;
const AGENTS: Readonly<Record<AccountRule['agent'], string>> = {
  NONE: 'alone, or with a BIC',
  IFSC: `with an IFSC (${CLEARING_SYSTEMS.IFSC})`,
  SORT_CODE: `with a sort code (${CLEARING_SYSTEMS.SORT_CODE})`,
  ABA: `with an ABA routing number (${CLEARING_SYSTEMS.ABA})`,
};
const BY_ADDRESS = 'alone, or with an IFSC or a BIC';

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

/** Every corridor: what it carries between which accounts, and on what terms. */
export function corridorTables(): string {
  const terms = CORRIDORS.map(({ id, source, target, fees, marginBps, priceTtlMs, maxRateAgeMs }) => [
    `\`${id}\``,
    `${source.currency} → ${target.currency}`,
    `${marginBps} bps`,
    fees.map((fee) => feeOf(fee, source.currency)).join('; ') || 'none',
    `${priceTtlMs / MINUTE_MS} min`,
    `${maxRateAgeMs / MINUTE_MS} min`,
  ]);
  const sides = CORRIDORS.flatMap(({ id, source, target }) => [
    [`\`${id}\``, 'source', ...sideOf(source)],
    [`\`${id}\``, 'target', ...sideOf(target)],
  ]);
  const codes = CORRIDORS.map(({ id, chargeBearers, purposeCodes }) => [
    `\`${id}\``,
    chargeBearers.join(', '),
    purposeCodes.join(', '),
  ]);
  return [
    table(['corridor', 'currencies', 'margin', 'fees', 'a price binds for', 'oldest rate'], terms),
    table(['corridor', 'side', 'at least', 'at most', '`country`', '`account`'], sides),
    table(['corridor', '`chargeBearer`', '`purposeCode`'], codes),
  ].join('\n\n');
}

function sideOf({ currency, amount, countries, accounts }: CorridorSide): string[] {
  const schemes = accounts.map(
    ({ scheme, agent }) => `${scheme} ${scheme === 'VPA' && agent === 'NONE' ? BY_ADDRESS : AGENTS[agent]}`,
  );
  const bounds = [amount.minMinor, amount.maxMinor].map((minor) => formatMoney({ minor, currency }));
  return [...bounds, countries.join(' '), schemes.join('; ')];
}

function feeOf({ code, flatMinor, bps, bearers }: FeeRule, currency: string): string {
  const flat = flatMinor > 0n ? [formatMoney({ minor: flatMinor, currency })] : [];
  const whose = bearers === undefined ? '' : ` (${bearers.join(', ')} only)`;
  return `${code}${whose}: ${[...flat, ...(bps > 0 ? [`${bps} bps of the base`] : [])].join(' + ') || 'nothing'}`;
}

/** One transfer of the first corridor, priced by pricing itself with either side fixed. */
export function priceExample(): string {
  const { source, target, marginBps } = CORRIDORS[0]!;
  const fees = feesFor(CORRIDORS[0]!, 'SLEV');
  const sourceCurrency = source.currency;
  const targetCurrency = target.currency;
  const legs = [{ base: sourceCurrency, quote: targetCurrency, rate: '125.2579' }];
  const priced = (side: PricingTerms['side'], minor: bigint) => {
    const amount = { minor, currency: side === 'SOURCE' ? sourceCurrency : targetCurrency };
    const result = priceOf({ side, amount, sourceCurrency, targetCurrency, legs, marginBps }, fees);
    if (!result.ok) throw new Error(`the example cannot be priced: ${result.why}`);
    return result.pricing;
  };
  const fixedSource = priced('SOURCE', 2_000_000n);
  const rows = [['SOURCE', fixedSource] as const, ['TARGET', priced('TARGET', fixedSource.credit.minor)] as const];
  const cells = rows.map(([side, { customerRate, debit, fees: charged, principal, credit }]) => [
    `\`${side}\``,
    customerRate,
    ...[debit, ...charged.map(({ amount }) => amount), principal, credit].map(formatMoney),
  ]);
  const head = ['fixed', 'customer rate', 'debit', ...fees.map(({ code }) => `fee ${code}`), 'principal', 'credit'];
  return `At a mid rate of ${legs[0]!.rate} on \`${CORRIDORS[0]!.id}\`:\n\n${table(head, cells)}`;
}

/** How long each field of an intent may be. */
export function intentBounds(): string {
  const most: Readonly<Record<string, number>> = MAX_ITEMS;
  const names = [...new Set([...Object.keys(MAX_CHARACTERS), ...Object.keys(most)])];
  const rows = names.map((name) => [
    `\`${name}\``,
    String((MAX_CHARACTERS as Readonly<Record<string, number>>)[name] ?? ''),
    String(most[name] ?? ''),
  ]);
  return table(['field', 'characters at most', 'items at most'], rows);
}

const EXAMPLE = new URL('../../processors/intake/rules/example-rules.json', import.meta.url);

/** What the shipped set of examples asks for: each rule with who says so, and the corridors on which it can hold. */
export function ruleTables(): string {
  const rules = transferRulesFrom(strictJson(readFileSync(EXAMPLE, 'utf8')));
  const corridorsOf = (id: string) =>
    CORRIDORS.filter((corridor) => rulesOn(rules, corridor).some((rule) => rule.id === id)).map((each) => each.id);
  const required = rules.required.map(({ id, require, where, reason, authority, link, ...validity }) => [
    `\`${id}\``,
    setsInWords(require),
    [corridorsOf(id).join(' '), ...whereInWords(where)].filter(Boolean).join('; '),
    reason,
    `[${authority}](${link})`,
    daysOf(validity),
    validity.status === 'CONFIRMED' ? 'confirmed' : 'to confirm with counsel',
  ]);
  const checks = rules.verification.map(({ id, holdOn, authority, link, ...validity }) => [
    `\`${id}\``,
    holdOn.join(' '),
    `[${authority}](${link})`,
    daysOf(validity),
  ]);
  const arrangements = rules.arrangements.map(({ id, title, where, authority, link }) => [
    `\`${id}\``,
    title,
    where.corridors?.join(' ') ?? 'all',
    `[${authority}](${link})`,
  ]);
  return [
    `Set \`${versionOf(rules)}\`:`,
    table(['rule', 'must be there', 'where', 'else', 'who says so', 'holds', 'status'], required),
    table(['rule', 'a person looks at', 'who says so', 'holds'], checks),
    table(['`arrangement`', 'what it is', 'corridors', 'who says so'], arrangements),
  ].join('\n\n');
}

const daysOf = ({ validFrom, validTo }: { readonly validFrom: string; readonly validTo: string | null }): string =>
  validTo === null ? `since ${validFrom}` : `${validFrom} until before ${validTo}`;

function whereInWords({ arrangements, debtorKinds, fundingMethods, atLeastMinor }: RuleWhere): readonly string[] {
  const amounts = [...(atLeastMinor ?? [])].map(([currency, minor]) => formatMoney({ minor, currency }));
  return [
    ...(arrangements ? [`under ${arrangements.join(', ')}`] : []),
    ...(debtorKinds ? [`sender: ${debtorKinds.join(', ')}`] : []),
    ...(fundingMethods ? [`funded by ${fundingMethods.join(', ')}`] : []),
    ...(amounts.length > 0 ? [`from ${amounts.join(' / ')}`] : []),
  ];
}
