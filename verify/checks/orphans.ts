// What the stores hold and the log does not know: nothing may come from nowhere.
import { parseOrigin } from '../../domain/transfers/origin-position.ts';
import { RECOVERY_HEADER } from '../../topics/headers.ts';
import { type Check, needsStores, type Run } from '../check.ts';
import { isOfTopic } from '../cut.ts';
import { KnownIds } from '../known-ids.ts';
import type { Stores } from '../ports.ts';
import { ANYTHING } from '../report.ts';

const NAME = 'strangers';

/** Stores whose documents are counted: each known id has one. */
const COUNTED = ['events', 'transfers', 'intentClaims', 'cases'] as const;
/** Stores whose ids can be looked through. */
const NAMED = ['transfers', 'intentClaims', 'cases', 'payouts', 'settlementClaims', 'holdClaims'] as const;

/** A check of its own per run: it keeps eight bytes an id. */
export function orphans(): Check {
  const known = {
    transfers: new KnownIds(),
    payouts: new KnownIds(),
    settlementClaims: new KnownIds(),
    cases: new KnownIds(),
  };
  /** Inputs of intake that operators discarded: intake has claimed the id of each, so that it never becomes a transfer. */
  const discarded = new Set<string>();
  const count = (run: Run, store: (typeof COUNTED)[number], by: number) =>
    run.documents.set(store, (run.documents.get(store) ?? 0) + by);
  return {
    name: NAME,
    proves: 'The stores hold nothing that the log does not know.',
    skips: needsStores,
    record({ topic }, run) {
      if (topic === 'intent.rejected' || topic === 'intent.duplicated') count(run, 'events', 1);
      if (topic === 'transfer.held') count(run, 'cases', 1);
    },
    recovery({ owner, kind }, { topic, partition, offset, earlier }, { headers }, run) {
      if (owner !== 'intake' || kind !== 'replay' || topic !== run.inputs.topic || earlier !== undefined) return;
      if (headers[RECOVERY_HEADER.discardReason] === undefined) return;
      const place = `${partition}:${offset}`;
      if (!discarded.has(place)) count(run, 'intentClaims', 1);
      discarded.add(place);
    },
    transfer({ id, events, marks, holds, updates, verifiedThrough }, run) {
      known.transfers.add(id);
      for (const { holdId } of holds) known.cases.add(holdId);
      if (events.some(({ topic, seen }) => topic === 'payout.requested' && seen > 0)) known.payouts.add(id);
      if (updates.length > 0) known.settlementClaims.add(id);
      count(
        run,
        'events',
        marks.length +
          events.filter(({ lifecycleRecords, sequence }) => lifecycleRecords > 0 && sequence > verifiedThrough).length,
      );
      if (verifiedThrough > 0) return;
      count(run, 'transfers', 1);
      count(run, 'intentClaims', 1);
    },
    async end(run) {
      const stores = run.sources.stores!;
      const byId = { ...known, intentClaims: known.transfers, holdClaims: known.cases };
      const look: Look = { stores, run, discarded };
      if (!run.continues) for (const store of NAMED) await lookThrough(store, byId[store], look);
      for (const store of run.continues ? COUNTED : (['events'] as const)) {
        const expected = run.documents.get(store) ?? 0;
        const stored = await stores[store].count();
        if (stored <= expected) continue;
        const detail = `${store}: ${stored} documents, and the log accounts for ${expected}`;
        run.findings.defer(NAME, { code: 'DOCUMENTS_OVER', detail }, { subject: ANYTHING });
      }
    },
  };
}

interface Look {
  readonly stores: Stores;
  readonly run: Run;
  /** `partition:offset` of intents that operators discarded. */
  readonly discarded: ReadonlySet<string>;
}

async function lookThrough(store: (typeof NAMED)[number], known: KnownIds, look: Look): Promise<void> {
  const { stores, run } = look;
  for await (const page of stores[store].ids()) {
    const unknown = page.filter((id) => !known.has(id));
    if (unknown.length === 0) continue;
    for (const { id, transferId } of await unexplained(store, unknown, look)) {
      const detail = `${store}: ${id} is stored, and the log does not know it`;
      run.findings.defer(NAME, { code: 'STRANGER_STORED', transferId, detail }, { subject: transferId });
    }
  }
}

interface Orphan {
  readonly id: string;
  readonly transferId: string;
}

/** A claim is made before its event, which may be on its way yet, may have become a dead letter, or was discarded. */
async function unexplained(
  store: (typeof NAMED)[number],
  ids: readonly string[],
  { stores, run, discarded }: Look,
): Promise<readonly Orphan[]> {
  if (store === 'intentClaims') {
    const claims = await stores.intentClaims.find(ids);
    const loose = claims.filter(({ originPosition }) => !isOpenInput(originPosition, run, discarded));
    return loose.map(({ transferId }) => ({ id: transferId, transferId }));
  }
  if (store === 'cases' || store === 'holdClaims') {
    const found = await stores[store].find(ids);
    return found.map((each) => ({ id: '_id' in each ? each._id : each.holdId, transferId: each.transferId }));
  }
  return ids.map((id) => ({ id, transferId: id }));
}

function isOpenInput(originPosition: string, run: Run, discarded: ReadonlySet<string>): boolean {
  const origin = parseOrigin(originPosition);
  if (origin === undefined) return false;
  const { topicId, partition, offset } = origin;
  if (!isOfTopic(run.cut, run.inputs.topic, topicId)) return false;
  const source = { owner: 'intake', topic: run.inputs.topic, partition, offset };
  return (
    discarded.has(`${partition}:${offset}`) ||
    !run.cut.isHandled('intake', source.topic, partition, offset) ||
    run.trail.isWaiting(source) ||
    run.trail.isDeadLettered(source)
  );
}
