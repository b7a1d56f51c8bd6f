// `corridor audit list|show|checkpoint` over the API. Proving all of it reads the log: with --direct.
import type { Command } from 'commander';
import type { ApiClient } from '../../adapters/http/api-client.ts';
import { auditPageDto, checkpointDto, placedDto } from '../../api/v1/routes/audit.ts';
import { print, printError, printRows, toJson, withJson } from '../output.ts';
import { AUDIT_COLUMNS, type AuditListOptions, auditListCommand, auditRow } from '../shapes/audit.ts';
import { onlyDirect, queryOf } from './asking.ts';

interface ListOptions extends AuditListOptions {
  readonly after?: string;
}

export function registerRemoteAudit(program: Command, api: () => ApiClient): void {
  const audit = program.command('audit').description('what was allowed, denied, shown and done');
  auditListCommand(audit)
    .option('--after <cursor>', 'the page after the one that named this cursor')
    .action(async ({ on, outcome, request: requestId, since, until, after: cursor, json, ...rest }: ListOptions) => {
      const times = { since: since?.toISOString(), until: until?.toISOString() };
      const asked = { ...rest, ...on, outcome: outcome?.toUpperCase(), requestId, ...times, cursor };
      const page = auditPageDto.parse((await api().ask('GET', `/audit/entries${queryOf(asked)}`)).body);
      if (json) {
        print(toJson(page));
        return;
      }
      printRows(
        page.items.map(({ index, entry }) => auditRow(index, entry.at, entry)),
        AUDIT_COLUMNS,
      );
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
