// Any legal history verifies clean; any single mutation of it is found.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isSealedPayout } from '../payouts/seal.ts';
import { KEYS } from '../test/kit/keys.ts';
import { times } from '../test/kit/times.ts';
import type { StoredPayout } from './ports.ts';
import type { Entry } from './testing/entry.ts';
import { ENDINGS, History } from './testing/history.ts';
import type { MemoryStores } from './testing/memory-stores.ts';
import { verify } from './verify.ts';

const RUNS = times(25);
const endings = fc.array(fc.constantFrom(...ENDINGS), { minLength: 1, maxLength: 5 });

const historyOf = (chosen: readonly (typeof ENDINGS)[number][]) => {
  const history = new History();
  for (const ending of chosen) history.tell(ending);
  return history.fillStores();
};

it('any legal history verifies clean', async () => {
  await fc.assert(
    fc.asyncProperty(endings, async (chosen) => {
      const report = await verify(historyOf(chosen).sources(), { settleMs: 0 });
      expect(report.findings).toEqual([]);
    }),
    { numRuns: RUNS },
  );
});

/** Published at least once: another copy of a command is legal. */
const AT_LEAST_ONCE = new Set(['payout.updated', 'review.decided']);

/**
 * What no record of the log and no store says a second time, so that nothing can contradict it: words for people, and
 * what only the executor knew when it published.
 */
const SAID_ONCE =
  /^(transfer\.(rejected|returned|requote-requested)\.(reasons?\.|stage)|payout\.updated\.(requested|command\.(issuedAt|issuedBy|attempt))|review\.decided\.command\.attempt|payout\.attempts\.claimId|transfer\.requested)/;

interface Leaf {
  readonly path: string;
  readonly set: (value: unknown) => void;
  readonly value: unknown;
}

function leavesOf(value: unknown, path: string, set: (value: unknown) => void): readonly Leaf[] {
  if (value === null || value === undefined) return [];
  if (Buffer.isBuffer(value)) return [{ path, set, value }];
  if (value instanceof Date || typeof value !== 'object') return [{ path, set, value }];
  return Object.entries(value).flatMap(([name, inner]) =>
    leavesOf(inner, `${path}.${name}`, (next) => {
      (value as Record<string, unknown>)[name] = next;
    }),
  );
}

function otherValue(value: unknown): unknown {
  if (typeof value === 'bigint') return value + 1n;
  if (typeof value === 'number') return value + 1;
  if (typeof value === 'boolean') return !value;
  if (value instanceof Date) return new Date(value.getTime() + 1);
  if (value instanceof Uint8Array) return Buffer.from(value).fill((value.at(-1) ?? 0) ^ 1, value.length - 1);
  return value === 'APPROVE' ? 'REJECT' : `${value as string}x`;
}

/** Applies one mutation; says what it did, or undefined when it could not. */
type Mutation = (history: History, pick: number) => string | undefined;

const at = <T>(items: readonly T[], pick: number): T | undefined =>
  items[Math.min(items.length - 1, Math.floor(pick * items.length))];

const dropEntry: Mutation = (history, pick) => {
  const entry = at(history.entries, pick)!;
  history.entries.splice(history.entries.indexOf(entry), 1);
  return `without ${entry.topic}/${entry.partition}/${entry.offset}`;
};

/** A mark may stand in the log twice: the executor writes it at least once. */
const isMark = ({ topic, value }: Entry): boolean =>
  topic === 'transfer.lifecycle' && (value as { state?: string } | undefined)?.state === 'DEAD_LETTERED';

const repeatEntry: Mutation = (history, pick) => {
  const entry = at(
    history.entries.filter((candidate) => !AT_LEAST_ONCE.has(candidate.topic) && !isMark(candidate)),
    pick,
  )!;
  const { topic, partition, key, value, bytes, headers } = entry;
  history.append(topic, partition, { key, value, bytes, headers });
  return `${topic}/${partition}/${entry.offset} twice`;
};

