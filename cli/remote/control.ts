// `corridor control …` and `corridor break-glass …` over the API.
import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { z } from 'zod';
import type { ApiClient } from '../../adapters/http/api-client.ts';
import { approvalDto } from '../../api/v1/approval-dto.ts';
import { glassDto } from '../../api/v1/routes/break-glass.ts';
import { controlDto } from '../../api/v1/routes/controls.ts';
import { DEFAULT_GLASS_MINUTES, MAX_GLASS_MINUTES } from '../../operations/break-glass/break-glass.ts';
import { count, print, printRows, withJson } from '../output.ts';

const listOf = <S extends z.ZodType>(item: S) => z.object({ items: z.array(item) });

export function registerRemoteControl(program: Command, api: () => ApiClient): void {
  const control = program.command('control').description('pause parts of the running pipeline, and have them go on');
  control
    .command('pause')
    .argument('<target>', 'processor/NAME, partition/NAME/NUMBER, corridor/ID, provider/NAME or rail/NAME')
    .description('pause it now, alone: stopping moves no money')
    .requiredOption('--reason <text>', 'why; stands in the log for ever, so no personal data')
    .action(async (target: string, { reason }: { reason: string }) => {
      const { body } = await api().ask('POST', '/controls/pause', { body: { target, reason } });
      const paused = controlDto.parse(body);
      print(`PAUSED ${paused.target} (version ${paused.version}). Every process honours it within a second.`);
      print(`To have it go on: corridor control resume ${paused.target} --reason "…"`);
    });
  control
    .command('resume')
    .argument('<target>', 'what: as it was paused')
    .description('ask for it to go on; another person lets it through')
    .requiredOption('--reason <text>', 'why; stands in the log for ever, so no personal data')
    .action(async (target: string, { reason }: { reason: string }) => {
      const request = { body: { target, reason }, key: randomUUID() };
      const asked = approvalDto.parse((await api().ask('POST', '/controls/resume', request)).body);
      print(`Another person lets it through until ${asked.expiresAt}:`);
      print(`  corridor approvals approve ${asked.approvalId} --reason "…"`);
    });
  withJson(control.command('show'))
    .description('what is paused, the latest first')
    .option('--all', 'also what was resumed')
    .action(async ({ all, json }: { all?: boolean; json?: boolean }) => {
      const { body } = await api().ask('GET', all ? '/controls?all=true' : '/controls');
      const { items } = listOf(controlDto).parse(body);
      if (json) {
        printRows(items, [], true);
        return;
      }
      const rows = items.map(({ target, isPaused, changedBy, approvedBy, changedAt, reason }) => ({
        ...{ what: target, state: isPaused ? 'PAUSED' : 'RUNNING', since: changedAt, reason },
        by: approvedBy ? `${changedBy}, ${approvedBy}` : changedBy,
      }));
      printRows(rows, ['what', 'state', 'since', 'by', 'reason']);
    });
}

export function registerRemoteGlass(program: Command, api: () => ApiClient): void {
  const glass = program
    .command('break-glass')
    .description('let through alone what takes two, when there is nobody else; everybody is told');
  glass
    .command('open')
    .description('break the glass for yourself, for some minutes')
    .requiredOption('--reason <text>', 'why nobody else can be asked; stands in the log for ever')
    .option('--minutes <n>', `how long, ${MAX_GLASS_MINUTES} at most`, count, DEFAULT_GLASS_MINUTES)
    .action(async (body: { reason: string; minutes: number }) => {
      const broken = glassDto.parse((await api().ask('POST', '/break-glass', { body, key: randomUUID() })).body);
      print(`BROKEN until ${broken.until}. Ask for the act, then let it through yourself:`);
      print(`  corridor approvals approve APPROVAL --glass ${broken.glassId} --reason "…"`);
    });
  withJson(glass.command('list'))
    .description('every glass that was broken, those without a review first, with what was done under it')
    .action(async ({ json }: { json?: boolean }) => {
      const { items } = listOf(glassDto).parse((await api().ask('GET', '/break-glass')).body);
      const rows = items.map(({ glassId, by, until, reason, acts, review }) => ({
        ...{ glass: glassId, by, until, reason },
        done: acts.map(({ act, subject, state }) => `${act} ${subject} ${state}`).join('; ') || null,
        review: review ? `${review.by}: ${review.text}` : 'OPEN',
      }));
      if (json) printRows(items, [], true);
      else printRows(rows, ['glass', 'by', 'until', 'reason', 'done', 'review']);
    });
  glass
    .command('review')
    .argument('<glass>', 'id of the glass')
    .description('close it: you have looked at what was done under it. Never by who broke it')
    .requiredOption('--text <text>', 'what you found; stands in the log for ever')
    .action(async (id: string, { text }: { text: string }) => {
      const path = `/break-glass/${encodeURIComponent(id)}`;
      const { etag } = await api().ask('GET', path);
      const { by } = glassDto.parse((await api().ask('POST', `${path}/review`, { body: { text }, etag })).body);
      print(`REVIEWED: the glass that ${by} broke.`);
    });
}
