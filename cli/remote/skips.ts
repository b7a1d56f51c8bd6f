// `corridor dlq skip` and `corridor dlq skips` over the API.
import { randomUUID } from 'node:crypto';
import { type Command, Option } from 'commander';
import { z } from 'zod';
import type { ApiClient } from '../../adapters/http/api-client.ts';
import { approvalDto } from '../../api/v1/approval-dto.ts';
import { skipTargetDto } from '../../api/v1/routes/skips.ts';
import { APPROVAL_STATES } from '../../operations/approvals/approval.ts';
import { CodedError } from '../../ports/fault.ts';
import { wholeNumber } from '../commands/skips.ts';
import { print, printCut, printRows, withJson } from '../output.ts';
import { queryOf } from './asking.ts';

interface SkipOptions {
  readonly topic: string;
  readonly partition: number;
  readonly offset?: number;
  readonly reason?: string;
}

export function registerRemoteSkips(dlq: Command, api: () => ApiClient): void {
  dlq
    .command('skip')
    .argument('<consumer>', 'the processor, sink or executor that cannot get past a record')
    .description('ask that a consumer skips the record at which it stands; another person approves')
    .requiredOption('--topic <name>', 'the input topic')
    .requiredOption('--partition <n>', 'the partition', wholeNumber)
    .option('--offset <n>', 'of the record, as it was shown; without it, it is shown', wholeNumber)
    .option('--reason <text>', 'why; kept with the approval')
    .action(async (consumer: string, { topic, partition, offset, reason }: SkipOptions) => {
      if (offset === undefined) {
        const path = `/skips/target${queryOf({ consumer, topic, partition })}`;
        const target = skipTargetDto.parse((await api().ask('GET', path)).body);
        for (const line of target.lines) print(line);
        print(`Nothing was asked: say --offset ${target.offset} and --reason to ask a second person.`);
        return;
      }
      if (reason === undefined) throw new CodedError('OPTION_MISSING', 'say why with --reason: it is kept');
      const request = { body: { consumer, topic, partition, offset, reason }, key: randomUUID() };
      const asked = approvalDto.parse((await api().ask('POST', '/skips', request)).body);
      print(`${asked.summary}\n\nAsked for by ${asked.askedBy}. Another person lets it through:`);
      print(`  corridor approvals approve ${asked.approvalId} --reason "…"`);
    });
  withJson(dlq.command('skips'))
    .description('skips of records: those that wait, and what came of the others')
    .addOption(new Option('--state <state>', 'in this state alone').choices(APPROVAL_STATES))
    .action(async ({ state, json }: { state?: string; json?: boolean }) => {
      const { body } = await api().ask('GET', `/skips${queryOf({ state })}`);
      const { items, complete } = z.object({ items: z.array(approvalDto), complete: z.boolean() }).parse(body);
      if (json) printRows(items, [], true);
      else
        printRows(
          items.map((each) => ({
            ...{ approval: each.approvalId, state: each.state, 'asked by': each.askedBy, what: each.summary },
            'came of it': each.ended?.detail ?? (each.begunAt ? `begun ${each.begunAt}` : null),
          })),
          ['approval', 'state', 'asked by', 'what', 'came of it'],
        );
      printCut(complete, items.length, 'These are the latest: name a state with --state.');
    });
}
