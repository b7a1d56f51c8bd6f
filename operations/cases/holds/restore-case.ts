// A case that was changed or deleted in the database is written again, from the held event in the log.
import { justificationText, personName } from '../../../domain/people/identities.ts';
import type { Codec } from '../../../ports/codec.ts';
import { CodedError } from '../../../ports/fault.ts';
import type { Log } from '../../../ports/log.ts';
import { sealFlaw } from '../../../ports/seals.ts';
import type { HoldKeys, ReviewTrust } from '../../../processors/holds.ts';
import type { TransferHeld } from '../../../schemas/types.generated.ts';
import type { CaseDocument } from '../../../sinks/cases/case.ts';
import { caseMoved } from './cases.ts';
import type { RestorableHoldCases } from './ports.ts';
import { heldByStage, restoredCase } from './restore.ts';

const TOPIC = 'transfer.held';

/** Which case: by its hold, or by the transfer, whose last hold it is. */
export type RestoredOf = { readonly holdId: string } | { readonly transferId: string };

/** Who has it written again, and why. */
export interface RestoreRequest {
  readonly of: RestoredOf;
  readonly by: string;
  readonly reason: string;
  readonly at: Date;
}

export interface RestoreSources {
  readonly store: RestorableHoldCases;
  readonly log: Pick<Log, 'reader'>;
  readonly codec: Codec;
  readonly keys: ReviewTrust;
}

/**
 * @returns the case as it is now
 * @throws CodedError HOLD_UNKNOWN: no stage has sealed such a hold; CASE_WHOLE, HOLD_RESUMED, CASE_MOVED
 * @throws DomainError PERSON_INVALID, JUSTIFICATION_INVALID
 */
export async function restoreCase(sources: RestoreSources, request: RestoreRequest): Promise<CaseDocument> {
  const { store, keys } = sources;
  const { of, at } = request;
  const held = lastSealed(await heldEvents(sources, of), keys);
  if (!held) {
    const what = 'holdId' in of ? `case ${of.holdId}` : `transfer ${of.transferId}`;
    throw new CodedError('HOLD_UNKNOWN', `the log has no held event of ${what} that a stage has sealed`);
  }
  const { holdId } = held.hold;
  const [found, isResumed] = await Promise.all([store.find(holdId), store.isResumed(holdId)]);
  const restored = restoredCase(found, held, { operators: keys.operators, needsTwo: keys.needsTwo, isResumed });
  const act = { by: personName(request.by), reason: justificationText(request.reason), at };
  if (await store.restore(restored, act, found)) return restored;
  throw caseMoved(holdId);
}

/** The last of these events that a stage has sealed. */
function lastSealed(events: readonly TransferHeld[], keys: HoldKeys): TransferHeld | undefined {
  const latest = events.toSorted((a, b) => b.envelope.sequence - a.envelope.sequence);
  const held = latest.find(({ hold }) => heldByStage(keys, latest, hold.holdId) !== undefined);
  return held && heldByStage(keys, latest, held.hold.holdId);
}

/** Held events in the log that a stage wrote, of those that are wanted. */
async function heldEvents({ log, codec, keys }: RestoreSources, of: RestoredOf): Promise<readonly TransferHeld[]> {
  await codec.load([TOPIC]);
  const isWanted = (held: TransferHeld) =>
    'holdId' in of ? held.hold.holdId === of.holdId : held.envelope.transferId === of.transferId;
  const found: TransferHeld[] = [];
  const reader = log.reader();
  await reader.read(await reader.offsets([TOPIC]), async ({ records }) => {
    const proven = records.filter((record) => !record.unreadable && sealFlaw(keys, TOPIC, record) === undefined);
    const decoded = await codec.decode(
      TOPIC,
      proven.map(({ value }) => value),
    );
    for (const result of decoded) if (result.ok && isWanted(result.value)) found.push(result.value);
  });
  return found;
}