/** An enum symbol cannot be any text: those are left alone. */
const isEncodable = (history: History, { topic, value }: Entry): boolean => {
  try {
    history.codec.encode(topic as never, value as never);
    return true;
  } catch {
    return false;
  }
};

/** Fields of a record that something else says too. */
const saidTwice = (value: unknown, topic: string): readonly Leaf[] =>
  leavesOf(value, topic, () => undefined).filter(({ path }) => !SAID_ONCE.test(path));

/** Changes one field of a record, if the schema lets it. */
function change(history: History, entry: Entry, choose: (leaves: readonly Leaf[]) => Leaf | undefined) {
  entry.value = structuredClone(entry.value);
  const leaf = choose(saidTwice(entry.value, entry.topic));
  if (leaf === undefined) return undefined;
  leaf.set(otherValue(leaf.value));
  if (isEncodable(history, entry)) return `${leaf.path} of ${entry.key} is ${String(otherValue(leaf.value))}`;
  leaf.set(leaf.value);
  return undefined;
}

const changeEntry: Mutation = (history, pick) => {
  const decoded = history.entries.filter(({ value }) => value !== undefined);
  const entry = at(decoded, pick);
  return entry && change(history, entry, (leaves) => at(leaves, (pick * 7_919) % 1));
};

const STORES: readonly (keyof MemoryStores)[] = [
  'events',
  'transfers',
  'cases',
  'payouts',
  'intentClaims',
  'settlementClaims',
  'holdClaims',
];

const forgetDocument: Mutation = ({ stores }, pick) => {
  const all = STORES.flatMap((store) => [...stores[store].byId.keys()].map((id) => ({ store, id })));
  const chosen = at(all, pick);
  if (chosen === undefined) return undefined;
  stores[chosen.store].byId.delete(chosen.id);
  return `${chosen.store} without ${chosen.id}`;
};

/** When the event log took a record in is known to it alone; what the executor keeps for itself is its own. */
const KEPT_TO_ITSELF =
  /^(events\.ingestedAt|transfers\.(updatedAt|_id)|events\._id|cases\.(_id|state|commandPending)|payouts\.(seal|proof\.|revision|polls|deadAtProvider|deadAttempts|clockDoubts|createdAt|changedAt|attempts\.\d+\.(pricingAttempt|startedAt|leaseUntil|expiresAt|acceptedAt|notFound|end\.(at|how)))|intentClaims\.transferId|settlementClaims\.(transferId|steps\.\d+\.(version|position))|holdClaims\.(holdId|transferId|position))/;

const changeDocument: Mutation = (history, pick) => {
  const { stores } = history;
  const all = STORES.flatMap((store) => [...stores[store].byId].map(([id, document]) => ({ store, id, document })));
  const chosen = at(all, pick);
  return chosen && changeLeaf(history, chosen, (leaves) => at(leaves, (pick * 7_919) % 1));
};

/** Fields of a document that the log or the provider says too. The log hears of a payout's provider with its first update. */
const contradicted = (document: unknown, store: string): readonly Leaf[] =>
  leavesOf(document, store, () => undefined).filter(
    ({ path }) =>
      !KEPT_TO_ITSELF.test(path) &&
      !(path === 'payouts.provider' && (document as { updates: readonly unknown[] }).updates.length === 0),
  );

interface Stored {
  readonly store: keyof MemoryStores;
  readonly id: string;
}

/** Changes one field of a document. */
function changeLeaf(
  { stores }: History,
  { store, id }: Stored,
  choose: (leaves: readonly Leaf[]) => Leaf | undefined,
): string | undefined {
  const documents = stores[store].byId as Map<string, unknown>;
  const copy = cloned(documents.get(id));
  const leaf = choose(contradicted(copy, store));
  if (leaf === undefined) return undefined;
  leaf.set(otherValue(leaf.value));
  documents.set(id, copy);
  return `${leaf.path} of ${id} is ${String(otherValue(leaf.value))}`;
}

/** A deep copy; buffers stay buffers. */
function cloned(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return Buffer.from(value);
  if (value instanceof Date) return new Date(value);
  if (Array.isArray(value)) return value.map(cloned);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, cloned(inner)]));
}

