// Lists that are cut say so.
import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { loadSampleList } from '../../../screening/lists/sample/load.ts';
import { type Memory, testApi } from '../../testing/api.ts';
import { keyed, person } from '../../testing/asking.ts';

let app: FastifyInstance;
let memory: Memory;
beforeEach(async () => {
  ({ app, memory } = await testApi());
});
afterEach(() => app.close());

const asha = person(() => app, 'asha', 'operator');
const carol = person(() => app, 'carol', 'compliance');

/** How many items, and whether that is all. */
async function listed(path: string, who = asha): Promise<readonly [number, boolean]> {
  const { items, complete } = (await who.get(path)).body;
  return [items.length, complete];
}

it('skips', async () => {
  const record = { consumer: 'limits', topic: 'transfer.priced', partition: 3, offset: 4_711, reason: 'INC-1' };
  await asha.post('skips', record, keyed('skip-0001'));
  expect(await listed('skips')).toEqual([1, true]);
  const [approval] = [...memory.approvals.all.values()];
  for (let n = 0; n < 100; n++) memory.approvals.all.set(`a-${n}`, { ...approval!, _id: `a-${n}` });
  expect(await listed('skips?state=WAITING')).toEqual([100, false]);
});

it('exceptions', async () => {
  const entity = (await loadSampleList()).entities[0]!.id;
  for (const days of [10, 20])
    await carol.post('exceptions', { token: 'customer-1', entity, days, reason: 'x' }, keyed(`exception-${days}`));
  expect(await listed('exceptions', carol)).toEqual([2, true]);
  expect(await listed('exceptions?limit=1', carol)).toEqual([1, false]);
});

it('list versions', async () => {
  expect(await listed('lists')).toEqual([1, true]);
  const sample = await loadSampleList();
  await memory.desks.lists.put({ ...sample, publicationDate: '2026-11-24', entitiesHash: 'e'.repeat(64) });
  expect(await listed('lists')).toEqual([2, true]);
  expect(await listed('lists?limit=1')).toEqual([1, false]);
});

it('broken glass', async () => {
  expect(await listed('break-glass')).toEqual([0, true]);
  for (let n = 0; n < 51; n++) {
    const opener = person(() => app, `person-${n}`, 'operator');
    await opener.post('break-glass', { reason: 'alone on call', minutes: 10 }, keyed(`glass-00${n}`));
  }
  expect(await listed('break-glass')).toEqual([50, false]);
});
