// `corridor dlq check|discard|edit|export` over the API.
import { randomUUID } from 'node:crypto';
import { type Command, Option } from 'commander';
import type { ApiClient } from '../../adapters/http/api-client.ts';
import { replayDto } from '../../api/v1/replay-dto.ts';
import { letterDto, letterPageDto } from '../../api/v1/routes/dead-letters.ts';
import { letterCheckDto } from '../../api/v1/routes/letter-checks.ts';
import { DISCARD_REASONS } from '../../domain/reasons.ts';
import { CodedError } from '../../ports/fault.ts';
import { pause } from '../../ports/pause.ts';
import { LETTER_STATES } from '../../sinks/dead-letters/letter.ts';
import { type FilterOptions, filtered } from '../commands/dead-letter-options.ts';
import { EDIT_HELP, readPatch } from '../commands/letter-edits.ts';
import { count, print, printRows, toJsonLine, withJson } from '../output.ts';
import { csvCells } from '../tables.ts';
import { type AskOptions, askAbout, selectionOf } from './replays.ts';

export function registerLetterActs(dlq: Command, api: () => ApiClient): void {
  registerDiscard(dlq, api);
  registerEdit(dlq, api);
  registerExport(dlq, api);
  registerCheck(dlq, api);
}

function registerDiscard(dlq: Command, api: () => ApiClient): void {
  filtered(withJson(dlq.command('discard')))
    .description('select parked letters, freeze them, have it tried, and ask a second person to end them for good')
    .requiredOption('--reason <text>', 'why; kept here, and told to nobody else')
    .addOption(
      new Option('--reason-code <code>', 'reason code of the rejection, for producers')
        .choices(DISCARD_REASONS)
        .default('DISC'),
    )
    .option('--rate <n>', 'letters a second', count)
    .option('--canary <n>', 'how many to send first; they have to end as rejected', count)
    .option('--letters <n>', 'for programs: how many letters it must have; nothing is typed then', count)
    .addHelpText(
      'after',
      '\nExample:\n  corridor dlq discard --letter 0b0c… --reason "account was closed" --reason-code AC04',
    )
    .action(async ({ reasonCode, ...options }: AskOptions & { reasonCode: string }) => {
      const { reason, rate, canary } = options;
      const body = { select: selectionOf(options), reason, reasonCode, ratePerSecond: rate, canary };
      const made = await api().ask('POST', '/dead-letters/discards', { body, key: randomUUID() });
      await askAbout(api(), replayDto.parse(made.body).replayId, options, 'discard');
    });
}

interface EditOptions {
  readonly patch: string;
  readonly reason: string;
  readonly letters?: number;
  readonly json?: boolean;
}

function registerEdit(dlq: Command, api: () => ApiClient): void {
  withJson(dlq.command('edit'))
    .argument('<letter>', 'id of the dead letter')
    .description('freeze one letter with what is changed of it, have it tried, and ask a second person')
    .requiredOption('--patch <file>', 'JSON Patch on the decoded record')
    .requiredOption('--reason <text>', 'why; kept with the replay')
    .option('--letters <n>', 'for programs: 1; nothing is typed then', count)
    .addHelpText('after', EDIT_HELP)
    .action(async (letterId: string, { patch: file, ...options }: EditOptions) => {
      const patch = readPatch(file);
      const body = { select: { letterIds: [letterId] }, reason: options.reason };
      const made = await api().ask('POST', '/replays', { body, key: randomUUID() });
      const { replayId } = replayDto.parse(made.body);
      await askAbout(api(), replayId, options, 'ask', async (etag) => {
        const path = `/replays/${encodeURIComponent(replayId)}/letters/${encodeURIComponent(letterId)}/edit`;
        await api().ask('PUT', path, { body: { patch }, etag });
      });
    });
}