const changeLimits: Mutation = ({ limits }, pick) => {
  const counter = at([...limits.buckets.values()], pick);
  if (counter === undefined) return undefined;
  limits.buckets.set(counter.bucket, { ...counter, usedMinor: counter.usedMinor! + 1n });
  return `${counter.bucket} counts more`;
};

const dropMovement: Mutation = ({ provider }, pick) => {
  const moved = at(
    provider.filter(({ kind }) => kind !== 'submit'),
    pick,
  );
  if (moved === undefined) return undefined;
  provider.splice(provider.indexOf(moved), 1);
  return `the provider without ${moved.kind} of ${moved.key}`;
};

const repeatMovement: Mutation = ({ provider }, pick) => {
  const record = at(provider, pick);
  if (record === undefined) return undefined;
  provider.push({ ...record, seq: provider.length + 1 });
  return `the provider with ${record.kind} of ${record.key} twice`;
};

const MUTATIONS = {
  dropEntry,
  repeatEntry,
  changeEntry,
  forgetDocument,
  changeDocument,
  changeLimits,
  dropMovement,
  repeatMovement,
};

it.each(Object.entries(MUTATIONS))('any single mutation is found: %s', async (_name, mutate) => {
  await fc.assert(
    fc.asyncProperty(endings, fc.double({ min: 0, max: 1, noNaN: true }), async (chosen, pick) => {
      const history = historyOf(chosen);
      const what = mutate(history, pick);
      fc.pre(what !== undefined);
      const report = await verify(history.sources(), { settleMs: 0 });
      expect({ what, ok: report.ok }).toEqual({ what, ok: false });
    }),
    { numRuns: RUNS },
  );
});

it.each(ENDINGS)('any single field of any record that is changed is found: %s', async (ending) => {
  const { entries } = historyOf([ending]);
  const missed: string[] = [];
  for (const [index, { topic, value }] of entries.entries()) {
    if (value === undefined) continue;
    for (let field = saidTwice(value, topic).length - 1; field >= 0; field--) {
      const history = historyOf([ending]);
      const what = change(history, history.entries[index]!, (leaves) => leaves[field]);
      if (what === undefined) continue;
      const report = await verify(history.sources(), { settleMs: 0 });
      if (report.ok) missed.push(what);
    }
  }
  expect(missed).toEqual([]);
});

it.each(ENDINGS)('any single field of any document that is changed is found: %s', async (ending) => {
  const missed: string[] = [];
  for (const store of STORES) {
    for (const [id, document] of historyOf([ending]).stores[store].byId) {
      for (let field = contradicted(document, store).length - 1; field >= 0; field--) {
        const history = historyOf([ending]);
        const what = changeLeaf(history, { store, id }, (leaves) => leaves[field]);
        const report = await verify(history.sources(), { settleMs: 0 });
        if (report.ok) missed.push(what!);
      }
    }
  }
  expect(missed).toEqual([]);
});

it('under the seal of the executor, any single field of a payout that is changed is found', async () => {
  const missed: string[] = [];
  for (const ending of ['completed', 'returned', 'failed', 'requoted', 'with-provider'] as const) {
    const [document] = [...historyOf([ending]).stores.payouts.byId.values()];
    const count = leavesOf(cloned(document), 'payouts', () => undefined).length;
    for (let field = 0; field < count; field++) {
      const copy = cloned(document) as StoredPayout;
      const leaf = leavesOf(copy, 'payouts', () => undefined)[field]!;
      // Moved by the relay alone, and compared with the log.
      if (leaf.path === 'payouts.publishedVersion') continue;
      leaf.set(otherValue(leaf.value));
      if (isSealedPayout(KEYS.executor, copy, copy.seal)) missed.push(leaf.path);
    }
  }
  expect(missed).toEqual([]);
  const report = await verify({ ...historyOf(['completed', 'returned']).sources(), keys: KEYS }, { settleMs: 0 });
  expect(report.codes).toEqual({});
});
