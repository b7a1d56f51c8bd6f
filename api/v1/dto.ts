// Shapes that several answers share. DTOs are apart from documents and events: a field appears here when it is promised.
import { z } from 'zod';
import { formatMoney } from '../../domain/money/currencies.ts';

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
