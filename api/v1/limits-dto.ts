// How somebody stands with the limits, as it is told.
import { z } from 'zod';
import { LIMIT_ACTIONS, LIMIT_SUBJECTS, type LimitRule } from '../../domain/limits/limit-rules.ts';
import type { LimitStanding, RuleStanding } from '../../operations/limits/standing.ts';
import { shownOf } from '../../processors/limits/explain.ts';
import { countedBy } from '../../processors/limits/requests.ts';
import { instant, instantOf, missingDto, missingOf } from './dto.ts';

const quantityDto = z
  .object({
    minor: z
      .string()
      .regex(/^-?\d{1,20}$/)
      .describe('Minor units of the currency; without one, transfers or beneficiaries.'),
    currency: z.string().nullable().describe('ISO 4217.'),
    text: z.string().describe('For people.'),
  })
  .meta({ id: 'LimitQuantity' });

const windowDto = z
  .object({
    kind: z.enum(['transfer', 'rolling', 'calendar', 'lifetime']),
    unit: z.enum(['minute', 'hour', 'day', 'week', 'month', 'year']).nullable(),
    length: z.int().nullable().describe('Units of a rolling window.'),
    timeZone: z.string().nullable().describe('Of a calendar window.'),
    endsAt: instant.nullable().describe('Of a calendar window.'),
  })
  .meta({ id: 'LimitWindow' });

const ruleStandingDto = z
  .object({
    ruleId: z.string(),
    action: z
      .enum(LIMIT_ACTIONS)
      .describe(
        'Above the limit: declined, a person decides, documents are asked for, or nothing but a note (shadow).',
      ),
    metric: z.enum(['amount', 'count', 'beneficiaries']),
    amountOf: z.enum(['debit', 'principal', 'credit']).nullable(),
    window: windowDto,
    limit: quantityDto,
    used: quantityDto.describe('What the stage counts before a transfer that is yet to come.'),
    left: quantityDto,
    isFull: z.boolean().describe('Nothing is left.'),
    frees: z
      .object({ at: instant, left: quantityDto.describe('What is left from then on, if nothing is used meanwhile.') })
      .nullable()
      .describe('The first moment at which more is left; null: not by time alone, or it cannot be told.'),
    openReservations: z
      .int()
      .describe('Reservations in `used` of transfers that have not ended: they may be released.'),
    condition: z.string().nullable().describe('Which transfers it counts; null: each.'),
    where: z
      .object({
        corridors: z.array(z.string()).nullable(),
        sourceCurrencies: z.array(z.string()).nullable(),
        arrangements: z.array(z.string()).nullable(),
        kycTiers: z.array(z.string()).nullable(),
      })
      .describe('The same for programs; null: it does not matter.'),
    declaredUse: z.boolean().describe('What the sender declares to have used elsewhere counts beside `used`.'),
    freedByReturn: z.boolean(),
    authority: z.string(),
    link: z.string().nullable(),
    status: z.enum(['TO_CONFIRM_WITH_COUNSEL', 'CONFIRMED']),
    text: z.string().describe('A sentence that may be read out.'),
  })
  .meta({ id: 'RuleStanding' });

export const limitStandingDto = z
  .object({
    subject: z.object({
      kind: z.enum(LIMIT_SUBJECTS),
      id: z.string().describe('The token, id or name under which it is counted.'),
    }),
    at: instant,
    limitRules: z.string().describe('Name and version of the rules that count now, as events name them.'),
    items: z.array(ruleStandingDto).describe('Every rule in force on the subject, in the order of the rules.'),
    isSeen: z
      .boolean()
      .describe('False: nothing is counted under this id in any window that is open. A wrong id has nothing either.'),
    complete: z.boolean().describe('False: less is counted than was used.'),
    missing: z.array(missingDto),
  })
  .meta({ id: 'LimitStanding' });

export const transferLimitsDto = z
  .object({ transferId: z.string(), items: z.array(limitStandingDto) })
  .meta({ id: 'TransferLimits' });

export type LimitStandingDto = z.output<typeof limitStandingDto>;

export const limitStandingOf = (standing: LimitStanding): LimitStandingDto => ({
  subject: { kind: standing.subject.kind, id: standing.subject.token },
  ...{ at: instantOf(standing.at), limitRules: standing.limitRules, items: standing.rules.map(ruleOf) },
  ...{ isSeen: standing.isSeen, complete: standing.missing.length === 0, missing: missingOf(standing.missing) },
});

function ruleOf({
  rule,
  used,
  left,
  frees,
  open,
  endsAt,
  text,
  condition,
}: RuleStanding): LimitStandingDto['items'][number] {
  const { ruleId, action, metric, where, declaredUse, freedByReturn, authority, link, status } = rule;
  const quantity = (minor: bigint) => quantityOf(rule, minor);
  const listed = (values: readonly string[] | undefined) => (values === undefined ? null : [...values]);
  return {
    ...{ ruleId, action, metric: metric.kind, amountOf: metric.kind === 'amount' ? metric.of : null },
    window: windowOf(rule, endsAt),
    ...{ limit: quantity(rule.limitMinor), used: quantity(used), left: quantity(left), isFull: left === 0n },
    frees: frees && { at: instantOf(frees.at), left: quantity(frees.left) },
    openReservations: open,
    condition,
    where: {
      corridors: listed(where.corridors),
      sourceCurrencies: listed(where.sourceCurrencies),
      arrangements: listed(where.arrangements),
      kycTiers: listed(where.kycTiers),
    },
    ...{ declaredUse, freedByReturn, authority, link, status, text },
  };
}

const quantityOf = (rule: LimitRule, minor: bigint): z.output<typeof quantityDto> => ({
  minor: minor.toString(),
  currency: rule.metric.kind === 'amount' ? rule.metric.currency : null,
  text: shownOf(countedBy(rule), minor),
});

function windowOf({ window }: LimitRule, endsAt: number | null): z.output<typeof windowDto> {
  return {
    kind: window.kind,
    unit: 'unit' in window ? window.unit : null,
    length: window.kind === 'rolling' ? window.length : null,
    timeZone: window.kind === 'calendar' ? window.timeZone : null,
    endsAt: endsAt === null ? null : instantOf(endsAt),
  };
}
