// `corridor dlq skip` and `corridor dlq skips`: have a consumer skip the record that it cannot get past, under four eyes.
import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { approvals } from '../../adapters/mongo/approvals.ts';
import { APPROVAL_STATES, type Approval } from '../../operations/approvals/approval.ts';
import { contentOf, skipLines } from '../../operations/skips/skip.ts';
import { askForSkip } from '../../operations/skips/skips.ts';
import { CodedError } from '../../ports/fault.ts';
import { openAudit } from '../../services/audit.ts';
import { settleSkipsOf, skipComponents } from '../../services/skips.ts';
import { withConnections } from '../connections.ts';
import { count, print, printCut, printRows, withJson } from '../output.ts';

interface SkipOptions {
  readonly topic: string;
  readonly partition: number;
  readonly offset?: number;
  readonly reason?: string;
  readonly by: string;
}

export function registerSkips(dlq: Command): void {
  dlq
    .command('skip')
    .argument('<consumer>', 'the processor, sink or executor that cannot get past a record')
    .description('ask that a consumer skips the record at which it stands; another person approves')
    .requiredOption('--topic <name>', 'the input topic')
    .requiredOption('--partition <n>', 'the partition', wholeNumber)
    .option(
      '--offset <n>',
      'of the record, as it was shown; without it the record is shown, and nothing is asked',
      wholeNumber,
    )
    .option('--reason <text>', 'why; kept with the approval')
    .option('--by <operator>', 'who asks', userInfo().username)
    .addHelpText(
      'after',
      `
The consumer itself does it: the record goes to its dead letters, and the position moves behind it, in one transaction, at its
next look at the record. It tries the record once more first, and skips nothing that it can handle, nor anything while nothing
else goes through. No offset is moved by anybody else.

Examples:
  corridor dlq skip limits --topic transfer.priced --partition 3
  corridor dlq skip limits --topic transfer.priced --partition 3 --offset 4711 --reason "INC-4711: driver fails on it"
  corridor approvals approve APPROVAL --reason "looked at it"`,
    )
    .action((owner: string, { topic, partition, offset, reason, by }: SkipOptions) =>
      withConnections(async (connections) => {
        const parts = await skipComponents(connections, owner);
        if (offset === undefined) {
          const point = await parts.log.standingPoint(owner, topic, partition);
          const amount = point.head ? await parts.amountOf(point.head) : null;
          const target = { owner, topic, partition, offset: point.head?.offset ?? 0 };
          const [what] = skipLines(contentOf(target, point, amount));
          print(`${what}\nNothing was asked: say --offset ${target.offset} and --reason to ask a second person.`);
          return;
        }
        if (reason === undefined) throw new CodedError('OPTION_MISSING', 'say why with --reason: it is kept');
        const at = new Date();
        const asked = await askForSkip(parts, { owner, topic, partition, offset, reason, by, at, id: randomUUID() });
        print(`${asked.summary}\n\nAsked for by ${asked.askedBy}. Another person lets it through:`);
        print(`  corridor approvals approve ${asked._id} --reason "…"`);
      }),
    );

  withJson(dlq.command('skips'))
    .description('skips of records: those that wait, and what came of the others')
    .addOption(new Option('--state <state>', 'in this state alone').choices(APPROVAL_STATES))
    .option('--limit <n>', 'at most this many of each state', count, 50)
    .addHelpText('after', '\nExample:\n  corridor dlq skips')
    .action(({ state, limit, json }: { state?: Approval['state']; limit: number; json?: boolean }) =>
      withConnections(async (connections) => {
        const audit = await openAudit(connections, 'cli');
        await settleSkipsOf(connections, audit);
        await audit.close(AUDIT_CLOSE_MS);
        const store = approvals(await connections.db());
        const states = state === undefined ? APPROVAL_STATES : [state];
        const found = await Promise.all(states.map((each) => store.ofAct('records.skip', each, limit + 1)));
        const isCut = found.some((each) => each.length > limit);
        const latest = found
          .flatMap((each) => each.slice(0, limit))
          .toSorted((a, b) => b.askedAt.getTime() - a.askedAt.getTime());
        if (json) printRows(latest, [], true);
        else printRows(latest.map(row), ['approval', 'state', 'asked by', 'what', 'came of it']);
        printCut(!isCut, latest.length, 'These are the latest of each state: say --limit.');
      }),
    );
}

/** How long an entry of what was settled may take to be written. */
const AUDIT_CLOSE_MS = 5_000;

const row = ({ _id, state, askedBy, summary, ended, begunAt }: Approval) => ({
  ...{ approval: _id, state, 'asked by': askedBy, what: summary },
  'came of it': ended?.detail ?? (begunAt ? `begun ${begunAt.toISOString()}` : null),
});

export function wholeNumber(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('it must be a whole number');
}
