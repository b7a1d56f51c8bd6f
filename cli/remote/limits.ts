// `corridor limits …` over the API.
import type { Command } from 'commander';
import type { ApiClient } from '../../adapters/http/api-client.ts';
import { limitStandingDto, transferLimitsDto } from '../../api/v1/limits-dto.ts';
import { askedIn, printStandings, showCommand } from '../shapes/limits.ts';
import { onlyDirect, queryOf } from './asking.ts';

export function registerRemoteLimits(program: Command, api: () => ApiClient): void {
  const limits = program.command('limits').description('what is used of limits');
  showCommand(limits).action(async (kind, ids: readonly string[], { json }: { json?: boolean }) => {
    const asked = askedIn(kind, ids);
    if ('transferId' in asked) {
      const { body } = await api().ask('GET', `/transfers/${encodeURIComponent(asked.transferId)}/limits`);
      printStandings(transferLimitsDto.parse(body).items, json === true);
      return;
    }
    const path = `/limits/${encodeURIComponent(asked.subject)}${queryOf({ kind: asked.kind })}`;
    printStandings([limitStandingDto.parse((await api().ask('GET', path)).body)], json === true);
  });
  onlyDirect(limits, ['backtest', 'snapshot', 'audit', 'rebuild']);
}
