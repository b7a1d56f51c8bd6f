// `corridor cases …` over the API: the inbox, as far as the roles of the person see it.
import { randomUUID } from 'node:crypto';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { z } from 'zod';
import type { ApiClient } from '../../adapters/http/api-client.ts';
import { approvalDto } from '../../api/v1/approval-dto.ts';
import { caseDto, VERDICT_NAMES } from '../../api/v1/case-dto.ts';
import { glassDto } from '../../api/v1/routes/break-glass.ts';
import { caseDecisionAskedDto, casePageDto, casesDecidedDto } from '../../api/v1/routes/cases.ts';
import { CASE_KINDS, INBOX_STAGES } from '../../operations/cases/inbox/row.ts';
import { CodedError, isCoded } from '../../ports/fault.ts';
import { type Beside, besideLines } from '../cases/beside.ts';
import { askOnTerminal, typedVerdict } from '../cases/confirm.ts';
import { fromNow } from '../cases/rows.ts';
import { type StatementOptions, statementFrom, withStatement } from '../cases/statement.ts';
import { count, print, printError, printRows, toJson, withJson } from '../output.ts';

type Case = z.output<typeof caseDto>;
type Page = z.output<typeof casePageDto>;
const pathOf = (id: string) => `/cases/${encodeURIComponent(id)}`;

export function registerRemoteCases(program: Command, api: () => ApiClient): void {
  const cases = program.command('cases').description('everything that waits for a person, in one list');
  registerList(cases, api);
  withJson(cases.command('show'))
    .argument('<case>', 'id of the case, of any kind')
    .description('everything that a case is about, as far as you may see it')
    .action(async (id: string, { json }: { json?: boolean }) => {
      const { body, etag: seen } = await api().ask('GET', pathOf(id));
      const found = caseDto.parse(body);
      // What a program decides on: it says so with --evidence.
      if (json) print(toJson({ ...found, seen }));
      else for (const line of caseLines(found)) print(line);
    });
  cases
    .command('assign')
    .argument('<case>', 'id of the case, of any kind')
    .description('say that you work on a case, so that others take another one; it is over by itself')
    .action(async (id: string) => {
      const { by, until } = (await api().ask('PUT', `${pathOf(id)}/assignment`)).body as Record<string, string>;
      print(`${id} is assigned to ${by} until ${until}`);
    });
  cases
    .command('release')
    .argument('<case>', 'id of the case, as it was assigned')
    .description('say that you no longer work on a case')
    .action(async (id: string) => {
      await api().ask('DELETE', `${pathOf(id)}/assignment`);
      print(`${id} is nobody's`);
    });
  cases
    .command('note')
    .argument('<case>', 'id of the case, of any kind')
    .description('write something about a case to others; it decides nothing, and is never changed')
    .requiredOption('--text <text>', 'what; shown with the case, so name nobody')
    .action(async (id: string, { text }: { text: string }) => {
      await api().ask('POST', `${pathOf(id)}/notes`, { body: { text }, key: randomUUID() });
      print(`noted on ${id}`);
    });
  registerDecide(cases, api);
}

interface ListOptions {
  readonly kind?: string;
  readonly stage?: string;
  readonly corridor?: string;
  readonly olderThan?: Date;
  readonly assignedTo?: string;
  readonly unassigned?: boolean;
  readonly limit: number;
  readonly after?: string;
  readonly json?: boolean;
}

function registerList(cases: Command, api: () => ApiClient): void {
  withJson(cases.command('list'))
    .description('open cases, the first due first')
    .addOption(new Option('--kind <kind>', 'of this kind').choices(CASE_KINDS))
    .addOption(new Option('--stage <stage>', 'that stand here').choices(INBOX_STAGES))
    .option('--corridor <id>', 'of this corridor, such as GB-IN')
    .option('--older-than <time>', 'opened longer ago than this: 30m, 4h, 2d', longAgo)
    .addOption(new Option('--assigned-to <person>', 'that this person works on').conflicts('unassigned'))
    .option('--unassigned', 'that nobody works on')
    .option('--limit <n>', 'rows of a page, at most 200', count, 50)
    .option('--after <cursor>', 'the page after the one that named this cursor')
    .action(async ({ olderThan, unassigned, limit, after, json, ...filter }: ListOptions) => {
      const query = new URLSearchParams({ limit: String(limit) });
      const { kind, stage, corridor, assignedTo } = filter;
      const asked = { kind, stage, corridor, assignedTo, openedBefore: olderThan?.toISOString(), cursor: after };
      for (const [name, value] of Object.entries(asked)) if (value !== undefined) query.set(name, value);
      if (unassigned) query.set('unassigned', 'true');
      const [page, beside] = await Promise.all([
        api()
          .ask('GET', `/cases?${query}`)
          .then(({ body }) => casePageDto.parse(body)),
        waitingBeside(api()),
      ]);
      if (json) {
        print(toJson({ ...page, ...beside }));
        return;
      }
      const columns = ['due', 'stage', 'reason', 'amount', 'corridor', 'sender', 'beneficiary', 'assigned', 'case'];
      printRows(page.items.map(row), columns as never);
      for (const line of [...footer(page), ...besideLines(beside)]) print(line);
    });
}

