// The terms that are shipped as examples, from their file.
import { readFileSync } from 'node:fs';
import { formatMoney } from '../../domain/money/currencies.ts';
import type { Provenance, TermWhere } from '../../domain/terms/terms.ts';
import { strictJson } from '../../domain/text/strict-json.ts';
import { termsFile } from '../../processors/fx-pricing/terms-file.ts';

const EXAMPLE = new URL('../../processors/fx-pricing/example-terms.json', import.meta.url);
const MINUTE_MS = 60_000;

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

/** Each row of the set, with the transfers that it is for. */
export function termsTables(): string {
  const set = termsFile.parse(strictJson(readFileSync(EXAMPLE, 'utf8')));
  const named = (termId: string, where: TermWhere) => [`\`${termId}\``, whereInWords(where)];
  const fees = set.fees.map(({ termId, where, code, currency, flatMinor, bps, minMinor, maxMinor }) => {
    const money = (minor: bigint | null) => (minor === null ? '' : formatMoney({ minor, currency }));
    const what = [flatMinor > 0n ? money(flatMinor) : '', bps > 0 ? `${bps} bps` : ''].filter(Boolean).join(' + ');
    return [...named(termId, where), code, what, money(minMinor), money(maxMinor)];
  });
  const taxes = set.taxes.map((tax) => [
    ...named(tax.termId, tax.where),
    `${tax.kind}: ${tax.rateBps} bps of ${tax.base}, ${tax.rounding}`,
    ...lawInWords(tax),
  ]);
  const settlements = set.settlements.map(({ termId, where, cutOff, timeZone, calendars, valueDays, rail }) => [
    ...named(termId, where),
    `${cutOff} ${timeZone}`,
    calendars.join(', '),
    `T+${valueDays}`,
    `${rail.opens} to ${rail.cutOff} ${rail.timeZone}, ${rail.calendars.join(', ')}; ${rail.takesMs / MINUTE_MS} min`,
  ]);
  const cancellations = set.cancellations.map((each) => [
    ...named(each.termId, each.where),
    `${each.windowMs / MINUTE_MS} min`,
    ...lawInWords(each),
  ]);
  const margins = set.margins.map(({ termId, where, marginBps }) => [...named(termId, where), `${marginBps} bps`]);
  const lifetimes = set.lifetimes.map(({ termId, where, bindsForMs }) => [
    ...named(termId, where),
    `${bindsForMs / MINUTE_MS} min`,
  ]);
  return [
    `Set \`${set.name}@${set.version}\`:`,
    table(['margin', 'for', 'is'], margins),
    table(['fee', 'for', 'code', 'is', 'at least', 'at most'], fees),
    table(['tax', 'for', 'is', 'who says so', 'holds', 'status'], taxes),
    table(['a price binds', 'for', 'is'], lifetimes),
    table(['settlement', 'for', 'cut-off', 'calendars', 'value date', 'the rail pays'], settlements),
    table(['cancellation', 'for', 'within', 'who says so', 'holds', 'status'], cancellations),
  ].join('\n\n');
}

const lawInWords = ({ title, link, validFrom, validTo, status }: Provenance): string[] => [
  link === null ? title : `[${title}](${link})`,
  validTo === null ? `since ${validFrom}` : `${validFrom} until before ${validTo}`,
  status === 'CONFIRMED' ? 'confirmed' : 'to confirm with counsel',
];

function whereInWords({ corridors, bearers, kycTiers, fundingMethods, amount, markets }: TermWhere): string {
  const band = amount && [
    `from ${formatMoney({ minor: amount.fromMinor, currency: amount.currency })}`,
    ...(amount.belowMinor === null
      ? []
      : [`below ${formatMoney({ minor: amount.belowMinor, currency: amount.currency })}`]),
  ];
  return [
    ...(corridors ? [corridors.join(' ')] : []),
    ...[bearers, kycTiers, fundingMethods, markets].flatMap((each) => (each ? [each.join(' ')] : [])),
    ...(band ? [band.join(' ')] : []),
  ].join('; ');
}
