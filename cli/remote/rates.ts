// `corridor rates …` over the API.
import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import type { ApiClient } from '../../adapters/http/api-client.ts';
import { approvalDto } from '../../api/v1/approval-dto.ts';
import { print } from '../output.ts';
import { FROM_HELP, lastNamed } from '../shapes/rates.ts';
import { onlyDirect } from './asking.ts';

interface AcceptOptions {
  readonly rate: string;
  readonly from?: string;
  readonly reason: string;
}

export function registerRemoteRates(program: Command, api: () => ApiClient): void {
  const rates = program.command('rates').description('rates that jumped');
  rates
    .command('accept')
    .argument('<corridor>', 'such as GB-IN')
    .argument('<pair>', 'such as GBP/INR: as the rate is quoted')
    .description('ask to accept that a rate has jumped; another person lets it through')
    .requiredOption('--rate <decimal>', 'the rate that it jumped to, as health shows it')
    .option('--from <rate@version>', FROM_HELP)
    .requiredOption('--reason <text>', 'why it is right; stands in the log for ever, so no personal data')
    .action(async (corridor: string, pair: string, { rate, from, reason }: AcceptOptions) => {
      const request = { body: { corridor, pair, rate, from: lastNamed(from), reason }, key: randomUUID() };
      const asked = approvalDto.parse((await api().ask('POST', '/rates/jumps', request)).body);
      print(`${asked.summary}. Another person lets it through until ${asked.expiresAt}:`);
      print(`  corridor approvals approve ${asked.approvalId} --reason "…"`);
    });
  onlyDirect(rates, ['show', 'import']);
}
