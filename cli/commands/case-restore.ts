// `corridor cases restore`: a case that was changed or deleted in the database, written again from the log.
import { userInfo } from 'node:os';
import type { Command } from 'commander';
import { caseStore } from '../../adapters/mongo/cases.ts';
import { justificationText, personName } from '../../domain/identities.ts';
import { CodedError } from '../../ports/fault.ts';
import { sealFlaw } from '../../ports/seals.ts';
import type { TransferHeld } from '../../schemas/types.generated.ts';
import type { Connections } from '../../services/connect.ts';
import { heldByStage, restoredCase } from '../../sinks/cases/restore.ts';
import { withConnections } from '../connections.ts';
import { print } from '../output.ts';

const TOPIC = 'transfer.held';

interface RestoreOptions {
  readonly transfer?: string;
  readonly reason: string;
  readonly by: string;
}

export function registerCaseRestore(cases: Command): void {
  cases
    .command('restore')
    .argument('[case]', 'id of the case, which is that of the hold')
    .description('write a case again that was changed or deleted in the database, as the log has it')
    .option('--transfer <id>', 'or the transfer that is held: its last hold')
    .requiredOption('--reason <text>', 'why; kept')
    .option('--by <operator>', 'who restores it', userInfo().username)
    .addHelpText(
      'after',
      `
Taken from transfer.held, from the event that bears the seal of the stage (CORRIDOR_STAGE_KEYS): run it where the sinks run.
A decision that a person made on just this content stays, and is sent again. Refused when the case is open as it was held,
when its decision is being sent, or when its hold was resumed.

Example:
  corridor cases restore --transfer 5f1c… --by amara --reason "changed in the database, ticket 4711"`,
    )
    .action((id: string | undefined, { transfer, reason, by }: RestoreOptions) =>
      withConnections(async (connections) => {
        if ((id === undefined) === (transfer === undefined)) {
          throw new CodedError('OPTION_MISSING', 'say either a case or --transfer');
        }
        const { keys } = connections.config;
        const events = await heldEvents(connections, (held) =>
          transfer === undefined ? held.hold.holdId === id : held.envelope.transferId === transfer,
        );
        const latest = events.toSorted((a, b) => b.envelope.sequence - a.envelope.sequence);
        const held = latest.find(({ hold }) => heldByStage(keys, latest, hold.holdId) !== undefined);
        const proven = held && heldByStage(keys, latest, held.hold.holdId);
        if (!proven) {
          const what = id === undefined ? `transfer ${transfer}` : `case ${id}`;
          throw new CodedError('HOLD_UNKNOWN', `the log has no held event of ${what} that a stage has sealed`);
        }
        const store = caseStore(await connections.db());
        const { holdId } = proven.hold;
        const [found, isResumed] = await Promise.all([store.find(holdId), store.isResumed(holdId)]);
        const restored = restoredCase(found, proven, { operators: keys.operators, isResumed });
        const act = { by: personName(by), reason: justificationText(reason), at: new Date() };
        await store.restore(restored, act, found);
        print(`case ${holdId} of transfer ${restored.transferId} is ${restored.state} again, as it was held`);
      }),
    );
}

/** Held events in the log that a stage wrote, of those that are wanted. */
async function heldEvents(
  { log, codec, config }: Connections,
  isWanted: (held: TransferHeld) => boolean,
): Promise<readonly TransferHeld[]> {
  await codec.load([TOPIC]);
  const found: TransferHeld[] = [];
  const reader = log.reader();
  await reader.read(await reader.offsets([TOPIC]), async ({ records }) => {
    const proven = records.filter((record) => !record.unreadable && sealFlaw(config.keys, TOPIC, record) === undefined);
    const decoded = await codec.decode(
      TOPIC,
      proven.map(({ value }) => value),
    );
    for (const result of decoded) if (result.ok && isWanted(result.value)) found.push(result.value);
  });
  return found;
}
