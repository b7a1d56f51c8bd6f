// GET /v1/corridors: where money can go, between which accounts, in which bounds, at what price.
import { z } from 'zod';
import type { Corridor, CorridorSide } from '../../../domain/corridors/corridors.ts';
import type { TermBook } from '../../../domain/terms/term-book.ts';
import { plainest, termsOn } from '../../../domain/terms/terms-on.ts';
import { MAX_CHARACTERS, MAX_ITEMS } from '../../../processors/intake/bounds.ts';
import { rulesOn, setsInWords } from '../../../processors/intake/rules/evaluate.ts';
import { type TransferRules, versionOf } from '../../../processors/intake/rules/rule-set.ts';
import { answer, type Route, route } from '../../http/route.ts';
import { moneyDto, moneyOf } from '../dto.ts';
import { termsDto, termsOf } from '../terms-dto.ts';

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

const ruleDto = z
  .object({
    ruleId: z.string(),
    authority: z.string(),
    link: z.string(),
    status: z.enum(['TO_CONFIRM_WITH_COUNSEL', 'CONFIRMED']),
    validFrom: z.string().describe('ISO 8601 date.'),
    validTo: z.string().nullable().describe('First day on which it holds no more.'),
    requires: z.string().describe('Fields that must be there: `a and b, or c`.'),
    atLeast: z.array(moneyDto).describe('From this instructed amount on, by currency; another currency: always.'),
    arrangements: z.array(z.string()).describe('Only under these; empty: whatever the arrangement.'),
    debtorKinds: z.array(z.string()).describe('Only for these senders; empty: for all.'),
    fundingMethods: z.array(z.string()).describe('Only for money that came in so; empty: however.'),
    reason: z.string().describe('ISO 20022 reason of the rejection.'),
  })
  .meta({ id: 'TransferRule' });

const corridorDto = z
  .object({
    id: z.string(),
    source: sideDto,
    target: sideDto,
    chargeBearers: z.array(z.enum(['DEBT', 'CRED', 'SHAR', 'SLEV'])),
    purposeCodes: z.array(z.string()).describe('ISO 20022 external purpose codes.'),
    marginBps: z.int().describe('Basis points of the mid rate, where no more specific row of the terms counts.'),
    fees: z
      .array(
        z.object({
          code: z.string(),
          flat: moneyDto,
          bps: z.int().describe('Basis points of the base, beside the flat part.'),
          bearers: z.array(z.string()).nullable().describe('Charge bearers whose transfers pay it; null: all.'),
        }),
      )
      .describe('Those that count where no more specific row of the terms does.'),
    terms: termsDto,
    priceBindsForMs: z.int().describe('Where no more specific row of the terms counts.'),
    oldestRateMs: z.int().describe('A rate that was observed longer ago prices nothing.'),
    rates: z
      .object({
        sources: z
          .array(z.string())
          .nullable()
          .describe('Those that count, the preferred one first; null: all, the latest observation first.'),
        quorum: z.int().describe('How many sources must say the same.'),
        maxDistanceBps: z.int().describe('How far apart two rates may be that say the same, bps of the lower one.'),
        maxJumpBps: z
          .int()
          .describe('A rate farther than this from the one last gone by waits for two persons, bps of the lower one.'),
        closedOldestRateMs: z
          .int()
          .nullable()
          .describe('How old a rate may be while currencies are not traded; null: as ever.'),
        fixings: z
          .array(z.object({ source: z.string(), calendar: z.enum(['T2']), dueAt: z.string(), graceMs: z.int() }))
          .describe('Sources that publish once a day: their rates are good until the next one is due.'),
        pivots: z.array(z.string()).describe('Currencies over which a pair may be crossed, in this order.'),
      })
      .describe('What a rate must be before it prices a transfer.'),
    open: z.enum(['ALWAYS']),
    required: z.array(ruleDto).describe('What an intent must say on this corridor, with who says so.'),
  })
  .meta({ id: 'Corridor' });

const corridorsDto = z
  .object({
    items: z.array(corridorDto),
    transferRules: z.string().nullable().describe('Name and version of the rules in force; null: there are none.'),
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

const requiredOn = (corridor: Corridor, rules: TransferRules | undefined): z.output<typeof ruleDto>[] =>
  (rules === undefined ? [] : rulesOn(rules, corridor)).map(({ id, where, require, ...rule }) => ({
    ruleId: id,
    authority: rule.authority,
    link: rule.link,
    status: rule.status,
    validFrom: rule.validFrom,
    validTo: rule.validTo,
    requires: setsInWords(require),
    atLeast: [...(where.atLeastMinor ?? [])].map(([currency, minor]) => moneyOf(minor, currency)),
    arrangements: [...(where.arrangements ?? [])],
    debtorKinds: [...(where.debtorKinds ?? [])],
    fundingMethods: [...(where.fundingMethods ?? [])],
    reason: rule.reason,
  }));

/** Fees of transfers that nothing more is known of than their charge bearer. */
const plainFees = (terms: z.output<typeof termsDto>): z.output<typeof corridorDto>['fees'] =>
  terms.fees
    .filter(({ where: { bearers: _, ...more } }) => Object.values(more).every((each) => each === null))
    .map(({ code, flat, bps, where }) => ({ code, flat, bps, bearers: where.bearers }));

const corridorOf = (
  corridor: Corridor,
  { set, name }: Pick<TermBook, 'set' | 'name'>,
  rules: TransferRules | undefined,
): z.output<typeof corridorDto> => ({
  id: corridor.id,
  source: sideOf(corridor.source),
  target: sideOf(corridor.target),
  chargeBearers: [...corridor.chargeBearers],
  purposeCodes: [...corridor.purposeCodes],
  // Terms that are in force have a row for every transfer.
  marginBps: plainest(termsOn(set, corridor).margins)!.marginBps,
  fees: plainFees(termsOf(set, name, corridor)),
  terms: termsOf(set, name, corridor),
  priceBindsForMs: plainest(termsOn(set, corridor).lifetimes)!.bindsForMs,
  oldestRateMs: corridor.maxRateAgeMs,
  rates: {
    sources: corridor.rates.sources === undefined ? null : [...corridor.rates.sources],
    quorum: corridor.rates.quorum,
    maxDistanceBps: corridor.rates.maxDistanceBps,
    maxJumpBps: corridor.rates.maxJumpBps,
    closedOldestRateMs: corridor.rates.maxClosedRateAgeMs ?? null,
    fixings: corridor.rates.fixings.map((fixing) => ({ ...fixing })),
    pivots: [...corridor.rates.pivots],
  },
  open: corridor.open,
  required: requiredOn(corridor, rules),
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
    refusals: ['KAFKA_UNAVAILABLE', 'REGISTRY_UNAVAILABLE'],
    async handle({ parts: { corridors, terms, transferRules } }) {
      const { set, name } = await terms();
      return answer(200, {
        items: corridors.corridors.map((corridor) => corridorOf(corridor, { set, name }, transferRules)),
        transferRules: transferRules === undefined ? null : versionOf(transferRules),
        bounds: boundsOfFields(),
      });
    },
  }),
];
