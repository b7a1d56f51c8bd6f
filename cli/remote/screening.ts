// `corridor lists …` and `corridor exceptions …` over the API.
import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { z } from 'zod';
import type { ApiClient } from '../../adapters/http/api-client.ts';
import { approvalDto } from '../../api/v1/approval-dto.ts';
import { exceptionDto } from '../../api/v1/routes/exceptions.ts';
import { activatedDto, changesDto, versionDto, wholeVersionDto } from '../../api/v1/routes/lists.ts';
import { count, print, printCut, printRows, toJson, withJson } from '../output.ts';
import {
  type AddExceptionOptions,
  addExceptionCommand,
  EXCEPTION_COLUMNS,
  type ListExceptionsOptions,
  listExceptionsCommand,
  revokeExceptionCommand,
} from '../shapes/exceptions.ts';
import { onlyDirect, queryOf } from './asking.ts';

const versionPath = (id: string) => `/lists/${encodeURIComponent(id)}`;
const versionsDto = z.object({ items: z.array(versionDto), complete: z.boolean() });
const exceptionsDto = z.object({ items: z.array(exceptionDto), complete: z.boolean() });

export function registerRemoteLists(program: Command, api: () => ApiClient): void {
  const lists = program.command('lists').description('sanctions list versions: compare, put in force');
  withJson(lists.command('show'))
    .argument('[version]', 'one version, with its import report; without it, all of them')
    .description('list versions, and which are in force')
    .option('--source <name>', 'of this source only')
    .option('--limit <n>', 'at most this many', count, 50)
    .action(
      async (id: string | undefined, { source, limit, json }: { source?: string; limit: number; json?: boolean }) => {
        if (id !== undefined) {
          const version = wholeVersionDto.parse((await api().ask('GET', versionPath(id))).body);
          if (json) print(toJson(version));
          else printVersion(version);
          return;
        }
        const path = `/lists${queryOf({ source, limit })}`;
        const { items, complete } = versionsDto.parse((await api().ask('GET', path)).body);
        printRows(
          items,
          [
            ...(['versionId', 'status', 'publishedOn', 'entities', 'names'] as const),
            ...(['importedAt', 'importedBy', 'inForceSince'] as const),
          ],
          json,
        );
        printCut(complete, items.length, 'These are the newest: say --limit.');
      },
    );
  withJson(lists.command('diff'))
    .argument('<before>', 'version')
    .argument('<after>', 'version')
    .description('entities added, removed and changed between two versions')
    .option('--limit <n>', 'print at most this many entities', count, 50)
    .action(async (before: string, after: string, { limit, json }: { limit: number; json?: boolean }) => {
      const path = `${versionPath(after)}/changes${queryOf({ since: before, limit })}`;
      const found = changesDto.parse((await api().ask('GET', path)).body);
      if (json) {
        print(toJson(found));
        return;
      }
      print(`+${found.added} / -${found.removed} / ${found.changed} changed`);
      const rows = found.items.map(({ fields, ...each }) => ({ ...each, fields: fields.join(', ') || null }));
      if (rows.length > 0) printRows(rows, ['what', 'entityId', 'type', 'name', 'fields']);
      if (!found.complete) print('and more (--limit)');
    });
  lists
    .command('activate')
    .argument('<version>', 'version')
    .description('put a version in force: for every instance, and for payouts not yet submitted')
    .requiredOption('--reason <text>', 'why; kept where another person has to let it through')
    .action(async (id: string, { reason }: { reason: string }) => {
      const { etag } = await api().ask('GET', versionPath(id));
      const request = { body: { reason }, etag, key: randomUUID() };
      const { status, body } = await api().ask('POST', `${versionPath(id)}/activate`, request);
      if (status !== 202) {
        print(activatedDto.parse(body).changed ? `${id} is in force` : `${id} was in force already`);
        return;
      }
      const { approvalId, expiresAt, summary } = approvalDto.parse(body);
      print(`${summary}: one person alone may not. Another lets it through until ${expiresAt}:`);
      print(`  corridor approvals approve ${approvalId} --reason "…"`);
    });
  onlyDirect(lists, ['import']);
}

function printVersion({ versionId, status, inForceNow, report }: z.output<typeof wholeVersionDto>): void {
  print(`${versionId}, ${status}; in force now: ${inForceNow ?? 'none'}`);
  const reasons = (drops: typeof report.warnings) =>
    drops.map(({ code, count: many, examples }) => `${many} ${code} (${examples.join(', ')})`).join('; ') || 'none';
  printRows(
    [
      {
        ...{ what: 'entities', read: report.entitiesRead, kept: report.entitiesKept },
        dropped: reasons(report.droppedEntities),
      },
      { what: 'names', read: report.namesRead, kept: report.namesKept, dropped: reasons(report.droppedNames) },
    ],
    ['what', 'read', 'kept', 'dropped'],
  );
  if (report.warnings.length > 0) print(`tolerated: ${reasons(report.warnings)}`);
}

const exceptionRow = ({ expiresAt: expires, askedBy: by, ...one }: z.output<typeof exceptionDto>) => ({
  ...one,
  expires,
  by,
});

/** The API's own names in JSON, and those of the table for people. */
function printExceptions(found: readonly z.output<typeof exceptionDto>[], json: boolean | undefined): void {
  if (json) printRows(found, [], true);
  else printRows(found.map(exceptionRow), EXCEPTION_COLUMNS);
}

export function registerRemoteExceptions(program: Command, api: () => ApiClient): void {
  const exceptions = program
    .command('exceptions')
    .description('counterparties that are known not to be a listed entity: add, list, revoke');
  addExceptionCommand(exceptions).action(
    async ({ entity, case: caseId, role, token, days, reason, json }: AddExceptionOptions) => {
      const counterparty = token === undefined ? { caseId, role } : { token };
      const request = { body: { entity, days, reason, ...counterparty }, key: randomUUID() };
      const asked = exceptionDto.parse((await api().ask('POST', '/exceptions', request)).body);
      printExceptions([asked], json);
      if (json) return;
      print('Another person lets it through:');
      print(`  corridor approvals approve ${asked.approvalId} --reason "…"`);
    },
  );
  listExceptionsCommand(exceptions).action(async ({ token, limit, json }: ListExceptionsOptions) => {
    const { body } = await api().ask('GET', `/exceptions${queryOf({ token, limit })}`);
    const { items, complete } = exceptionsDto.parse(body);
    printExceptions(items, json);
    printCut(complete, items.length, 'These are the newest: say --limit.');
  });
  revokeExceptionCommand(exceptions).action(async (id: string, { reason }: { reason: string }) => {
    await api().ask('POST', `/exceptions/${encodeURIComponent(id)}/revoke`, { body: { reason } });
    print(`${id} is revoked`);
  });
  onlyDirect(exceptions, ['approve'], '`corridor approvals approve`');
}
