// Replays of dead letters: what each would do, who let it through, how far it is, what became of its letters.
import { z } from 'zod';
import { currentRate } from '../../../operations/dead-letters/replays/control.ts';
import { findReplay } from '../../../operations/dead-letters/replays/prepare.ts';
import { PREDICTIONS, REPLAY_STATES, type ReplayDocument } from '../../../operations/dead-letters/replays/replay.ts';
import { etagOf, namesEtag } from '../../http/precondition.ts';
import { answer, type Route, route } from '../../http/route.ts';
import { instant, instantOf, moneyOf } from '../dto.ts';
import { moneyOfLetters } from './dead-letters.ts';

const MAX_REPLAYS = 100;

const replayDto = z
  .object({
    replayId: z.string(),
    state: z.enum(REPLAY_STATES),
    owner: z.string().describe('Whose letters; they go to `<owner>.replay`.'),
    askedBy: z.string(),
    createdAt: instant,
    reason: z.string(),
    letters: z.int(),
    money: z.array(moneyOfLetters),
    lettersWithoutAmount: z.int(),
    oldestAt: instant.nullable(),
    ratePerSecond: z.int(),
    canary: z.int().describe('So many are sent first, and have to end well.'),
    maxFailureRatio: z.number(),
    expected: z
      .array(z.object({ kind: z.enum(PREDICTIONS), code: z.string().nullable(), letters: z.int() }))
      .nullable()
      .describe('By a dry run; null: it was not tried.'),
    startedAt: instant.nullable(),
    halted: z
      .object({ code: z.string(), detail: z.string(), by: z.string(), at: instant })
      .nullable()
      .describe('Why it was stopped, paused or cancelled.'),
    endedAt: instant.nullable(),
  })
  .meta({ id: 'Replay' });

const replayWithCountsDto = z
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

function replayOf(replay: ReplayDocument): z.output<typeof replayDto> {
  const { _id: replayId, state, owner, askedBy, reason, letters, money, terms, dryRun, halted } = replay;
  const at = (date: Date | null) => (date === null ? null : instantOf(date));
  return {
    ...{ replayId, state, owner, askedBy, createdAt: instantOf(replay.createdAt), reason, letters },
    money: money.map(({ minor, currency, letters: some }) => ({ amount: moneyOf(minor, currency), letters: some })),
    ...{ lettersWithoutAmount: replay.withoutAmount, oldestAt: at(replay.oldestAt) },
    ...{ ratePerSecond: currentRate(replay), canary: terms.canary, maxFailureRatio: terms.maxFailureRatio },
    expected: dryRun?.histogram.map(({ kind, code, letters: some }) => ({ kind, code, letters: some })) ?? null,
    startedAt: at(replay.startedAt),
    halted: halted && { code: halted.code, detail: halted.detail, by: halted.by, at: instantOf(halted.at) },
    endedAt: at(replay.endedAt),
  };
}

const listReplays = route({
  name: 'listReplays',
  method: 'GET',
  url: '/v1/replays',
  action: 'replays.read',
  tag: 'Dead letters',
  summary: 'The latest hundred replays, the latest first',
  query: z.strictObject({ state: z.enum(REPLAY_STATES).optional() }),
  answers: { 200: z.object({ items: z.array(replayDto) }).meta({ id: 'Replays' }) },
  refusals: ['MONGO_UNAVAILABLE'],
  async handle({ parts, query: { state } }) {
    const found = await parts.replays.list(state === undefined ? REPLAY_STATES : [state], MAX_REPLAYS);
    return answer(200, { items: found.map(replayOf) });
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
  headers: { 'if-none-match': { description: 'ETag of what is known already.' } },
  answers: { 200: replayWithCountsDto, 304: z.undefined().describe('It is as it was.') },
  refusals: ['REPLAY_UNKNOWN', 'MONGO_UNAVAILABLE'],
  async handle({ parts, path: { replayId }, header }) {
    const replay = await findReplay(parts.replays, replayId);
    const counts = (await parts.replays.counts(replayId)).map((count) => ({ ...count }));
    const version = `${replay.version} ${counts.map(({ state, outcome, letters }) => `${state}${outcome}${letters}`)}`;
    const headers = { etag: etagOf(version) };
    if (namesEtag(header('if-none-match'), headers.etag)) return answer(304, undefined, headers);
    return answer(200, { replay: replayOf(replay), counts }, headers);
  },
});

export const replayRoutes: readonly Route[] = [listReplays, getReplay];
