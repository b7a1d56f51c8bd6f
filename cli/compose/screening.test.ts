import { expect, it } from 'vitest';
import type { Table } from '../../runtime/table.ts';
import type { ListReference, ScreeningListActivated } from '../../schemas/types.generated.ts';
import { durableLists } from './screening.ts';

const list = (source: string, activation: number): ListReference => ({
  source,
  versionId: `${source}-${activation}`,
  publishedOn: '',
  contentHash: 'h',
  activation,
});
const told = (...lists: readonly ListReference[]) =>
  ({
    entries: () => lists.map((each) => [each.source, { list: each }]).values(),
  }) as unknown as Table<ScreeningListActivated>;
const stored = (...lists: readonly ListReference[]) => ({ current: async () => lists });

it('what is durably in force counts as long as the log is not ahead of it', async () => {
  const log = told(list('OFAC', 2), list('UN', 1));
  const ahead = [list('OFAC', 3), list('UN', 1), list('EU', 1)];
  expect(await durableLists(stored(...ahead), log).current()).toEqual(ahead);
});

it.each([
  ['put back to an older version', [list('OFAC', 1), list('UN', 1)]],
  ['without a source', [list('OFAC', 2)]],
  ['empty', []],
])('a database that was %s clears nothing', async (_, lists) => {
  const durable = durableLists(stored(...lists), told(list('OFAC', 2), list('UN', 1)));
  await expect(durable.current()).rejects.toMatchObject({
    code: 'LIST_ACTIVATION_ROLLED_BACK',
    faultClass: 'transient-dependency',
  });
});
