// `corridor dlq groups|list|show|note|export` (replays.ts has the rest): what was put aside, why, and how much money stands still for it.
import { userInfo } from 'node:os';
import { type Command, Option } from 'commander';
import { deadLetters } from '../../adapters/mongo/dead-letters.ts';
import { annotateGroup, type LetterGroup, letterGroups } from '../../operations/dead-letters/groups.ts';
import { allLetters, findLetter, listLetters } from '../../operations/dead-letters/letters.ts';
import type { DeadLetters } from '../../operations/dead-letters/ports.ts';
import { recordOfLetter } from '../../operations/dead-letters/record-of-letter.ts';
import { replayLog } from '../../operations/dead-letters/replays/log.ts';
import type { DeadLetterDocument } from '../../sinks/dead-letters/letter.ts';
import { withConnections } from '../connections.ts';
import { count, print, printError, printRows, toJson, toJsonLine, withJson } from '../output.ts';
import { csvCells } from '../tables.ts';
import {
  amountText,
  type FilterOptions,
  filteredByState,
  filterFrom,
  GROUP_COLUMNS,
  groupsCommand,
  LETTER_COLUMNS,
  type NoteOptions,
  noteCommand,
  noteText,
  type ShowLetterOptions,
  showLetterCommand,
} from './dead-letter-options.ts';
import { registerCheck, registerReplays } from './replays.ts';
import { registerSkips } from './skips.ts';

const withLetters = (use: (store: DeadLetters) => Promise<void>) =>
  withConnections(async (connections) => use(deadLetters(await connections.db())));

export function registerDeadLetters(program: Command): void {
  const dlq = program.command('dlq').description('dead letters: what broke, since when, how much money stands still');
  registerGroups(dlq);
  registerList(dlq);
  registerNote(dlq);
  registerExport(dlq);
  registerReplays(dlq);
  registerCheck(dlq);
  registerSkips(dlq);
}

function registerGroups(dlq: Command): void {
  groupsCommand(dlq)
    .addHelpText('after', '\nExamples:\n  corridor dlq groups\n  corridor dlq groups --new-since 2026-11-30T02:00:00Z')
    .action(({ newSince, json }: { newSince?: Date; json?: boolean }) =>
      withLetters(async (store) => {
        const found = await letterGroups(store, { now: Date.now(), ...(newSince && { newSince }) });
        if (json) {
          print(toJson(found));
          return;
        }
        printRows(found.groups.map(groupRow), GROUP_COLUMNS);
        if (!found.complete) printError(`Not complete: ${found.reason}. The sink of dead letters counts them soon.`);
      }),
    );
}

function groupRow(group: LetterGroup) {
  const { id, owner, code, letters, recent, perHour, corridors, oldestAt, lastFailedAt, cause, note, withoutAmount } =
    group;
  const money = group.money.map(({ currency, minor }) => amountText(minor, currency));
  if (withoutAmount > 0) money.push(`${withoutAmount} of unknown amount`);
  return {
    group: id,
    owner,
    code,
    letters,
    new: recent,
    'per hour': perHour,
    money: money.join(', '),
    corridors: corridors.join(', ') || undefined,
    oldest: oldestAt,
    last: lastFailedAt,
    cause,
    note: noteText(note ?? {}),
  };
}

function registerList(dlq: Command): void {
  filteredByState(withJson(dlq.command('list')))
    .description('dead letters, the latest first')
    .option('--limit <n>', 'at most this many, up to 500', count, 50)
    .addHelpText(
      'after',
      '\nExamples:\n  corridor dlq list --group 3f0c9a1b7d2e4c58\n  corridor dlq list --transfer T-0042',
    )
    .action(({ limit, json, ...filter }: FilterOptions & { limit: number; json?: boolean }) =>
      withLetters(async (store) => {
        const { letters, next } = await listLetters(store, filterFrom(filter), limit);
        if (json) {
          print(toJson({ letters, complete: next === undefined }));
          return;
        }
        printRows(letters.map(letterRow), LETTER_COLUMNS);
        if (next)
          printError(`There are more than these ${letters.length}: narrow the filter, or use corridor dlq export.`);
      }),
    );

  showLetterCommand(dlq).action((id: string, { record, unmask }: ShowLetterOptions) =>
    withConnections(async (connections) => {
      const letter = await findLetter(deadLetters(await connections.db()), id);
      if (!record && unmask === undefined) {
        print(toJson(letter));
        return;
      }
      const { config, codec } = connections;
      const log = replayLog(connections.log, config.appName, config.keys);
      try {
        const sight = unmask === undefined ? 'masked' : 'full';
        print(toJson({ letterId: id, ...(await recordOfLetter({ log, codec }, letter, sight)) }));
      } finally {
        await log.close();
      }
    }),
  );
}

function letterRow({
  _id,
  owner,
  code,
  state,
  transferId,
  corridor,
  failedAt,
  replayCount,
  ...rest
}: DeadLetterDocument) {
  const { amountMinor, currency } = rest;
  return {
    letter: _id,
    owner,
    code,
    class: rest.class,
    state,
    transfer: transferId,
    corridor,
    amount: amountMinor === null || currency === null ? undefined : amountText(amountMinor, currency),
    failed: failedAt,
    replays: replayCount,
  };
}

function registerNote(dlq: Command): void {
  noteCommand(dlq)
    .option('--by <operator>', 'who writes', userInfo().username)
    .addHelpText('after', '\nExample:\n  corridor dlq note 3f0c9a1b7d2e4c58 --assignee asha --incident INC-4711')
    .action((group: string, { json, ...annotation }: NoteOptions & { readonly by: string }) =>
      withLetters(async (store) => {
        const written = await annotateGroup(store, { group, at: new Date(), ...annotation });
        printRows([written], ['group', 'note', 'assignee', 'incident', 'by', 'at'], json);
      }),
    );
}

function registerExport(dlq: Command): void {
  filteredByState(dlq.command('export'))
    .description('dead letters as a file, to standard output')
    .addOption(new Option('--format <format>', 'NDJSON or CSV').choices(['ndjson', 'csv']).default('ndjson'))
    .addHelpText('after', '\nExample:\n  corridor dlq export --group 3f0c9a1b7d2e4c58 --format csv > letters.csv')
    .action(({ format, ...filter }: FilterOptions & { format: 'ndjson' | 'csv' }) =>
      withLetters(async (store) => {
        const line = format === 'csv' ? csvLine : toJsonLine;
        if (format === 'csv') print(EXPORTED.join(','));
        for await (const letter of allLetters(store, filterFrom(filter))) print(line(letter));
      }),
    );
}

const EXPORTED = [
  ...['_id', 'owner', 'code', 'class', 'state', 'group', 'transferId', 'corridor', 'amountMinor', 'currency'],
  ...['firstFailedAt', 'failedAt', 'tries', 'replayCount', 'replayId', 'cause', 'detail'],
] as readonly (keyof DeadLetterDocument)[];

const csvLine = (letter: DeadLetterDocument): string => csvCells(EXPORTED.map((column) => letter[column]));
