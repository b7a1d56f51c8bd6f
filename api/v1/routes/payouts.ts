// Payouts by phase over HTTP, with what they come to: unknown outcomes above all.
import { z } from 'zod';
import { sightOf } from '../../../operations/access/masking.ts';
import {
  listPayouts,
  MAX_PAYOUTS_OF_PAGE,
  PAYOUT_PHASES,
  type PayoutRow,
} from '../../../operations/queries/payouts.ts';
import { cursorParameter, limitParameter } from '../../http/cursor.ts';
import { answer, type Route, route } from '../../http/route.ts';
import { instant, instantOf, missingDto, missingOf, moneyDto, moneyOf, tallyDto, tallyOf } from '../dto.ts';
import { operatorsOf } from '../operators.ts';
import { unasked } from '../unmask.ts';

const PAGE_ITEMS = 50;

const payoutRowDto = z
  .object({
    payoutId: z.string().describe('That of the transfer.'),
    phase: z.enum(PAYOUT_PHASES),
    since: instant.describe('When it changed last.'),
    provider: z.string().nullable(),
    attempts: z.int(),
    instructed: moneyDto.nullable().describe('What the producer instructed.'),
    credit: moneyDto.nullable().describe('What the beneficiary gets.'),
    corridor: z.string().nullable(),
    names: z.object({ sender: z.string(), beneficiary: z.string() }).nullable().describe('Masked.'),
    openCases: z.array(z.string()).describe('Codes of its open cases.'),
    flaw: z.string().nullable().describe('Why nothing else in the row is believed.'),
  })
  .meta({ id: 'PayoutRow' });

export const payoutPageDto = z
  .object({
    items: z.array(payoutRowDto),
    nextCursor: z.string().nullable(),
    total: tallyDto.describe('Instructed amounts of all in the phase, on whichever page.'),
    isProven: z
      .boolean()
      .describe(
        'False: this process has not the keys under which payouts are sealed, and says what the database says.',
      ),
    complete: z.boolean(),
    missing: z.array(missingDto).describe('What the sums lack.'),
  })
  .meta({ id: 'PayoutPage' });

const rowOf = (row: PayoutRow): z.output<typeof payoutRowDto> => ({
  ...{ payoutId: row.payoutId, phase: row.phase, since: instantOf(row.since), provider: row.provider },
  ...{ attempts: row.attempts, corridor: row.corridor, names: row.names, flaw: row.flaw },
  openCases: [...row.openCases],
  instructed: row.instructed && moneyOf(row.instructed.minor, row.instructed.currency),
  credit: row.credit && moneyOf(row.credit.minor, row.credit.currency),
});

const list = route({
  name: 'listPayouts',
  method: 'GET',
  url: '/v1/payouts',
  action: 'payouts.read',
  tag: 'Operations',
  summary: 'Payouts of one phase, the longest unchanged first, with their sums',
  description: 'An unknown outcome is no case before there can be no proof: until then it is on this list alone.',
  query: z.strictObject({
    phase: z.enum(PAYOUT_PHASES).default('OUTCOME_UNKNOWN'),
    limit: limitParameter(MAX_PAYOUTS_OF_PAGE, PAGE_ITEMS),
    cursor: cursorParameter,
  }),
  answers: { 200: payoutPageDto },
  refusals: ['CURSOR_INVALID', 'MONGO_UNAVAILABLE', 'REGISTRY_UNAVAILABLE'],
  async handle({ parts, principal, query: { phase, limit, cursor } }) {
    const sight = unasked(sightOf(principal.roles));
    const { sources, isProven } = operatorsOf(parts).payouts;
    const { rows, next, total, complete, missing } = await listPayouts(sources, { phase, limit, after: cursor, sight });
    const sums = { total: tallyOf(total), complete, missing: missingOf(missing) };
    return answer(200, { items: rows.map(rowOf), nextCursor: next, isProven, ...sums });
  },
});

export const payoutRoutes: readonly Route[] = [list];
