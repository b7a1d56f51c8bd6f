// `corridor approvals`: what one person asked for, and another lets through or refuses.
import { userInfo } from 'node:os';
import { type Command, Option } from 'commander';
import { personWithKeys } from '../../operations/access/principal.ts';
import {
  APPROVAL_STATES,
  type Approval,
  type ApprovalState,
  type Verdict,
} from '../../operations/approvals/approval.ts';
import { decideApproval, findApproval, listApprovals, withdrawApproval } from '../../operations/approvals/approvals.ts';
import { checkApprover, describeApproval, executeApproval } from '../../operations/approvals/execute.ts';
import { glassInForce } from '../../operations/break-glass/break-glass.ts';
import { CodedError } from '../../ports/fault.ts';
import { ringOf } from '../../ports/seals.ts';
import { type ApprovalDesk, isDoneAtOnce, openApprovals } from '../../services/approvals.ts';
import type { Connections } from '../../services/connections.ts';
import { controlLog } from '../../services/controls.ts';
import { askOnTerminal } from '../cases/confirm.ts';
import { withConnections } from '../connections.ts';
import { count, print, printCut, printRows, withJson } from '../output.ts';

interface Bench {
  readonly connections: Connections;
  readonly desk: ApprovalDesk;
}

export const withApprovals = (use: (bench: Bench) => Promise<void>) =>
  withConnections(async (connections) => {
    await use({ connections, desk: await openApprovals(connections) });
  });

export function registerApprovals(program: Command): void {
  const all = program
    .command('approvals')
    .description('risky acts that one person asked for, and another lets through');
  registerList(all);
  registerShow(all);
  registerDecisions(all);
  registerEnds(all);
}

function registerList(all: Command): void {
  withJson(all.command('list'))
    .description('approvals, the latest first; those that wait unless another state is said')
    .addOption(new Option('--state <state>', 'in this state').choices([...APPROVAL_STATES, 'ALL']).default('WAITING'))
    .option('--limit <n>', 'at most this many', count, 50)
    .addHelpText('after', '\nExample:\n  corridor approvals list')
    .action(({ state, limit, json }: { state: string; limit: number; json?: boolean }) =>
      withApprovals(async ({ desk }) => {
        const states = state === 'ALL' ? APPROVAL_STATES : [state as ApprovalState];
        const all = await listApprovals(desk.store, states, limit + 1, new Date());
        const found = all.slice(0, limit);
        if (json) printRows(found, [], true);
        else printRows(found.map(row), ['approval', 'act', 'state', 'asked by', 'what', 'until']);
        printCut(all.length <= limit, limit, 'These are the latest: name a state with --state, or say --limit.');
      }),
    );
}

const row = ({ _id, act, state, askedBy, summary, expiresAt }: Approval) => ({
  ...{ approval: _id, act, state, 'asked by': askedBy },
  ...{ what: summary, until: expiresAt },
});

function registerShow(all: Command): void {
  withJson(all.command('show'))
    .argument('<approval>', 'id of the approval')
    .description('what would be done, who asked for it and why')
    .addHelpText('after', '\nExample:\n  corridor approvals show 0b0cdf6e-7b3f-5c8e-9a36-64f2b1a4a7ce')
    .action((id: string, { json }: { json?: boolean }) =>
      withApprovals(async (bench) => {
        const found = await findApproval(bench.desk.store, id);
        if (json) printRows([found], [], true);
        else await show(bench, found);
      }),
    );
}

async function show({ connections, desk }: Bench, approval: Approval): Promise<void> {
  const { _id, act, state, askedBy, askedAt, reason, expiresAt, decided, begunAt, ended } = approval;
  print(`approval  ${_id}, ${act}, ${state}`);
  print(`asked     by ${askedBy} at ${askedAt.toISOString()}: ${reason}`);
  const lines = await describeApproval(approval, desk.handlers, ringOf(connections.config.keys, 'operators'));
  for (const [place, line] of lines.entries()) print((place === 0 ? 'to do' : '').padEnd(10) + line);
  print(`until     ${expiresAt.toISOString()}`);
  const under = decided?.glass === undefined ? '' : `, alone, under the broken glass ${decided.glass}`;
  if (decided) print(`decided   by ${decided.by} at ${decided.at.toISOString()}${under}: ${decided.reason}`);
  if (begunAt) print(`begun     ${begunAt.toISOString()}`);
  if (ended) print(`ended     ${ended.at.toISOString()}: ${ended.detail}${ended.code ? ` (${ended.code})` : ''}`);
}

