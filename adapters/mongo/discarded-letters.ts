// Dead letters that the index calls discarded, as verification reads them: two persons must have let each through.
import type { Db } from 'mongodb';
import type { KeyRing } from '../../domain/seals/seal.ts';
import { type Approval, isApproved } from '../../operations/approvals/approval.ts';
import {
  actOf,
  approvedHash,
  type ReplayDocument,
  type ReplayItem,
  selectionHash,
} from '../../operations/dead-letters/replays/replay.ts';
import type { DeadLetterDocument } from '../../sinks/dead-letters/letter.ts';
import type { SealedDocument } from '../../verify/ports.ts';
import { MAJORITY } from './client.ts';
import { DEAD_LETTERS } from './dead-letters.ts';
import { guarded, mongoFault } from './fault.ts';
import { REPLAY_ITEMS } from './replay-items.ts';
import { REPLAYS, replayFromStore } from './replays.ts';

const PAGE = 1_000;
/** Approvals whose letters are kept at once. */
const MAX_KNOWN = 50;

/** Read-only. Each letter in state DISCARDED; its flaw where no approval lets it through. */
export async function* discardedLetters(db: Db, operators: KeyRing): AsyncGenerator<readonly SealedDocument[]> {
  const letters = db.collection<DeadLetterDocument>(DEAD_LETTERS, MAJORITY);
  const known = new Map<string, ReadonlySet<string>>();
  // One discard after the other, so that its letters are read once (index state_failedAt finds them; there are few).
  const found = letters
    .find({ state: 'DISCARDED' }, { projection: { takenBy: 1 }, batchSize: PAGE })
    .sort({ takenBy: 1, _id: 1 });
  let page: SealedDocument[] = [];
  try {
    for await (const { _id: id, takenBy } of found) {
      if (takenBy !== null && !known.has(takenBy)) {
        if (known.size >= MAX_KNOWN) known.clear();
        known.set(takenBy, await lettersOf(db, takenBy, operators));
      }
      const isLetThrough = takenBy !== null && known.get(takenBy)!.has(id);
      page.push({ kind: 'discarded letter', id, flaw: isLetThrough ? undefined : 'DISCARD_UNAPPROVED' });
      if (page.length < PAGE) continue;
      yield page;
      page = [];
    }
  } catch (error) {
    throw mongoFault(error);
  }
  yield page;
}

/** The letters that two persons have let through in this discard; none where what stands there is not what they saw. */
async function lettersOf(db: Db, id: string, operators: KeyRing): Promise<ReadonlySet<string>> {
  const stored = await guarded(() => db.collection<ReplayDocument>(REPLAYS, MAJORITY).findOne({ _id: id }));
  const replay = replayFromStore(stored);
  if (!replay?.discard || !replay.approvalId) return new Set();
  const approvals = db.collection<Approval>('approvals', MAJORITY);
  const approval = await guarded(() => approvals.findOne({ _id: replay.approvalId! }));
  const items = await guarded(() => db.collection<ReplayItem>(REPLAY_ITEMS, MAJORITY).find({ replayId: id }).toArray());
  const wanted = { act: actOf(replay), subject: id, hash: approvedHash(replay) };
  if (!approval || !isApproved(operators, approval, wanted)) return new Set();
  if (selectionHash(replay.owner, items) !== replay.selectionHash) return new Set();
  return new Set(items.map(({ letterId }) => letterId));
}
