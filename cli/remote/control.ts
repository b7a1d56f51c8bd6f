// `corridor control …` and `corridor break-glass …` over the API.
import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { z } from 'zod';
import type { ApiClient } from '../../adapters/http/api-client.ts';
import { approvalDto } from '../../api/v1/approval-dto.ts';
import { glassDto } from '../../api/v1/routes/break-glass.ts';
import { controlDto } from '../../api/v1/routes/controls.ts';
import { print, printCut, printRows } from '../output.ts';
import {
  controlCommand,
  glassCommand,
  listGlassCommand,
  openGlassCommand,
  pauseCommand,
  printControls,
  printGlasses,
  resumeCommand,
  reviewGlassCommand,
  showControlsCommand,
} from '../shapes/control.ts';

const listOf = <S extends z.ZodType>(item: S) => z.object({ items: z.array(item) });
const glassesDto = z.object({ items: z.array(glassDto), complete: z.boolean() });

export function registerRemoteControl(program: Command, api: () => ApiClient): void {
  const control = controlCommand(program);
  pauseCommand(control).action(async (target: string, { reason }: { reason: string }) => {
    const { body } = await api().ask('POST', '/controls/pause', { body: { target, reason } });
    const paused = controlDto.parse(body);
    print(`PAUSED ${paused.target} (version ${paused.version}). Every process honours it within a second.`);
    print(`To have it go on: corridor control resume ${paused.target} --reason "…"`);
  });
  resumeCommand(control).action(async (target: string, { reason }: { reason: string }) => {
    const request = { body: { target, reason }, key: randomUUID() };
    const asked = approvalDto.parse((await api().ask('POST', '/controls/resume', request)).body);
    print(`Another person lets it through until ${asked.expiresAt}:`);
    print(`  corridor approvals approve ${asked.approvalId} --reason "…"`);
  });
  showControlsCommand(control).action(async ({ all, json }: { all?: boolean; json?: boolean }) => {
    const { body } = await api().ask('GET', all ? '/controls?all=true' : '/controls');
    const { items } = listOf(controlDto).parse(body);
    if (json) {
      printRows(items, [], true);
      return;
    }
    printControls(
      items.map(({ target, isPaused, ...each }) => ({ ...each, what: target, state: isPaused ? 'PAUSED' : 'RUNNING' })),
    );
  });
}

export function registerRemoteGlass(program: Command, api: () => ApiClient): void {
  const glass = glassCommand(program);
  openGlassCommand(glass).action(async (body: { reason: string; minutes: number }) => {
    const broken = glassDto.parse((await api().ask('POST', '/break-glass', { body, key: randomUUID() })).body);
    print(`BROKEN until ${broken.until}. Ask for the act, then let it through yourself:`);
    print(`  corridor approvals approve APPROVAL --glass ${broken.glassId} --reason "…"`);
  });
  listGlassCommand(glass).action(async ({ json }: { json?: boolean }) => {
    const { items, complete } = glassesDto.parse((await api().ask('GET', '/break-glass')).body);
    if (json) printRows(items, [], true);
    else printGlasses(items.map(({ glassId: glass, ...one }) => ({ ...one, glass })));
    printCut(complete, items.length, 'Those without a review are first.');
  });
  reviewGlassCommand(glass).action(async (id: string, { text }: { text: string }) => {
    const path = `/break-glass/${encodeURIComponent(id)}`;
    const { etag } = await api().ask('GET', path);
    const { by } = glassDto.parse((await api().ask('POST', `${path}/review`, { body: { text }, etag })).body);
    print(`REVIEWED: the glass that ${by} broke.`);
  });
}
