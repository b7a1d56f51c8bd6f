// Shapes that several answers share. DTOs are apart from documents and events: a field appears here when it is promised.
import { z } from 'zod';
import { formatMoney } from '../../domain/money/currencies.ts';
import type { Money } from '../../domain/money/money.ts';
import type { Missing } from '../../operations/queries/gaps.ts';
import type { Tally } from '../../operations/queries/tally.ts';

/** JSON numbers are doubles: minor units travel as text. */
export const moneyDto = z
  .object({
    minor: z
      .string()
      .regex(/^-?\d{1,19}$/)
      .describe('Minor units: 1250 with GBP is 12.50 pounds.'),
    currency: z.string().describe('ISO 4217.'),
    text: z.string().describe('For people.'),
  })
  .meta({ id: 'Money' });

export type MoneyDto = z.output<typeof moneyDto>;

export const moneyOf = (minor: bigint, currency: string): MoneyDto => ({
  minor: minor.toString(),
  currency,
  text: formatMoney({ minor, currency }),
});

/** RFC 3339, UTC. */
export const instant = z.iso.datetime({ offset: true });

export const instantOf = (at: number | bigint | Date): string =>
  (at instanceof Date ? at : new Date(Number(at))).toISOString();

export const moneysOf = (amounts: readonly Money[]): MoneyDto[] =>
  amounts.map(({ minor, currency }) => moneyOf(minor, currency));

/** Sums of a list. */
export const tallyDto = z
  .object({
    count: z.int(),
    money: z.array(moneyDto).describe('By currency.'),
    withoutAmount: z.int().describe('How many have no known amount: no sum has them.'),
  })
  .meta({ id: 'Tally' });

export const tallyOf = ({ count, money, withoutAmount }: Tally): z.output<typeof tallyDto> => ({
  ...{ count, withoutAmount },
  money: moneysOf(money),
});

/** What a list lacks. */
export const missingDto = z
  .object({ source: z.string(), code: z.string(), detail: z.string() })
  .meta({ id: 'Missing', description: 'What could not be read, or is more than is looked at.' });

export const missingOf = (missing: readonly Missing[]): z.output<typeof missingDto>[] =>
  missing.map(({ source, code, detail }) => ({ source, code, detail }));
