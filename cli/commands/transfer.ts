// `corridor transfer ID`: the timeline of one transfer across all stages.
import type { Command } from 'commander';
import { transferEvents } from '../../adapters/mongo/transfer-events.ts';
import { type Step, transferHistory } from '../../operations/queries/transfer.ts';
import { EVENTS } from '../../services/process-parts/sinks.ts';
import { withConnections } from '../connections.ts';
import { printRows, withJson } from '../output.ts';

export function registerTransfer(program: Command): void {
  withJson(program.command('transfer'))
    .argument('<id>', 'transferId')
    .description('show what happened to a transfer, stage by stage')
    .addHelpText('after', '\nExample:\n  corridor transfer 0b0cdf6e-7b3f-5c8e-9a36-64f2b1a4a7ce')
    .action((id: string, { json }: { json?: boolean }) =>
      withConnections(async (connections) => {
        const { events, steps } = await transferHistory(transferEvents(await connections.db(), EVENTS), id);
        if (json) printRows(events, [], true);
        else printRows(steps.map(row), ['sequence', 'state', 'stage', 'occurredAt', 'afterMs', 'reasons']);
      }),
    );
}

const row = ({ reasonCodes, occurredAt, ...step }: Step) => ({
  ...step,
  occurredAt: occurredAt.toISOString(),
  reasons: reasonCodes.join(', '),
});
