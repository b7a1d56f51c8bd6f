// The open exposure by currency.
import { z } from 'zod';
import { formatMoney } from '../../../domain/money/currencies.ts';
import type { PositionCount } from '../../../operations/positions/ports.ts';
import { answer, type Route, route } from '../../http/route.ts';
import { instant, instantOf } from '../dto.ts';

const positionsDto = z
  .object({
    countedAt: instant.nullable().describe('Until when; null: nothing was counted yet.'),
    items: z
      .array(
        z.object({
          currency: z.string().describe('ISO 4217.'),
          minor: z
            .string()
            .regex(/^-?\d{1,40}$/)
            .describe('Minor units: above zero is held, below zero is owed.'),
          text: z.string().describe('For people.'),
        }),
      )
      .describe('By currency. Of different currencies nothing is summed.'),
    records: z.int().describe('Positions that were opened or taken back, counted.'),
    leftOut: z.int().describe('Records that nothing proves, or that cannot be read.'),
    complete: z.boolean().describe('False: the log had forgotten some before they were counted.'),
  })
  .meta({ id: 'OpenPositions' });

function positionsOf(count: PositionCount | undefined): z.output<typeof positionsDto> {
  if (count === undefined) return { countedAt: null, items: [], records: 0, leftOut: 0, complete: false };
  const { open, records, unproven, isWhole, countedAt } = count;
  const items = [...open].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    countedAt: instantOf(new Date(countedAt)),
    items: items.map(([currency, minor]) => ({
      ...{ currency, minor: minor.toString() },
      text: formatMoney({ minor, currency }),
    })),
    ...{ records, leftOut: unproven, complete: isWhole },
  };
}

const show = route({
  name: 'showPositions',
  method: 'GET',
  url: '/v1/fx/positions',
  action: 'positions.read',
  tag: 'Operations',
  summary: 'The open exposure by currency',
  description:
    "What prices have opened, less what was taken back, as the process that prices counted it last: every 30 s. Hedges are not Corridor's, so they are not in it.",
  answers: { 200: positionsDto },
  refusals: ['MONGO_UNAVAILABLE'],
  handle: async ({ parts }) => answer(200, positionsOf(await parts.positions.find())),
});

export const positionRoutes: readonly Route[] = [show];
