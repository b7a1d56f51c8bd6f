// `corridor audit list` as it is asked and printed, over the API and on the stores alike.
import { type Command, InvalidArgumentError, Option } from 'commander';
import { OUTCOMES } from '../../operations/audit/entry.ts';
import { instant } from '../commands/dead-letter-options.ts';
import { count, withJson } from '../output.ts';

export interface AuditListOptions {
  readonly subject?: string;
  readonly action?: string;
  readonly on?: { readonly objectKind: string; readonly objectId?: string };
  readonly outcome?: string;
  readonly request?: string;
  readonly act?: string;
  readonly since?: Date;
  readonly until?: Date;
  readonly limit: number;
  readonly json?: boolean;
}

/** `list` with all options but the one that turns to the next page. */
export const auditListCommand = (audit: Command): Command =>
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
    .option('--limit <n>', 'entries of a page, 500 at the most', count, 50);

function target(text: string): NonNullable<AuditListOptions['on']> {
  const [objectKind = '', ...rest] = text.split('/');
  if (objectKind === '') throw new InvalidArgumentError('it must be a kind, or a kind and an id: transfers/T-1');
  return rest.length === 0 ? { objectKind } : { objectKind, objectId: rest.join('/') };
}

export const AUDIT_COLUMNS = [
  ...(['place', 'at', 'who', 'by', 'action', 'on', 'outcome', 'code', 'times', 'entry'] as const),
];

interface ListedEntry {
  readonly subject: string | null;
  readonly credential: string;
  readonly action: string;
  readonly objectKind: string;
  readonly objectId: string | null;
  readonly outcome: string;
  readonly reasonCode: string | null;
  readonly count: number;
  readonly entryId: string;
}

/** A line of the table: an entry at its place in the log, at a time that is printed as it is given. */
export const auditRow = (place: number, at: Date | string, entry: ListedEntry) => ({
  ...{ place, at, who: entry.subject ?? 'nobody known', by: entry.credential.toLowerCase(), action: entry.action },
  on: entry.objectId === null ? entry.objectKind : `${entry.objectKind}/${entry.objectId}`,
  ...{ outcome: entry.outcome.toLowerCase(), code: entry.reasonCode, times: entry.count, entry: entry.entryId },
});
