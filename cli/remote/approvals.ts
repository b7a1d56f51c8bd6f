// `corridor approvals …` over the API: what waits for a second person, and what they say.
import { type Command, Option } from 'commander';
import { z } from 'zod';
import type { ApiClient } from '../../adapters/http/api-client.ts';
import { approvalDto } from '../../api/v1/approval-dto.ts';
import { APPROVAL_STATES } from '../../operations/approvals/approval.ts';
import { print, printCut, printRows, toJson, withJson } from '../output.ts';
import { confirmed } from './confirm.ts';

type Approval = z.output<typeof approvalDto>;
const approvalsDto = z.object({ items: z.array(approvalDto), complete: z.boolean() });
const pathOf = (id: string) => `/approvals/${encodeURIComponent(id)}`;

export function registerRemoteApprovals(program: Command, api: () => ApiClient): void {
  const all = program
    .command('approvals')
    .description('risky acts that one person asked for, and another lets through');
  withJson(all.command('list'))
    .description('approvals, the latest first; those that wait unless another state is said')
    .addOption(new Option('--state <state>', 'in this state').choices([...APPROVAL_STATES, 'ALL']).default('WAITING'))
    .action(async ({ state, json }: { state: string; json?: boolean }) => {
      const query = state === 'ALL' ? '' : `?state=${state}`;
      const { items, complete } = approvalsDto.parse((await api().ask('GET', `/approvals${query}`)).body);
      if (json) printRows(items, [], true);
      else printRows(items.map(row), ['approval', 'act', 'state', 'asked by', 'what', 'until']);
      printCut(complete, items.length, 'These are the latest: name a state with --state.');
    });
  withJson(all.command('show'))
    .argument('<approval>', 'id of the approval')
    .description('what would be done, who asked for it and why')
    .action(async (id: string, { json }: { json?: boolean }) => {
      const found = approvalDto.parse((await api().ask('GET', pathOf(id))).body);
      if (json) print(toJson(found));
      else show(found);
    });
  for (const [verb, does] of [
    ['approve', 'let it through: it is shown, and the word is typed; never by who asked'],
    ['refuse', 'refuse it; nothing is done'],
  ] as const) {
    all
      .command(verb)
      .argument('<approval>', 'id of the approval')
      .description(does)
      .requiredOption('--reason <text>', 'why; kept with the approval')
      .option('--hash <hash>', 'for programs: of the approval as `show --json` gave it; nothing is typed then')
      .addOption(
        new Option(
          '--glass <glass>',
          'a glass that you have broken: lets through what you asked for yourself',
        ).hideHelp(verb !== 'approve'),
      )
      .action(async (id: string, { reason, hash, glass }: { reason: string; hash?: string; glass?: string }) => {
        const { body, etag } = await api().ask('GET', pathOf(id));
        const found = approvalDto.parse(body);
        show(found);
        if (hash === undefined) await confirmed({ word: verb });
        const seen = hash === undefined ? etag : `"${found.state}.${hash}"`;
        const isAlone = glass !== undefined && verb === 'approve';
        const how = isAlone ? 'approve-alone' : verb;
        const said = isAlone ? { reason, glassId: glass } : { reason };
        const decided = await api().ask('POST', `${pathOf(id)}/${how}`, { body: said, etag: seen });
        const { state, decided: by, ended } = approvalDto.parse(decided.body);
        print(`\n${state} by ${by?.by ?? '-'}.${ended ? ` ${ended.detail}` : ''}`);
      });
  }
  for (const [verb, does] of [
    ['withdraw', 'take back what you asked for, as long as it has not begun'],
    ['execute', 'do what was let through and was cut off before its end; harmless to repeat'],
  ] as const) {
    all
      .command(verb)
      .argument('<approval>', 'id of the approval')
      .description(does)
      .action(async (id: string) => {
        const { etag } = await api().ask('GET', pathOf(id));
        show(approvalDto.parse((await api().ask('POST', `${pathOf(id)}/${verb}`, { etag })).body));
      });
  }
}

const row = ({ approvalId, act, state, askedBy, summary, expiresAt }: Approval) => ({
  ...{ approval: approvalId, act, state, 'asked by': askedBy, what: summary, until: expiresAt },
});

function show(approval: Approval): void {
  const { approvalId, act, state, askedBy, askedAt, reason, summary, lines, expiresAt } = approval;
  const { decided, ended, isProven } = approval;
  print(`approval  ${approvalId}, ${act}, ${state}${isProven ? '' : ', NOT SEALED: nobody can approve it'}`);
  print(`asked     by ${askedBy} at ${askedAt}: ${reason}`);
  print(`to do     ${summary}`);
  for (const line of lines ?? []) print(`          ${line}`);
  print(`until     ${expiresAt}`);
  if (decided) print(`decided   by ${decided.by} at ${decided.at}: ${decided.reason}`);
  if (ended) print(`ended     ${ended.at}: ${ended.detail}${ended.code ? ` (${ended.code})` : ''}`);
}
