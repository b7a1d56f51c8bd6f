// Dead letters: what broke, since when, and how much money stands still. Ids, codes and amounts: no personal data.
import { z } from 'zod';
import { type LetterGroup, letterGroups } from '../../../operations/dead-letters/groups.ts';
import { findLetter, listLetters } from '../../../operations/dead-letters/letters.ts';
import { type DeadLetterDocument, LETTER_STATES } from '../../../sinks/dead-letters/letter.ts';
import { cursorOf, cursorParameter, limitParameter, pageOf, positionIn } from '../../http/cursor.ts';
import { answer, type Route, route } from '../../http/route.ts';
import { instant, instantOf, moneyDto, moneyOf } from '../dto.ts';
import { moneyOfLetters } from '../replay-dto.ts';

const MAX_PAGE_ITEMS = 200;
const PAGE_ITEMS = 50;
const MAX_ID_CHARACTERS = 200;

export const groupDto = z
  .object({
    groupId: z.string(),
    owner: z.string().describe('Processor or sink that put them aside.'),
    code: z.string(),
    class: z.string(),
    cause: z.string().describe('What they have in common; # stands for each value.'),
    isProven: z.boolean().describe('All bear the seal of who put them aside.'),
    letters: z.int(),
    newLetters: z.int().describe('Put aside since `newSince`, to the minute.'),
    lettersPerHour: z
      .number()
      .describe('Those that are still open by the hour, to a tenth: of the time from `newSince` to `countedAt`.'),
    money: z.array(moneyOfLetters),
    lettersWithoutAmount: z.int(),
    corridors: z.array(z.string()),
    firstFailedAt: instant,
    lastFailedAt: instant,
    oldestAt: instant,
    isCurrent: z.boolean().describe('False: letters have come or changed since it was counted.'),
    countedAt: instant,
    note: z.string().nullable(),
    assignee: z.string().nullable(),
    incident: z.string().nullable(),
  })
  .meta({ id: 'LetterGroup' });

export const groupsDto = z
  .object({
    items: z.array(groupDto),
    complete: z.boolean().describe('False: a count is behind, or a group is missing.'),
    reason: z.string().nullable().describe('Why it is not complete.'),
  })
  .meta({ id: 'LetterGroups' });

export const letterDto = z
  .object({
    letterId: z.string(),
    isProven: z.boolean(),
    owner: z.string(),
    groupId: z.string(),
    code: z.string(),
    class: z.string(),
    detail: z.string(),
    cause: z.string(),
    state: z.enum(LETTER_STATES),
    takenBy: z.string().nullable().describe('The replay that has it.'),
    transferId: z.string().nullable(),
    corridor: z.string().nullable(),
    instructed: moneyDto.nullable().describe('Null: the record does not decode, or nothing proves what it is.'),
    firstFailedAt: instant,
    failedAt: instant,
    tries: z.int(),
    replayCount: z.int(),
    replayId: z.string().nullable().describe('The replay that it came of.'),
    source: z
      .object({ topic: z.string(), partition: z.int(), offset: z.int() })
      .nullable()
      .describe('The record that failed.'),
  })
  .meta({ id: 'DeadLetter' });

export function groupOf(group: LetterGroup): z.output<typeof groupDto> {
  const { id: groupId, money, note, corridors, firstFailedAt, lastFailedAt, oldestAt, countedAt } = group;
  return {
    groupId,
    ...{ owner: group.owner, code: group.code, class: group.class, cause: group.cause, isProven: group.proven },
    ...{
      letters: group.letters,
      newLetters: group.recent,
      lettersPerHour: group.perHour,
      lettersWithoutAmount: group.withoutAmount,
    },
    money: money.map(({ minor, currency, letters }) => ({ amount: moneyOf(minor, currency), letters })),
    corridors: [...corridors],
    ...{ firstFailedAt: instantOf(firstFailedAt), lastFailedAt: instantOf(lastFailedAt) },
    ...{ oldestAt: instantOf(oldestAt), isCurrent: group.isCurrent, countedAt: instantOf(countedAt) },
    ...{ note: note?.note ?? null, assignee: note?.assignee ?? null, incident: note?.incident ?? null },
  };
}

