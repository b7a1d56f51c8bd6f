// `corridor dlq …` over the API.
import { type Command, Option } from 'commander';
import type { z } from 'zod';
import type { ApiClient } from '../../adapters/http/api-client.ts';
import { groupsDto, letterDto, letterPageDto } from '../../api/v1/routes/dead-letters.ts';
import { noteDto } from '../../api/v1/routes/letter-notes.ts';
import { letterRecordDto } from '../../api/v1/routes/letter-record.ts';
import { LETTER_STATES } from '../../sinks/dead-letters/letter.ts';
import {
  type FilterOptions,
  filtered,
  GROUP_COLUMNS,
  groupsCommand,
  LETTER_COLUMNS,
  type NoteOptions,
  noteCommand,
  noteText,
  type ShowLetterOptions,
  showLetterCommand,
} from '../commands/dead-letter-options.ts';
import { count, print, printError, printRows, toJson, withJson } from '../output.ts';
import { queryOf } from './asking.ts';
import { letterQuery, registerLetterActs } from './letter-acts.ts';
import { registerRemoteReplays } from './replays.ts';
import { registerRemoteSkips } from './skips.ts';

export function registerRemoteLetters(program: Command, api: () => ApiClient): void {
  const dlq = program.command('dlq').description('dead letters: what broke, since when, how much money stands still');
  registerGroups(dlq, api);
  registerList(dlq, api);
  registerNote(dlq, api);
  registerRemoteReplays(dlq, api);
  registerRemoteSkips(dlq, api);
  registerLetterActs(dlq, api);
}

function registerGroups(dlq: Command, api: () => ApiClient): void {
  groupsCommand(dlq).action(async ({ newSince, json }: { newSince?: Date; json?: boolean }) => {
    const query = newSince ? `?newSince=${encodeURIComponent(newSince.toISOString())}` : '';
    const found = groupsDto.parse((await api().ask('GET', `/dead-letter-groups${query}`)).body);
    if (json) {
      print(toJson(found));
      return;
    }
    printRows(found.items.map(groupRow), GROUP_COLUMNS);
    if (!found.complete) printError(`Not complete: ${found.reason}.`);
  });
}

function groupRow(group: z.output<typeof groupsDto>['items'][number]) {
  const { groupId, owner, code, letters, newLetters, lettersPerHour, corridors, oldestAt, lastFailedAt, cause } = group;
  const money = group.money.map(({ amount }) => amount.text);
  if (group.lettersWithoutAmount > 0) money.push(`${group.lettersWithoutAmount} of unknown amount`);
  return {
    ...{
      group: groupId,
      owner,
      code,
      letters,
      new: newLetters,
      'per hour': lettersPerHour,
      money: money.join(', '),
      cause,
    },
    ...{ corridors: corridors.join(', ') || undefined, oldest: oldestAt, last: lastFailedAt, note: noteText(group) },
  };
}

function registerList(dlq: Command, api: () => ApiClient): void {
  filtered(withJson(dlq.command('list')))
    .addOption(new Option('--state <state>', 'in this state').choices([...LETTER_STATES]))
    .description('dead letters, the latest first')
    .option('--limit <n>', 'at most this many, up to 200', count, 50)
    .action(async (options: FilterOptions & { limit: number; json?: boolean }) => {
      const { limit, json, letter: _, ...filter } = options;
      const query = letterQuery(filter, limit);
      const { items, nextCursor } = letterPageDto.parse((await api().ask('GET', `/dead-letters?${query}`)).body);
      if (json) {
        print(toJson({ letters: items, complete: nextCursor === null }));
        return;
      }
      printRows(items.map(letterRow), LETTER_COLUMNS);
      if (nextCursor !== null) printError(`There are more than these ${items.length}: narrow the filter.`);
    });
  showLetterCommand(dlq).action(async (id: string, { record, unmask, ticket }: ShowLetterOptions) => {
    const path = `/dead-letters/${encodeURIComponent(id)}`;
    if (!record && unmask === undefined) {
      print(toJson(letterDto.parse((await api().ask('GET', path)).body)));
      return;
    }
    const answer = await api().ask('GET', `${path}/record${queryOf({ unmask, ticket })}`);
    print(toJson(letterRecordDto.parse(answer.body)));
  });
}

const letterRow = (letter: z.output<typeof letterDto>) => ({
  ...{ letter: letter.letterId, owner: letter.owner, code: letter.code, class: letter.class, state: letter.state },
  ...{ transfer: letter.transferId, corridor: letter.corridor, amount: letter.instructed?.text },
  ...{ failed: letter.failedAt, replays: letter.replayCount },
});

function registerNote(dlq: Command, api: () => ApiClient): void {
  noteCommand(dlq).action(async (group: string, { json, ...body }: NoteOptions) => {
    const path = `/dead-letter-groups/${encodeURIComponent(group)}/note`;
    const { etag } = await api().ask('GET', path);
    const written = noteDto.parse((await api().ask('PATCH', path, { body, etag })).body);
    printRows([written], ['groupId', 'note', 'assignee', 'incident', 'writtenBy', 'writtenAt'], json);
  });
}
