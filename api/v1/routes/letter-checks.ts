// What the build that would send letters makes of all that are parked: asked for here, done by the process of replays.
import { z } from 'zod';
import {
  askForCheck,
  CHECK_STATES,
  findCheck,
  type LetterCheck,
} from '../../../operations/dead-letters/checks/checks.ts';
import { VERDICTS } from '../../../operations/dead-letters/replays/check-build.ts';
import { PREDICTIONS } from '../../../operations/dead-letters/replays/replay.ts';
import { checkSameRequest, idFromKey, keyField, requestHash } from '../../http/idempotency.ts';
import { answer, type Route, route } from '../../http/route.ts';
import { instant, instantOf } from '../dto.ts';
import { operatorsOf } from '../operators.ts';
import { filterOf, selection } from './replay-acts.ts';

export const letterCheckDto = z
  .object({
    checkId: z.string(),
    state: z.enum(CHECK_STATES),
    askedBy: z.string(),
    askedAt: instant,
    endedAt: instant.nullable(),
    basis: z.record(z.string(), z.string()).nullable().describe('Build, lists and rules that it was done with.'),
    rows: z
      .array(
        z.object({
          owner: z.string(),
          groupId: z.string(),
          was: z.string().describe('Code of the dead letters.'),
          verdict: z.enum(VERDICTS),
          kind: z.enum(PREDICTIONS),
          code: z.string().nullable(),
          letters: z.int(),
        }),
      )
      .describe('One for each group and prediction.'),
    detail: z.string().nullable().describe('Why it failed.'),
  })
  .meta({ id: 'LetterCheck' });

function checkOf({
  _id,
  state,
  askedBy,
  askedAt,
  endedAt,
  basis,
  rows,
  detail,
}: LetterCheck): z.output<typeof letterCheckDto> {
  return {
    ...{ checkId: _id, state, askedBy, askedAt: instantOf(askedAt), endedAt: endedAt && instantOf(endedAt), detail },
    basis: basis && { ...basis },
    rows: rows.map(({ group: groupId, ...row }) => ({ groupId, ...row })),
  };
}

const ask = route({
  name: 'checkLetters',
  method: 'POST',
  url: '/v1/dead-letters/checks',
  action: 'replays.run',
  tag: 'Dead letters',
  summary: 'Have parked letters tried by the build that would send them',
  description:
    'Nothing is taken, and nothing is sent. The process that would send them does it, on its build: before a roll-out run one of the new build beside (`corridor run --replays`), or `corridor dlq check --direct`.',
  headers: { 'idempotency-key': keyField },
  body: z.strictObject({ select: selection.optional() }).meta({ id: 'LetterCheckSelection' }),
  answers: { 201: letterCheckDto },
  refusals: ['IDEMPOTENCY_KEY_INVALID', 'IDEMPOTENCY_KEY_REUSED', 'MONGO_UNAVAILABLE'],
  async handle({ parts, principal, body, header }) {
    const id = idFromKey('check', principal.subject, header('idempotency-key'));
    const request = requestHash(body);
    const filter = body.select ? filterOf(body.select) : {};
    const asked = { id, filter, request, by: principal.subject, at: new Date(parts.clock()) };
    const check = await askForCheck(operatorsOf(parts).checks, asked);
    checkSameRequest(check.request, request);
    return answer(201, checkOf(check), { location: `/v1/dead-letters/checks/${id}` });
  },
});

const get = route({
  name: 'getLetterCheck',
  method: 'GET',
  url: '/v1/dead-letters/checks/:checkId',
  action: 'replays.run',
  tag: 'Dead letters',
  summary: 'What came of a check of letters',
  path: z.strictObject({ checkId: z.string().min(1).max(100) }),
  answers: { 200: letterCheckDto },
  refusals: ['CHECK_UNKNOWN', 'MONGO_UNAVAILABLE'],
  handle: async ({ parts, path: { checkId } }) =>
    answer(200, checkOf(await findCheck(operatorsOf(parts).checks, checkId))),
});

export const letterCheckRoutes: readonly Route[] = [ask, get];
