// Replays of dead letters: what each would do, who let it through, how far it is, what became of its letters.
import { z } from 'zod';
import { findReplay } from '../../../operations/dead-letters/replays/prepare.ts';
import { REPLAY_STATES } from '../../../operations/dead-letters/replays/replay.ts';
import { namesEtag } from '../../http/precondition.ts';
import { answer, type Route, route } from '../../http/route.ts';
import { ifNoneMatch } from '../operators.ts';
import { replayDto, replayEtag, replayOf } from '../replay-dto.ts';

const MAX_REPLAYS = 100;

export const replayWithCountsDto = z
  .object({
    replay: replayDto,
    counts: z
      .array(
        z.object({
          state: z.string(),
          outcome: z.string().nullable().describe('Null: its transfer is in flight, or it was not sent.'),
          reason: z.string().nullable().describe('Why it was skipped.'),
          letters: z.int(),
        }),
      )
      .describe('Its letters by what became of them.'),
  })
  .meta({ id: 'ReplayWithCounts' });

export const replaysDto = z
  .object({
    items: z.array(replayDto),
    complete: z.boolean().describe('False: there are more, which were made earlier. Name a state.'),
  })
  .meta({ id: 'Replays' });

const listReplays = route({
  name: 'listReplays',
  method: 'GET',
  url: '/v1/replays',
  action: 'replays.read',
  tag: 'Dead letters',
  summary: 'The latest hundred replays, the latest first',
  query: z.strictObject({ state: z.enum(REPLAY_STATES).optional() }),
  answers: { 200: replaysDto },
  refusals: ['MONGO_UNAVAILABLE'],
  async handle({ parts, query: { state } }) {
    const found = await parts.replays.list(state === undefined ? REPLAY_STATES : [state], MAX_REPLAYS + 1);
    return answer(200, { items: found.slice(0, MAX_REPLAYS).map(replayOf), complete: found.length <= MAX_REPLAYS });
  },
});

const getReplay = route({
  name: 'getReplay',
  method: 'GET',
  url: '/v1/replays/:replayId',
  action: 'replays.read',
  tag: 'Dead letters',
  summary: 'A replay, and what became of its letters',
  path: z.strictObject({ replayId: z.string().min(1).max(100) }),
  headers: ifNoneMatch,
  answers: { 200: replayWithCountsDto, 304: z.undefined().describe('It is as it was.') },
  refusals: ['REPLAY_UNKNOWN', 'MONGO_UNAVAILABLE'],
  async handle({ parts, path: { replayId }, header }) {
    const replay = await findReplay(parts.replays, replayId);
    const counts = (await parts.replays.counts(replayId)).map((count) => ({ ...count }));
    const headers = { etag: replayEtag(replay, counts) };
    if (namesEtag(header('if-none-match'), headers.etag)) return answer(304, undefined, headers);
    return answer(200, { replay: replayOf(replay), counts }, headers);
  },
});

export const replayRoutes: readonly Route[] = [listReplays, getReplay];