function row({ caseId, stage, flaw, dueAt, reasonCodes, amount, corridor, names, assigned }: Page['items'][number]) {
  return {
    due: flaw === null ? fromNow(Date.parse(dueAt), Date.now()) : 'at once',
    ...{ stage, reason: flaw ?? reasonCodes[0], amount: amount?.text, corridor },
    ...{ sender: names?.sender, beneficiary: names?.beneficiary, assigned: assigned?.by, case: caseId },
  };
}

function footer({ total, nextCursor, unknownPayouts, complete, missing }: Page): readonly string[] {
  const money = total.money.map(({ text }) => text).join(' + ');
  return [
    `${total.cases} open ${total.cases === 1 ? 'case' : 'cases'}${money === '' ? '' : `: ${money}`}`,
    ...(unknownPayouts === 0
      ? []
      : [`${unknownPayouts} payouts have an unknown outcome, not yet a case: corridor payouts list`]),
    ...(nextCursor === null ? [] : [`next page: --after ${nextCursor}`]),
    ...(complete ? [] : ['THIS LIST IS NOT COMPLETE:', ...missing.map(({ source, code }) => `  ${source}: ${code}`)]),
  ];
}

/** The inbox does not wait for the log: glass that could not be read is not known. */
async function waitingBeside(api: ApiClient): Promise<Beside> {
  const [approvals, reviews] = await Promise.all([
    api.ask('GET', '/approvals?state=WAITING').then(({ body }) => listOf(approvalDto).parse(body).items),
    api.ask('GET', '/break-glass').then(
      ({ body }) =>
        listOf(glassDto)
          .parse(body)
          .items.filter(({ review }) => review === null),
      (error: unknown) => {
        if (isCoded(error)) return null;
        throw error;
      },
    ),
  ]);
  return { approvals, reviews: reviews?.map(({ glassId: id, by, reason }) => ({ id, by, reason })) ?? null };
}

const listOf = <S extends z.ZodType>(shape: S) => z.object({ items: z.array(shape) });

interface DecideOptions extends StatementOptions {
  readonly approve?: true;
  readonly reject?: true;
  readonly clear?: true;
  readonly confirm?: true;
  readonly close?: true;
  readonly paid?: true;
  readonly unpaid?: true;
  readonly code: string;
  readonly reason: string;
  readonly evidence?: string;
  readonly alike?: true;
}

function registerDecide(cases: Command, api: () => ApiClient): void {
  const command = cases
    .command('decide')
    .argument('<case>', 'id of the case, of any kind')
    .description('decide an open case, once; no verdict is the one that is meant when nothing is said')
    .requiredOption('--code <code>', 'why, as a code: the case lists those that fit')
    .requiredOption('--reason <text>', 'why, as a text')
    .option(
      '--evidence <etag>',
      'for programs: `seen` of the case as `show --json` gave it (with --alike `hold.alike.seen`); nothing is typed then',
    )
    .option('--alike', 'decide every hold that is alike too');
  withStatement(command);
  for (const verdict of VERDICT_NAMES) command.option(`--${verdict.toLowerCase()}`);
  command.action((id: string, options: DecideOptions) => decide(api(), id, options));
}

