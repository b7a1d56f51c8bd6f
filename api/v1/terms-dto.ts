// What terms say of a corridor, as the API shows it.
import { z } from 'zod';
import type { Corridor } from '../../domain/corridors/corridors.ts';
import {
  type FeeRow,
  MARKET_STATES,
  type Provenance,
  TAX_BASES,
  TAX_ROUNDINGS,
  type TermSet,
  type TermWhere,
} from '../../domain/terms/terms.ts';
import { termsOn } from '../../domain/terms/terms-on.ts';
import { moneyDto, moneyOf } from './dto.ts';

const whereDto = z
  .object({
    bearers: z.array(z.string()).nullable(),
    kycTiers: z.array(z.string()).nullable().describe('`NONE`: the intent names none.'),
    fundingMethods: z.array(z.string()).nullable().describe('`NONE`: the intent does not say.'),
    from: moneyDto
      .nullable()
      .describe('Size of the transfer: the debit, or what a fixed credit costs at the mid rate.'),
    below: moneyDto.nullable(),
    markets: z.array(z.enum(MARKET_STATES)).nullable(),
  })
  .meta({ id: 'TermWhere', description: 'Which transfers of the corridor it is for; null does not matter to it.' });

const row = { termId: z.string(), where: whereDto };
const provenance = {
  title: z.string(),
  link: z.string().nullable(),
  validFrom: z.string(),
  validTo: z.string().nullable().describe('First day on which it holds no more.'),
  status: z.enum(['TO_CONFIRM_WITH_COUNSEL', 'CONFIRMED']),
};

export const termsDto = z
  .object({
    set: z.string().describe('Name and version, as prices name them.'),
    margins: z.array(z.object({ ...row, marginBps: z.int() })),
    fees: z.array(
      z.object({
        ...row,
        code: z.string(),
        flat: moneyDto,
        bps: z.int(),
        least: moneyDto.nullable(),
        most: moneyDto.nullable(),
      }),
    ),
    taxes: z.array(
      z.object({
        ...row,
        ...{ kind: z.string(), authority: z.string(), base: z.enum(TAX_BASES), rateBps: z.int() },
        rounding: z.enum(TAX_ROUNDINGS),
        ...provenance,
      }),
    ),
    lifetimes: z.array(z.object({ ...row, bindsForMs: z.int() })),
    settlements: z.array(
      z.object({
        ...row,
        cutOff: z.string().describe('What is priced from this time on counts for the next day.'),
        timeZone: z.string(),
        calendars: z.array(z.string()),
        valueDays: z.int(),
        railTakesMs: z.int(),
      }),
    ),
    cancellations: z.array(z.object({ ...row, authority: z.string(), windowMs: z.int(), ...provenance })),
  })
  .meta({
    id: 'Terms',
    description: 'Of the rows that hold for a transfer the most specific one counts (docs/terms.md).',
  });

const listed = <T>(values: readonly T[] | undefined): T[] | null => (values === undefined ? null : [...values]);

const whereOf = ({ bearers, kycTiers, fundingMethods, amount, markets }: TermWhere): z.output<typeof whereDto> => ({
  bearers: listed(bearers),
  kycTiers: listed(kycTiers),
  fundingMethods: listed(fundingMethods),
  from: amount === undefined ? null : moneyOf(amount.fromMinor, amount.currency),
  below: amount === undefined || amount.belowMinor === null ? null : moneyOf(amount.belowMinor, amount.currency),
  markets: listed(markets),
});

const provenanceOf = ({ title, link, validFrom, validTo, status }: Provenance) => ({
  ...{ title, link, validFrom, validTo, status },
});

const boundOf = (minor: bigint | null, { currency }: FeeRow) => (minor === null ? null : moneyOf(minor, currency));

/** @param name of the set, as prices name it */
export function termsOf(set: TermSet, name: string, corridor: Corridor): z.output<typeof termsDto> {
  const { margins, fees, taxes, lifetimes, settlements, cancellations } = termsOn(set, corridor);
  const rowOf = ({ termId, where }: { readonly termId: string; readonly where: TermWhere }) => ({
    ...{ termId, where: whereOf(where) },
  });
  return {
    set: name,
    margins: margins.map((each) => ({ ...rowOf(each), marginBps: each.marginBps })),
    fees: fees.map((each) => ({
      ...rowOf(each),
      ...{ code: each.code, flat: moneyOf(each.flatMinor, each.currency), bps: each.bps },
      ...{ least: boundOf(each.minMinor, each), most: boundOf(each.maxMinor, each) },
    })),
    taxes: taxes.map((each) => {
      const { kind, authority, base, rateBps, rounding } = each;
      return { ...rowOf(each), kind, authority, base, rateBps, rounding, ...provenanceOf(each) };
    }),
    lifetimes: lifetimes.map((each) => ({ ...rowOf(each), bindsForMs: each.bindsForMs })),
    settlements: settlements.map((each) => {
      const { cutOff, timeZone, calendars, valueDays, rail } = each;
      return { ...rowOf(each), cutOff, timeZone, calendars: [...calendars], valueDays, railTakesMs: rail.takesMs };
    }),
    cancellations: cancellations.map((each) => ({
      ...rowOf(each),
      ...{ authority: each.authority, windowMs: each.windowMs },
      ...provenanceOf(each),
    })),
  };
}
