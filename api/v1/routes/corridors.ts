// GET /v1/corridors: where money can go, between which accounts, in which bounds, at what price.
import { z } from 'zod';
import type { Corridor, CorridorSide } from '../../../domain/corridors/corridors.ts';
import { MAX_CHARACTERS, MAX_ITEMS } from '../../../processors/intake/bounds.ts';
import { answer, type Route, route } from '../../http/route.ts';
import { moneyDto, moneyOf } from '../dto.ts';

const sideDto = z
  .object({
    currency: z.string().describe('ISO 4217.'),
    countries: z.array(z.string()).describe('ISO 3166-1 alpha-2.'),
    least: moneyDto,
    most: moneyDto,
    accounts: z.array(
      z.object({
        scheme: z.enum(['IBAN', 'BBAN', 'VPA']),
        agent: z.enum(['NONE', 'IFSC', 'SORT_CODE', 'ABA']).describe('What `agent` of the account must hold.'),
      }),
    ),
  })
  .meta({ id: 'CorridorSide' });

const corridorDto = z
  .object({
    id: z.string(),
    source: sideDto,
    target: sideDto,
    chargeBearers: z.array(z.enum(['DEBT', 'CRED', 'SHAR', 'SLEV'])),
    purposeCodes: z.array(z.string()).describe('ISO 20022 external purpose codes.'),
    marginBps: z.int().describe('Basis points of the mid rate.'),
    fees: z.array(
      z.object({
        code: z.string(),
        flat: moneyDto,
        bps: z.int().describe('Basis points of the base, beside the flat part.'),
        bearers: z.array(z.string()).nullable().describe('Charge bearers whose transfers pay it; null: all.'),
      }),
    ),
    priceBindsForMs: z.int(),
    oldestRateMs: z.int().describe('A rate that was observed longer ago prices nothing.'),
    open: z.enum(['ALWAYS']),
  })
  .meta({ id: 'Corridor' });

const corridorsDto = z
  .object({
    items: z.array(corridorDto),
    bounds: z
      .array(z.object({ field: z.string(), mostCharacters: z.int().nullable(), mostItems: z.int().nullable() }))
      .describe('How long a field of an intent may be.'),
  })
  .meta({ id: 'Corridors' });

const sideOf = ({ currency, countries, amount, accounts }: CorridorSide): z.output<typeof sideDto> => ({
  currency,
  countries: [...countries],
  least: moneyOf(amount.minMinor, currency),
  most: moneyOf(amount.maxMinor, currency),
  accounts: accounts.map(({ scheme, agent }) => ({ scheme, agent })),
});

const corridorOf = (corridor: Corridor): z.output<typeof corridorDto> => ({
  id: corridor.id,
  source: sideOf(corridor.source),
  target: sideOf(corridor.target),
  chargeBearers: [...corridor.chargeBearers],
  purposeCodes: [...corridor.purposeCodes],
  marginBps: corridor.marginBps,
  fees: corridor.fees.map(({ code, flatMinor, bps, bearers }) => ({
    code,
    flat: moneyOf(flatMinor, corridor.source.currency),
    bps,
    bearers: bearers === undefined ? null : [...bearers],
  })),
  priceBindsForMs: corridor.priceTtlMs,
  oldestRateMs: corridor.maxRateAgeMs,
  open: corridor.open,
});

function boundsOfFields(): z.output<typeof corridorsDto>['bounds'] {
  const characters: Readonly<Record<string, number>> = MAX_CHARACTERS;
  const items: Readonly<Record<string, number>> = MAX_ITEMS;
  const fields = [...new Set([...Object.keys(characters), ...Object.keys(items)])];
  return fields.map((field) => ({
    field,
    mostCharacters: characters[field] ?? null,
    mostItems: items[field] ?? null,
  }));
}

export const corridorRoutes: readonly Route[] = [
  route({
    name: 'listCorridors',
    method: 'GET',
    url: '/v1/corridors',
    action: 'corridors.read',
    tag: 'Corridors',
    summary: 'Where money can go, and on what terms',
    answers: { 200: corridorsDto },
    refusals: [],
    handle: async ({ parts }) =>
      answer(200, { items: parts.corridors.corridors.map(corridorOf), bounds: boundsOfFields() }),
  }),
];