async function decide(api: ApiClient, id: string, options: DecideOptions): Promise<void> {
  const { code, reason, evidence, alike } = options;
  const named = VERDICT_NAMES.filter((each) => options[each.toLowerCase() as Lowercase<typeof each>]);
  if (named.length > 1) throw new CodedError('DECISION_MISSING', 'say one verdict');
  const { body, etag } = await api.ask('GET', pathOf(id));
  const found = caseDto.parse(body);
  const others = alike ? found.hold?.alike : undefined;
  let [verdict] = named;
  if (evidence === undefined) {
    if (!process.stdin.isTTY) throw new CodedError('OPTION_MISSING', 'without a terminal, say --evidence');
    for (const line of caseLines(found)) printError(line);
    verdict = await typedVerdict(askOnTerminal, found, verdict, others?.caseIds.length);
  }
  if (verdict === undefined) throw new CodedError('DECISION_MISSING', 'say one verdict');
  const statement = await statementFrom(verdict, options);
  const decision = {
    verdict,
    code,
    reason,
    ...(statement && { statement }),
    ...(alike && { alikeSeen: alikeSeen(evidence ?? others?.seen) }),
  };
  // What is seen of all that are alike holds this case too.
  const seen = alike ? etag : (evidence ?? etag);
  const answer = await api.ask('POST', `${pathOf(id)}/decide`, { body: decision, etag: seen });
  const asked = caseDecisionAskedDto.safeParse(answer.body);
  if (asked.success) {
    const { approvalId, expiresAt } = asked.data;
    print(`One person alone may not decide this: another lets it through until ${expiresAt}:`);
    print(`  corridor approvals approve ${approvalId} --reason "…"`);
    return;
  }
  const { items } = casesDecidedDto.parse(answer.body);
  printRows(
    items.map(({ caseId, transferId, refused }) => ({
      case: caseId,
      transfer: transferId,
      decision: refused ?? verdict,
    })),
    ['case', 'transfer', 'decision'],
  );
  if (items.some(({ refused }) => refused !== null)) process.exitCode = 1;
}

/** @throws CodedError OPTION_INVALID */
function alikeSeen(seen: string | undefined): string {
  if (seen !== undefined) return seen;
  throw new CodedError('OPTION_INVALID', '--alike is for holds that are open: no other is like this case');
}

function caseLines(found: Case): readonly string[] {
  const { caseId, kind, transferId, isOpen, personalData, verdicts, hold, payout, customer, assigned, notes } = found;
  return [
    `Case ${caseId} (${kind}), transfer ${transferId}, ${isOpen ? 'OPEN' : 'CLOSED'}; personal data: ${personalData}`,
    ...(assigned ? [`Worked on by ${assigned.by} until ${assigned.until}`] : []),
    ...notes.map(({ by, at, text }) => `Note of ${by} at ${at}: ${text}`),
    ...(hold ? holdLines(hold) : []),
    ...(payout ? [`${payout.code}: ${payout.detail}`, `The payout is ${payout.phase} at ${payout.provider}`] : []),
    ...(customer
      ? [
          `A customer resembles ${customer.entity} "${customer.listedName}", list ${customer.versionId}`,
          ...decisionLines(customer.decision && { verdict: customer.decision.state, ...customer.decision }),
        ]
      : []),
    ...verdicts.map(({ verdict, reasons }) => `To ${verdict.toLowerCase()}: --code ${reasons.join(' | ')}`),
  ];
}

function holdLines(hold: NonNullable<Case['hold']>): readonly string[] {
  return [
    `${hold.amount.text}, held by ${hold.stage}, ${hold.state}; opened ${hold.openedAt}, lapses ${hold.expiresAt}`,
    ...(hold.names ? [`Sender ${hold.names.sender}, beneficiary ${hold.names.beneficiary}`] : []),
    ...hold.reasons.map(({ code, detail }) => `  ${code}${detail ? `  ${detail}` : ''}`),
    ...hold.looks.flatMap(({ why, at, outcome, hits }) => [
      `${why} at ${at}: ${outcome}`,
      ...hits.flatMap((hit) => [
        `  ${hit.who} resembles ${hit.entity} "${hit.listedName}", ${(hit.score * 100).toFixed(1)} %${hit.isIdentified ? ', AN IDENTIFIER IS THE SAME' : ''}`,
        ...hit.facts.map(
          ({ fact, party, listed, verdict }) => `    ${fact}: ${party || '-'} | ${listed || '-'}: ${verdict}`,
        ),
      ]),
    ]),
    ...(hold.alike && hold.alike.caseIds.length > 1
      ? [`${hold.alike.caseIds.length} cases say the same (--alike)`]
      : []),
    ...decisionLines(hold.decision),
  ];
}

function decisionLines(decision: Omit<NonNullable<NonNullable<Case['hold']>['decision']>, 'at'> | null) {
  if (decision === null) return [];
  const { verdict, by, agreedBy, reason } = decision;
  return [`${verdict} by ${by}${agreedBy === null ? '' : `, let through by ${agreedBy}`}: ${reason}`];
}

const UNITS_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

function longAgo(text: string): Date {
  const [, number, unit] = /^(\d{1,5})([mhd])$/.exec(text) ?? [];
  if (unit === undefined) throw new InvalidArgumentError('it must be a number with m, h or d, such as 4h');
  return new Date(Date.now() - Number(number) * UNITS_MS[unit]!);
}
