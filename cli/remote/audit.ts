// `corridor audit list|show|checkpoint` over the API. Proving all of it reads the log: with --direct.
import { type Command, Option } from 'commander';
import type { z } from 'zod';
import type { ApiClient } from '../../adapters/http/api-client.ts';
import { auditPageDto, checkpointDto, placedDto } from '../../api/v1/routes/audit.ts';
import { OUTCOMES } from '../../operations/audit/entry.ts';
import { target } from '../commands/audit.ts';
import { instant } from '../commands/dead-letter-options.ts';
import { count, print, printError, printRows, toJson, withJson } from '../output.ts';
import { onlyDirect, queryOf } from './asking.ts';

interface ListOptions {
  readonly subject?: string;
  readonly action?: string;
  readonly on?: { readonly objectKind: string; readonly objectId?: string };
  readonly outcome?: string;
  readonly request?: string;
  readonly act?: string;
  readonly since?: Date;
  readonly until?: Date;
  readonly limit: number;
  readonly after?: string;
  readonly json?: boolean;
}

export function registerRemoteAudit(program: Command, api: () => ApiClient): void {
  const audit = program.command('audit').description('what was allowed, denied, shown and done');
  withJson(audit.command('list'))
    .description('entries, the latest first')
    .option('--subject <name>', 'who')
    .option('--action <action>', 'what, such as replays.approve')
    .option('--on <kind[/id]>', 'to what, such as transfers/T-1', target)
    .addOption(
      new Option('--outcome <outcome>', 'with what outcome').choices(OUTCOMES.map((each) => each.toLowerCase())),
    )
    .option('--request <id>', 'of one request')
    .option('--act <entry>', 'one act with its items and its end, by the id of its first entry')
    .option('--since <time>', 'ISO 8601', instant)
    .option('--until <time>', 'ISO 8601', instant)
    .option('--limit <n>', 'entries of a page, 500 at the most', count, 50)
    .option('--after <cursor>', 'the page after the one that named this cursor')
    .action(async ({ on, outcome, request: requestId, since, until, after: cursor, json, ...rest }: ListOptions) => {
      const times = { since: since?.toISOString(), until: until?.toISOString() };
      const asked = { ...rest, ...on, outcome: outcome?.toUpperCase(), requestId, ...times, cursor };
      const page = auditPageDto.parse((await api().ask('GET', `/audit/entries${queryOf(asked)}`)).body);
      if (json) {
        print(toJson(page));
        return;
      }
      printRows(page.items.map(rowOf), [
        ...(['place', 'at', 'who', 'by', 'action', 'on', 'outcome', 'code', 'times', 'entry'] as const),
      ]);
      if (page.nextCursor !== null) printError(`There are more: --after ${page.nextCursor}`);
      if (!page.complete) printError(`Not complete: ${page.reason}.`);
    });
  withJson(audit.command('show'))
    .argument('<entry>', 'its place or its id')
    .description('one entry, as the index has it')
    .action(async (which: string, { json }: { json?: boolean }) => {
      const found = placedDto.parse((await api().ask('GET', `/audit/entries/${encodeURIComponent(which)}`)).body);
      const { entry, ...place } = found;
      if (json) print(toJson(found));
      else
        for (const [name, value] of Object.entries({ ...place, ...entry }))
          print(`${name.padEnd(11)} ${String(value ?? '-')}`);
    });
  audit
    .command('checkpoint')
    .description('the newest checkpoint as it is signed; keep it where nobody of this installation can write')
    .action(async () => {
      process.stdout.write(checkpointDto.parse((await api().ask('GET', '/audit/checkpoint')).body).note);
    });
  onlyDirect(audit, ['verify', 'export', 'key']);
}

const rowOf = ({ index, entry }: z.output<typeof placedDto>) => ({
  ...{ place: index, at: entry.at, who: entry.subject ?? 'nobody known', by: entry.credential.toLowerCase() },
  on: entry.objectId === null ? entry.objectKind : `${entry.objectKind}/${entry.objectId}`,
  ...{ action: entry.action, outcome: entry.outcome.toLowerCase(), code: entry.reasonCode },
  ...{ times: entry.count, entry: entry.entryId },
});
