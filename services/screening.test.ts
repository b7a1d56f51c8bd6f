import { expect, it } from 'vitest';
import type { Table } from '../runtime/hosts/table.ts';
import type { ListReference, ScreeningListActivated } from '../schemas/types.generated.ts';
import { KEYS } from '../test/kit/keys.ts';
import { durableLists, revocationsInLog } from './screening.ts';

const list = (source: string, activation: number): ListReference => ({
  source,
  versionId: `${source}-${activation}`,
  publishedOn: '',
  contentHash: 'h',
  activation,
});
const tableOf = (...lists: readonly ListReference[]) =>
  ({
    entries: () => lists.map((each) => [each.source, { list: each }]).values(),
  }) as unknown as Table<ScreeningListActivated>;
const stored = (...lists: readonly ListReference[]) => ({ current: async () => lists });

it('what is durably in force counts as long as the log is not ahead of it', async () => {
  const log = tableOf(list('OFAC', 2), list('UN', 1));
  const ahead = [list('OFAC', 3), list('UN', 1), list('EU', 1)];
  expect(await durableLists(stored(...ahead), log).current()).toEqual(ahead);
});

it.each([
  ['put back to an older version', [list('OFAC', 1), list('UN', 1)]],
  ['without a source', [list('OFAC', 2)]],
  ['empty', []],
])('a database that was %s clears nothing', async (_, lists) => {
  const durable = durableLists(stored(...lists), tableOf(list('OFAC', 2), list('UN', 1)));
  await expect(durable.current()).rejects.toMatchObject({
    code: 'LIST_ACTIVATION_ROLLED_BACK',
    faultClass: 'transient-dependency',
  });
});

it('what is put in force while the database is read counts the next time', async () => {
  const inLog = [list('OFAC', 1)];
  const log = {
    entries: () => inLog.map((each) => [each.source, { list: each }] as const).values(),
  } as unknown as Table<ScreeningListActivated>;
  const store = {
    current: async () => {
      inLog[0] = list('OFAC', 2);
      return [list('OFAC', 1)];
    },
  };
  expect(await durableLists(store, log).current()).toEqual([list('OFAC', 1)]);
  await expect(durableLists(stored(list('OFAC', 1)), log).current()).rejects.toMatchObject({
    code: 'LIST_ACTIVATION_ROLLED_BACK',
  });
});

it('revocations are read from the start, and a topic that is missing is told then, and when the first is asked for', async () => {
  const followed: string[] = [];
  const missing = new Error('the topic does not exist');
  const follow = ([topic]: readonly string[]) => {
    followed.push(topic!);
    return { caughtUp: Promise.reject(missing), currentAt: () => undefined, stop: async () => undefined };
  };
  const revocations = revocationsInLog({
    config: { keys: KEYS },
    log: { reader: () => ({ follow }) },
    codec: { load: async () => undefined },
  } as never);
  await expect(revocations.warm()).rejects.toBe(missing);
  expect(followed).toEqual(['screening.exception-revoked']);
  await expect(revocations.among(['a'])).rejects.toBe(missing);
  await revocations.close();
});
