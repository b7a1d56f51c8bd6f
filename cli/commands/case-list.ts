// `corridor cases list`: the inbox.
import { type Command, Option } from 'commander';
import { listInbox } from '../../operations/cases/inbox/inbox.ts';
import { type InboxFilter, MAX_PAGE } from '../../operations/cases/inbox/page.ts';
import { CASE_KINDS, type CaseKind, INBOX_STAGES, type InboxStage } from '../../operations/cases/inbox/row.ts';
import { openInbox } from '../../services/inbox.ts';
import { COLUMNS, footer, jsonRow, line } from '../cases/rows.ts';
import { withConnections } from '../connections.ts';
import { duration } from '../durations.ts';
import { count, print, printRows, toJson, withJson } from '../output.ts';

interface ListOptions {
  readonly kind?: CaseKind;
  readonly stage?: InboxStage;
  readonly corridor?: string;
  readonly olderThan?: number;
  readonly assignedTo?: string;
  readonly unassigned?: boolean;
  readonly limit: number;
  readonly after?: string;
  readonly json?: boolean;
}

export function registerCaseList(cases: Command): void {
  withJson(cases.command('list'))
    .description('open cases, the first due first')
    .addOption(new Option('--kind <kind>', 'of this kind').choices(CASE_KINDS))
    .addOption(new Option('--stage <stage>', 'that stand here').choices(INBOX_STAGES))
    .option('--corridor <id>', 'of this corridor, such as GB-IN')
    .option('--older-than <time>', 'opened longer ago than this: 30m, 4h, 2d', duration)
    .addOption(new Option('--assigned-to <person>', 'that this person works on').conflicts('unassigned'))
    .option('--unassigned', 'that nobody works on')
    .option('--limit <n>', `rows of a page, at most ${MAX_PAGE}`, count, 50)
    .option('--after <cursor>', 'the page after the one that named this cursor')
    .addHelpText(
      'after',
      `
Names are masked; \`corridor cases show CASE\` has everything.

Examples:
  corridor cases list
  corridor cases list --stage SCREENING --older-than 4h --unassigned
  corridor cases list --kind PAYOUT --json`,
    )
    .action((options: ListOptions) =>
      withConnections(async (connections) => {
        const { sources } = await openInbox(connections);
        const now = Date.now();
        const { limit, after, json } = options;
        const { rows, ...rest } = await listInbox(sources, { filter: filterOf(options, now), limit, after, now });
        if (json) {
          console.log(toJson({ cases: rows.map(jsonRow), ...rest }));
          return;
        }
        printRows(
          rows.map((row) => line(row, now)),
          COLUMNS,
        );
        for (const text of footer(rest)) print(text);
      }),
    );
}

function filterOf(options: ListOptions, now: number): InboxFilter {
  const { kind, stage, corridor, olderThan, assignedTo, unassigned } = options;
  const openedBefore = olderThan === undefined ? undefined : now - olderThan;
  return { kind, stage, corridor, openedBefore, assignedTo: unassigned ? null : assignedTo };
}