function letterOf(letter: DeadLetterDocument): z.output<typeof letterDto> {
  const { _id: letterId, proven: isProven, group: groupId, amountMinor, currency, source } = letter;
  const { owner, code, detail, cause, state, takenBy, transferId, corridor, tries, replayCount, replayId } = letter;
  return {
    ...{ letterId, isProven, owner, groupId, code, class: letter.class, detail, cause, state, takenBy, transferId },
    corridor,
    instructed: amountMinor === null || currency === null ? null : moneyOf(BigInt(amountMinor), currency),
    ...{ firstFailedAt: instantOf(letter.firstFailedAt), failedAt: instantOf(letter.failedAt) },
    ...{ tries: Number(tries), replayCount: Number(replayCount), replayId },
    source: source && { topic: source.topic, partition: Number(source.partition), offset: Number(source.offset) },
  };
}

const listGroups = route({
  name: 'listLetterGroups',
  method: 'GET',
  url: '/v1/dead-letter-groups',
  action: 'letters.read',
  tag: 'Dead letters',
  summary: 'Dead letters by cause, with the money that stands still for them',
  query: z.strictObject({ newSince: instant.optional().describe('Counts as new; default: one hour ago.') }),
  answers: { 200: groupsDto },
  refusals: ['MONGO_UNAVAILABLE'],
  async handle({ parts, query: { newSince } }) {
    const query = { now: parts.clock(), ...(newSince === undefined ? {} : { newSince: new Date(newSince) }) };
    const { groups, complete, reason } = await letterGroups(parts.deadLetters, query);
    return answer(200, { items: groups.map(groupOf), complete, reason: reason ?? null });
  },
});

const listQuery = z.strictObject({
  group: z.string().max(MAX_ID_CHARACTERS).optional(),
  owner: z.string().max(MAX_ID_CHARACTERS).optional().describe('Put aside by this processor or sink.'),
  code: z.string().max(MAX_ID_CHARACTERS).optional(),
  corridor: z.string().max(40).optional(),
  transferId: z.string().max(MAX_ID_CHARACTERS).optional(),
  state: z.enum(LETTER_STATES).optional(),
  since: instant.optional().describe('Put aside since then.'),
  limit: limitParameter(MAX_PAGE_ITEMS, PAGE_ITEMS),
  cursor: cursorParameter,
});
const position = z.tuple([z.int(), z.string().max(MAX_ID_CHARACTERS)]);

export const letterPageDto = pageOf(letterDto).meta({ id: 'DeadLetterPage' });

const listAll = route({
  name: 'listDeadLetters',
  method: 'GET',
  url: '/v1/dead-letters',
  action: 'letters.read',
  tag: 'Dead letters',
  summary: 'Dead letters, the latest first',
  query: listQuery,
  answers: { 200: letterPageDto },
  refusals: ['CURSOR_INVALID', 'MONGO_UNAVAILABLE'],
  async handle({ parts, query: { limit, cursor, state, since, group, owner, code, corridor, transferId } }) {
    const after = cursor === undefined ? undefined : positionIn(position, cursor);
    const filter = {
      ...(group === undefined ? {} : { group }),
      ...(owner === undefined ? {} : { owner }),
      ...(code === undefined ? {} : { code }),
      ...(corridor === undefined ? {} : { corridor }),
      ...(transferId === undefined ? {} : { transferId }),
      ...(state === undefined ? {} : { states: [state] }),
      ...(since === undefined ? {} : { since: new Date(since) }),
    };
    const at = after && { failedAt: new Date(after[0]), id: after[1] };
    const { letters, next } = await listLetters(parts.deadLetters, filter, limit, at);
    const nextCursor = next ? cursorOf([next.failedAt.getTime(), next.id]) : null;
    return answer(200, { items: letters.map(letterOf), nextCursor });
  },
});

const getOne = route({
  name: 'getDeadLetter',
  method: 'GET',
  url: '/v1/dead-letters/:letterId',
  action: 'letters.read',
  tag: 'Dead letters',
  summary: 'All that the index knows of a dead letter',
  path: z.strictObject({ letterId: z.string().min(1).max(MAX_ID_CHARACTERS) }),
  answers: { 200: letterDto },
  refusals: ['LETTER_UNKNOWN', 'MONGO_UNAVAILABLE'],
  handle: async ({ parts, path: { letterId } }) => answer(200, letterOf(await findLetter(parts.deadLetters, letterId))),
});

export const deadLetterRoutes: readonly Route[] = [listGroups, listAll, getOne];