const PAGE = 200;
const EXPORTED = [
  ...['letterId', 'owner', 'code', 'class', 'state', 'groupId', 'transferId', 'corridor', 'instructed'],
  ...['firstFailedAt', 'failedAt', 'tries', 'replayCount', 'replayId', 'cause', 'detail'],
] as const;

function registerExport(dlq: Command, api: () => ApiClient): void {
  filtered(dlq.command('export'))
    .addOption(new Option('--state <state>', 'in this state').choices([...LETTER_STATES]))
    .description('dead letters as a file, to standard output')
    .addOption(new Option('--format <format>', 'NDJSON or CSV').choices(['ndjson', 'csv']).default('ndjson'))
    .addHelpText('after', '\nExample:\n  corridor dlq export --group 3f0c9a1b7d2e4c58 --format csv > letters.csv')
    .action(async ({ format, ...filter }: FilterOptions & { format: 'ndjson' | 'csv' }) => {
      if (format === 'csv') print(EXPORTED.join(','));
      for await (const letter of lettersOf(api(), filter)) {
        const { instructed } = letter;
        const row: Readonly<Record<string, unknown>> = { ...letter, instructed: instructed?.text ?? null };
        print(format === 'csv' ? csvCells(EXPORTED.map((column) => row[column])) : toJsonLine(letter));
      }
    });
}

const CHECK_POLL_MS = 1_000;

function registerCheck(dlq: Command, api: () => ApiClient): void {
  filtered(withJson(dlq.command('check')))
    .description(
      'have the build that would send them try every parked letter: what goes through, what fails, what fails anew',
    )
    .addHelpText(
      'after',
      `
Nothing is written. The process of replays does it, on its build; with --direct it is the build at hand, before it is rolled
out. Exit code 1: some fail anew.

Example:
  corridor dlq check --owner limits`,
    )
    .action(async ({ json, ...filter }: Omit<FilterOptions, 'state'> & { json?: boolean }) => {
      const select = selectionOf(filter);
      const body = Object.values(select).some((each) => each !== undefined) ? { select } : {};
      const made = await api().ask('POST', '/dead-letters/checks', { body, key: randomUUID() });
      let check = letterCheckDto.parse(made.body);
      while (check.state === 'WANTED') {
        await pause(CHECK_POLL_MS);
        check = letterCheckDto.parse((await api().ask('GET', `/dead-letters/checks/${check.checkId}`)).body);
      }
      if (check.state === 'FAILED') throw new CodedError('CHECK_FAILED', check.detail ?? 'it says no more');
      const rows = check.rows.map(({ groupId: group, ...row }) => ({ group, ...row }));
      printRows(rows, ['owner', 'group', 'was', 'verdict', 'kind', 'code', 'letters'], json);
      if (rows.some(({ verdict }) => verdict === 'fails anew')) process.exitCode = 1;
    });
}

/** Page by page, in bounded memory. */
async function* lettersOf(api: ApiClient, { letter, ...filter }: FilterOptions) {
  if (letter) {
    for (const id of letter)
      yield letterDto.parse((await api.ask('GET', `/dead-letters/${encodeURIComponent(id)}`)).body);
    return;
  }
  let cursor: string | null = null;
  do {
    const query: URLSearchParams = letterQuery(filter, PAGE, cursor);
    const page = letterPageDto.parse((await api.ask('GET', `/dead-letters?${query}`)).body);
    yield* page.items;
    cursor = page.nextCursor;
  } while (cursor !== null);
}

/** The query of a page of letters. */
export function letterQuery(
  { group, owner, code, corridor, transfer, since, state }: Omit<FilterOptions, 'letter'>,
  limit: number,
  cursor: string | null = null,
): URLSearchParams {
  const asked = { group, owner, code, corridor, transferId: transfer, since: since?.toISOString(), state, cursor };
  const query = new URLSearchParams({ limit: String(limit) });
  for (const [name, value] of Object.entries(asked)) {
    if (value !== undefined && value !== null) query.set(name, value);
  }
  return query;
}
