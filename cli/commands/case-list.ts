// `corridor cases list`: the inbox.
import { userInfo } from 'node:os';
import { type Command, Option } from 'commander';
import { personWithKeys } from '../../operations/access/principal.ts';
import { listApprovals } from '../../operations/approvals/approvals.ts';
import { type Glass, listGlass } from '../../operations/break-glass/break-glass.ts';
import { listInbox } from '../../operations/cases/inbox/inbox.ts';
import { type InboxFilter, MAX_PAGE } from '../../operations/cases/inbox/page.ts';
import { CASE_KINDS, type CaseKind, INBOX_STAGES, type InboxStage } from '../../operations/cases/inbox/row.ts';
import { isCoded } from '../../ports/fault.ts';
import { within } from '../../ports/pause.ts';
import { openApprovals } from '../../services/approvals.ts';
import type { Connections } from '../../services/connections.ts';
import { controlLog } from '../../services/controls.ts';
import { openInbox } from '../../services/inbox.ts';
import { besideLines } from '../cases/beside.ts';
import { COLUMNS, footer, jsonRow, line } from '../cases/rows.ts';
import { withConnections } from '../connections.ts';
import { duration } from '../durations.ts';
import { count, print, printRows, toJson, withJson } from '../output.ts';

/** Acts that are counted. */
const MAX_BESIDE = 1_000;
const LOG_WAIT_MS = 10_000;

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
        const { sources, policy } = await openInbox(connections);
        const now = Date.now();
        const { limit, after, json } = options;
        const { rows, ...rest } = await listInbox(sources, {
          ...{ filter: filterOf(options, now), limit, after, now },
          sla: policy.sla,
        });
        const waiting = await waitingBeside(connections, now);
        if (json) {
          console.log(toJson({ cases: rows.map(jsonRow), ...rest, ...waiting }));
          return;
        }
        printRows(
          rows.map((row) => line(row, now)),
          COLUMNS,
        );
        for (const text of [...footer(rest), ...besideLines(waiting)]) print(text);
      }),
    );
}

/**
 * What else waits for a person: acts for a second one, and broken glass for its review. The inbox does not wait for the log:
 * what cannot be read in time is told.
 */
async function waitingBeside(connections: Connections, now: number) {
  const { store } = await openApprovals(connections);
  const approvals = await listApprovals(store, ['WAITING'], MAX_BESIDE, new Date(now));
  const by = personWithKeys(userInfo().username);
  const read: { glass: readonly Glass[] | null } = { glass: null };
  const reading = listGlass(controlLog(connections), by).then((found) => {
    read.glass = found;
  });
  await within(LOG_WAIT_MS, reading).catch((error: unknown) => {
    if (!isCoded(error)) throw error;
  });
  reading.catch(() => undefined);
  return { approvals, reviews: read.glass?.filter(({ review }) => review === null) ?? null };
}

function filterOf(options: ListOptions, now: number): InboxFilter {
  const { kind, stage, corridor, olderThan, assignedTo, unassigned } = options;
  const openedBefore = olderThan === undefined ? undefined : now - olderThan;
  return { kind, stage, corridor, openedBefore, assignedTo: unassigned ? null : assignedTo };
}
