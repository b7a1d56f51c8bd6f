// The index of dead letters against a real database: groups with their money, pages, notes.
import { type Db, MongoClient } from 'mongodb';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { annotateGroup, letterGroups } from '../../operations/dead-letters/groups.ts';
import { allLetters, findLetter, listLetters } from '../../operations/dead-letters/letters.ts';
import { contentOf, type DeadLetterDocument, groupIndexes, indexes } from '../../sinks/dead-letters/letter.ts';
import { DEAD_LETTERS, deadLetters, GROUPS, groupCounts } from './dead-letters.ts';
import { ensureIndexes, insertOnlyStore } from './idempotent-store.ts';

let client: MongoClient;
let db: Db;

beforeAll(async () => {
  client = await MongoClient.connect(inject('stack').mongoUri);
  db = client.db(`letters_${process.pid}_${Date.now().toString(36)}`);
  await ensureIndexes(db, DEAD_LETTERS, indexes);
  await ensureIndexes(db, GROUPS, groupIndexes);
});
afterAll(async () => {
  await db.dropDatabase();
  await client.close();
});

const AT = Date.UTC(2026, 10, 30, 2);
const MINUTE_MS = 60_000;

function letter(n: number, of: Partial<DeadLetterDocument> = {}): DeadLetterDocument {
  const failedAt = new Date(AT + n * MINUTE_MS);
  return {
    _id: `letter-${String(n).padStart(4, '0')}`,
    proven: true,
    letterId: `letter-${String(n).padStart(4, '0')}`,
    owner: 'limits',
    code: 'UNEXPECTED_ERROR',
    class: 'poison',
    detail: 'broke',
    frame: 'decide processors/limits/decide.ts',
    group: 'aaaaaaaaaaaaaaaa',
    cause: 'decide processors/limits/decide.ts',
    place: { topicId: 'dlq', partition: 0, offset: n },
    source: { topic: 'transfer.priced', topicId: 'priced', partition: 0, offset: n, lastOffset: null },
    firstFailedAt: failedAt,
    failedAt,
    tries: 1,
    replayCount: 0,
    replayId: null,
    transferId: `T-${n}`,
    sequence: 3,
    corridor: 'GB-IN',
    amountMinor: 2n ** 53n + BigInt(n),
    currency: 'GBP',
    bytes: 1_000,
    state: 'PARKED',
    takenBy: null,
    stateAt: failedAt,
    ...of,
  };
}

const LETTERS = [
  ...Array.from({ length: 30 }, (_, n) => letter(n)),
  ...Array.from({ length: 10 }, (_, n) => letter(100 + n, { currency: 'EUR', corridor: 'EU-IN', amountMinor: 5n })),
  ...Array.from({ length: 3 }, (_, n) => letter(200 + n, { currency: null, corridor: null, amountMinor: null })),
  letter(300, { group: 'bbbbbbbbbbbbbbbb', cause: 'another', proven: false }),
  letter(301, { group: 'cccccccccccccccc', cause: 'given up', state: 'VERIFIED' }),
];

it('writes each letter once, however often', async () => {
  const store = insertOnlyStore<DeadLetterDocument>(db, DEAD_LETTERS, contentOf);
  expect(await store.insertOnly(LETTERS)).toMatchObject({ written: LETTERS.length, conflicting: [] });
  const moved = LETTERS.map((document) => ({ ...document, place: { ...document.place, offset: 9_999 } }));
  expect(await store.insertOnly(moved)).toMatchObject({ written: 0, stale: LETTERS.length, conflicting: [] });
  const changed = [{ ...LETTERS[0]!, amountMinor: 1n }];
  expect(await store.insertOnly(changed)).toMatchObject({ conflicting: [LETTERS[0]!._id] });
});

it('groups them by cause, with exact money by currency and what is new', async () => {
  const counts = groupCounts(db);
  await counts.touch(LETTERS.map(({ group }) => group));
  const query = { now: AT, newSince: new Date(AT + 105 * MINUTE_MS) };
  expect(await letterGroups(deadLetters(db), query)).toMatchObject({ groups: [], complete: false });
  expect(await counts.recount(10)).toBe(3);
  expect(await counts.recount(10)).toBe(0);
  const { groups, complete } = await letterGroups(deadLetters(db), query);
  expect(complete).toBe(true);
  expect(groups.map(({ id }) => id)).toEqual(['bbbbbbbbbbbbbbbb', 'aaaaaaaaaaaaaaaa']);
  const [strange, broken] = groups;
  expect(strange).toMatchObject({ letters: 1, proven: false });
  expect(broken).toMatchObject({
    letters: 43,
    proven: true,
    recent: 8,
    withoutAmount: 3,
    corridors: ['EU-IN', 'GB-IN'],
    money: [
      { currency: 'GBP', minor: 30n * 2n ** 53n + 435n, letters: 30 },
      { currency: 'EUR', minor: 50n, letters: 10 },
    ],
    firstFailedAt: new Date(AT),
    oldestAt: new Date(AT),
    lastFailedAt: new Date(AT + 202 * MINUTE_MS),
    note: undefined,
  });
});