interface DecideOptions {
  readonly reason: string;
  readonly by: string;
  readonly hash?: string;
  readonly glass?: string;
}

function registerDecisions(all: Command): void {
  for (const [name, verdict, does] of [
    ['approve', 'APPROVED', 'let it through: it is shown, and the word is typed'],
    ['refuse', 'REFUSED', 'refuse it; nothing is done'],
  ] as const) {
    all
      .command(name)
      .argument('<approval>', 'id of the approval')
      .description(`${does}; never by who asked`)
      .requiredOption('--reason <text>', 'why; kept with the approval')
      .option('--by <operator>', 'who decides', userInfo().username)
      .option('--hash <hash>', 'for programs: of the approval as `show --json` gave it; nothing is asked then')
      .option('--glass <id>', 'approve what you asked for yourself, under a glass that you have broken')
      .addHelpText('after', `\nExample:\n  corridor approvals ${name} 0b0c… --reason "looked at it"`)
      .action((id: string, options: DecideOptions) =>
        withApprovals((bench) => decide(bench, id, { ...options, verdict, name })),
      );
  }
}

async function decide(
  bench: Bench,
  id: string,
  {
    verdict,
    name,
    by,
    reason,
    hash,
    glass: glassId,
  }: DecideOptions & { readonly verdict: Verdict; readonly name: string },
): Promise<void> {
  const { connections, desk } = bench;
  const operators = ringOf(connections.config.keys, 'operators');
  const found = await findApproval(desk.store, id);
  await show(bench, found);
  const seen = hash ?? (await typed(name, found.hash));
  const who = { by: personWithKeys(by), at: new Date() };
  if (verdict === 'APPROVED') await checkApprover(found, desk.handlers, who.by);
  const glasses = { log: controlLog(connections), clock: (own: Date) => desk.store.clock(own) };
  const glass = glassId && (await glassInForce(glasses, { id: glassId, ...who }));
  await decideApproval(desk.store, { id, hash: seen, verdict, reason, ...who, ...(glass && { glass }) }, operators);
  print(`\n${verdict} by ${by}.`);
  if (verdict === 'APPROVED') await execute(bench, found);
}

async function execute({ connections, desk }: Bench, { _id, act }: Approval): Promise<void> {
  if (!isDoneAtOnce(desk, act)) {
    print('A process of its own does it now: see what is acted on.');
    return;
  }
  const operators = ringOf(connections.config.keys, 'operators');
  const done = await executeApproval(desk.store, _id, { handlers: desk.handlers, operators, at: new Date() });
  print(`${done.state}: ${done.ended?.detail ?? ''}`);
}

async function typed(word: string, hash: string): Promise<string> {
  if (!process.stdin.isTTY) {
    throw new CodedError('OPTION_MISSING', 'without a terminal, say --hash: of the approval as `show --json` gave it');
  }
  const answer = await askOnTerminal(`Type "${word}" to ${word} it: `);
  if (answer.trim().toLowerCase() === word) return hash;
  throw new CodedError('NOT_CONFIRMED', `${word} was not typed: nothing was decided`);
}

function registerEnds(all: Command): void {
  all
    .command('withdraw')
    .argument('<approval>', 'id of the approval')
    .description('take back what you asked for, as long as it has not begun')
    .option('--by <operator>', 'who asked for it', userInfo().username)
    .action((id: string, { by }: { by: string }) =>
      withApprovals(async ({ desk }) => {
        await withdrawApproval(desk.store, id, by, new Date());
        print(`WITHDRAWN by ${by}.`);
      }),
    );
  all
    .command('execute')
    .argument('<approval>', 'id of the approval')
    .description('do what was let through and was cut off before its end; harmless to repeat')
    .action((id: string) => withApprovals(async (bench) => execute(bench, await findApproval(bench.desk.store, id))));
}
