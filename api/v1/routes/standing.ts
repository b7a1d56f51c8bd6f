// What stands still and why, and how the installation stands: what somebody on call asks first.
import { z } from 'zod';
import { statusOf } from '../../../operations/status/status.ts';
import { STUCK_KINDS, type StuckKind } from '../../../operations/stuck/board.ts';
import { answer, type Route, route } from '../../http/route.ts';
import { instant } from '../dto.ts';
import { operatorsOf } from '../operators.ts';
import { statusDto, statusOfInstallation, stuckDto, stuckOf } from '../standing-dto.ts';

const isKind = (text: string): text is StuckKind => (STUCK_KINDS as readonly string[]).includes(text);

const kinds = z
  .string()
  .max(200)
  .transform((text) => text.split(','))
  .pipe(z.array(z.custom<StuckKind>((each) => isKind(String(each)), 'is no kind')))
  .optional()
  .meta({ type: 'string', description: `Of these kinds, comma-separated: ${STUCK_KINDS.join(', ')}.` });

const stuck = route({
  name: 'getStuck',
  method: 'GET',
  url: '/v1/stuck',
  action: 'status.read',
  tag: 'Operations',
  summary: 'Transfers that do not go on: where, why, since when, how many, how much money',
  description: 'Money is what producers have instructed. Records that wait are read from the log, up to a bound.',
  query: z.strictObject({ kinds, since: instant.optional().describe('Stuck since then, or longer.') }),
  answers: { 200: stuckDto },
  refusals: ['TOO_BUSY'],
  async handle({ parts, query }) {
    const { board } = operatorsOf(parts);
    const since = query.since === undefined ? undefined : Date.parse(query.since);
    return answer(200, stuckOf(await board({ now: parts.clock(), kinds: query.kinds, since })));
  },
});

const status = route({
  name: 'getStatus',
  method: 'GET',
  url: '/v1/status',
  action: 'status.read',
  tag: 'Operations',
  summary: 'Processes, how far each consumer is behind, what is stuck, open cases',
  answers: { 200: statusDto },
  refusals: ['TOO_BUSY'],
  async handle({ parts }) {
    const { sources, processes, gate } = operatorsOf(parts).status;
    const now = parts.clock();
    return answer(200, statusOfInstallation(await gate(() => statusOf(sources(now), { processes, now }))));
  },
});

export const standingRoutes: readonly Route[] = [stuck, status];