it('lists them latest first, page by page, each once', async () => {
  const store = deadLetters(db);
  const seen: string[] = [];
  for await (const { _id } of allLetters(store, { group: 'aaaaaaaaaaaaaaaa' })) seen.push(_id);
  expect(seen).toEqual(
    LETTERS.slice(0, 43)
      .map(({ _id }) => _id)
      .toReversed(),
  );
  const paged: string[] = [];
  let page = await listLetters(store, { states: ['PARKED'], corridor: 'GB-IN' }, 7);
  for (;;) {
    paged.push(...page.letters.map(({ _id }) => _id));
    if (!page.next) break;
    page = await listLetters(store, { states: ['PARKED'], corridor: 'GB-IN' }, 7, page.next);
  }
  expect(paged).toHaveLength(31);
  expect(new Set(paged).size).toBe(31);
});

it('lists letters of one instant each once', async () => {
  const store = insertOnlyStore<DeadLetterDocument>(db, DEAD_LETTERS, contentOf);
  const same = Array.from({ length: 25 }, (_, n) => ({ ...letter(400), _id: `same-${n}`, code: 'SAME' }));
  await store.insertOnly(same);
  const paged: string[] = [];
  let page = await listLetters(deadLetters(db), { code: 'SAME' }, 4);
  for (;;) {
    paged.push(...page.letters.map(({ _id }) => _id));
    if (!page.next) break;
    page = await listLetters(deadLetters(db), { code: 'SAME' }, 4, page.next);
  }
  expect(paged.toSorted()).toEqual(same.map(({ _id }) => _id).toSorted());
});

it('says of an id that there is none', async () => {
  await expect(findLetter(deadLetters(db), 'nobody')).rejects.toMatchObject({ code: 'LETTER_UNKNOWN' });
  expect((await findLetter(deadLetters(db), 'letter-0003')).amountMinor).toBe(2n ** 53n + 3n);
});

it('keeps notes on groups: of two writers at once one is told to look again', async () => {
  const store = deadLetters(db);
  const at = new Date(AT);
  const group = 'aaaaaaaaaaaaaaaa';
  await expect(annotateGroup(store, { group: 'none', by: 'asha', at })).rejects.toMatchObject({
    code: 'LETTER_GROUP_UNKNOWN',
  });
  const both = await Promise.allSettled([
    annotateGroup(store, { group, by: 'asha', note: 'a bug', at }),
    annotateGroup(store, { group, by: 'ben', incident: 'INC-1', at }),
  ]);
  const refused = both.filter(({ status }) => status === 'rejected');
  expect(refused.every((end) => (end as PromiseRejectedResult).reason.code === 'LETTER_GROUP_MOVED')).toBe(true);
  expect(refused.length).toBeLessThan(2);
  await annotateGroup(store, { group, by: 'asha', note: 'a bug', incident: 'INC-1', assignee: 'ben', at });
  const written = await annotateGroup(store, { group, by: 'ben', note: '', at });
  expect(written).toMatchObject({ note: null, incident: 'INC-1', assignee: 'ben', by: 'ben' });
  const { groups } = await letterGroups(store, { now: AT });
  expect(groups.find(({ id }) => id === group)?.note).toEqual(written);
});

it('says of a count that it is behind, and counts again what was touched while it counted', async () => {
  const [counts, store] = [groupCounts(db), deadLetters(db)];
  const group = 'aaaaaaaaaaaaaaaa';
  await insertOnlyStore<DeadLetterDocument>(db, DEAD_LETTERS, contentOf).insertOnly([letter(500)]);
  await counts.touch([group]);
  const before = await letterGroups(store, { now: AT });
  expect(before).toMatchObject({ complete: false });
  expect(before.groups.find(({ id }) => id === group)).toMatchObject({ isCurrent: false, note: { by: 'ben' } });
  await Promise.all([counts.recount(10), counts.touch([group]), counts.recount(10), counts.touch([group])]);
  await counts.recount(10);
  const after = await letterGroups(store, { now: AT });
  expect(after.complete).toBe(true);
  expect(after.groups.find(({ id }) => id === group)!.letters).toBe(43 + 25 + 1);
});
