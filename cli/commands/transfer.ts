// `corridor transfer ID`: the timeline of one transfer across all stages.
import type { Command } from 'commander';
import { CodedError } from '../../ports/fault.ts';
import { EVENTS } from '../../services/sinks.ts';
import { withConnections } from '../connections.ts';
import { printRows, withJson } from '../output.ts';

interface Step {
  readonly sequence: number | string;
  readonly state: string;
  readonly stage: string;
  readonly occurredAt: string;
  readonly afterMs: number;
  readonly reasons: string;
}

export function registerTransfer(program: Command): void {
  withJson(program.command('transfer'))
    .argument('<id>', 'transferId')
    .description('show what happened to a transfer, stage by stage')
    .addHelpText('after', '\nExample:\n  corridor transfer 0b0cdf6e-7b3f-5c8e-9a36-64f2b1a4a7ce')
    .action((id: string, { json }: { json?: boolean }) =>
      withConnections(async (connections) => {
        const db = await connections.db();
        const events = await db
          .collection(EVENTS)
          .find({ transferId: id }, { useBigInt64: true })
          .sort({ transferId: 1, sequence: 1, ingestedAt: 1 })
          .toArray();
        if (events.length === 0) {
          throw new CodedError(
            'TRANSFER_UNKNOWN',
            `nothing is known of ${id}: it was never accepted, or the event sink has not got there yet`,
          );
        }
        if (json) printRows(events, [], true);
        else printRows(timeline(events), ['sequence', 'state', 'stage', 'occurredAt', 'afterMs', 'reasons']);
      }),
    );
}

function timeline(events: readonly Record<string, unknown>[]): readonly Step[] {
  const first = Number(events[0]!['occurredAt']);
  return events.map((event) => {
    const at = Number(event['occurredAt']);
    const codes = (event['reasonCodes'] ??
      (event['reasons'] as { code: string }[] | undefined)?.map(({ code }) => code)) as string[] | undefined;
    return {
      sequence: (event['sequence'] as number | undefined) ?? '-',
      state: (event['state'] as string | undefined) ?? String(event['topic']),
      stage: (event['stage'] as string | undefined) ?? 'INTAKE',
      occurredAt: new Date(at).toISOString(),
      afterMs: at - first,
      reasons: (codes ?? []).join(', '),
    };
  });
}
