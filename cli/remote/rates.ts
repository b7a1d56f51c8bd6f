// `corridor rates …` over the API.
import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import type { ApiClient } from '../../adapters/http/api-client.ts';
import { approvalDto } from '../../api/v1/approval-dto.ts';
import { print } from '../output.ts';
import { onlyDirect } from './asking.ts';

export function registerRemoteRates(program: Command, api: () => ApiClient): void {
  const rates = program.command('rates').description('rates that jumped');
  rates
    .command('accept')
    .argument('<corridor>', 'such as GB-IN')
    .argument('<pair>', 'such as GBP/INR: as the rate is quoted')
    .description('ask to accept that a rate has jumped; another person lets it through')
    .requiredOption('--rate <decimal>', 'the rate that it jumped to, as health shows it')
    .requiredOption('--reason <text>', 'why it is right; stands in the log for ever, so no personal data')
    .action(async (corridor: string, pair: string, { rate, reason }: { rate: string; reason: string }) => {
      const request = { body: { corridor, pair, rate, reason }, key: randomUUID() };
      const asked = approvalDto.parse((await api().ask('POST', '/rates/jumps', request)).body);
      print(`${asked.summary}. Another person lets it through until ${asked.expiresAt}:`);
      print(`  corridor approvals approve ${asked.approvalId} --reason "…"`);
    });
  onlyDirect(rates, ['show', 'import']);
}
