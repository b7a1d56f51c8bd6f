// What tells of transfers is checked by its seal: a forgery is named, and says nothing of its transfer.
import { expect, it } from 'vitest';
import { keyRing } from '../domain/seals/seal.ts';
import type { OutputRecord } from '../ports/log.ts';
import { sealed } from '../ports/seals.ts';
import { AT } from '../test/kit/builders.ts';
import { testRings } from '../test/kit/rings.ts';
import { contractOf, type TopicName } from '../topics/catalogue.ts';
import { History } from './testing/history.ts';
import { AT_ONCE } from './testing/plant.ts';
import { verify } from './verify.ts';

const TOPIC = 'transfer.lifecycle';
const buffers = (headers: OutputRecord['headers']) =>
  Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, Buffer.from(text as string)]));

/** A history under the seals of those who made it, but for these topics. */
function sealedHistory(unsealed: readonly string[] = []) {
  const history = new History();
  for (const ending of ['completed', 'intent-rejected', 'over-limit'] as const) history.tell(ending);
  history.fillStores();
  const sources = history.sources();
  for (const { topic, partition, offset, key, value, headers } of history.entries) {
    if (contractOf(topic)?.sealedBy == null || unsealed.includes(topic)) continue;
    const bytes = history.codec.encode(topic as TopicName, value);
    const record = sealed(testRings, { topic, partition, key, value: bytes, headers });
    sources.fixed.drop(topic, partition, offset);
    sources.fixed.put({
      ...{ topic, partition, offset, key: Buffer.from(key), value: bytes, timestamp: AT },
      headers: buffers(record.headers),
    });
  }
  return { history, sources };
}

it('a history that is sealed throughout is in agreement', async () => {
  const { sources } = sealedHistory();
  const report = await verify({ ...sources, rings: testRings }, AT_ONCE);
  expect(report.findings).toEqual([]);
});

it.each([
  ['without a seal', undefined, 'SEAL_MISSING'],
  ['under a stranger’s key', keyRing(`mallory:${'m'.repeat(40)}`), 'SEAL_KEY_UNKNOWN'],
  ['under the key of stages', testRings.stages, 'SEAL_KEY_UNKNOWN'],
] as const)('a record %s is named, and its transfer is as it was', async (_, ring, code) => {
  const { history, sources } = sealedHistory();
  const completed = history.entries.find(({ topic, value }) => topic === TOPIC && value.state === 'COMPLETED')!;
  const { key, partition } = completed;
  const value = history.codec.encode(TOPIC, { ...completed.value, eventId: 'forged', sequence: 99, state: 'REJECTED' });
  const bare = { topic: TOPIC, partition, key, value, headers: {} };
  const { headers } = ring ? sealed({ lifecycle: ring }, bare) : bare;
  const offset = sources.fixed.end(TOPIC, partition);
  sources.fixed.put({ ...bare, offset, key: Buffer.from(key), headers: buffers(headers), timestamp: AT });
  for (const owner of ['sink-events', 'sink-transfer-view', 'sink-webhooks'])
    sources.fixed.commit(owner, TOPIC, partition, offset + 1);
  const report = await verify({ ...sources, rings: testRings }, AT_ONCE);
  expect(report.findings).toMatchObject([{ code, position: `${TOPIC}/${partition}/${offset}`, transferId: key }]);
});

it('what is older than its seals is no finding where it is said since when they are there', async () => {
  const old = [TOPIC, 'intent.rejected'];
  const { sources } = sealedHistory(old);
  const rings = (unsealedBefore: number) => ({
    ...testRings,
    lifecycle: { ...testRings.lifecycle, unsealedBefore },
  });
  expect((await verify({ ...sources, rings: rings(AT + 1) }, AT_ONCE)).findings).toEqual([]);
  const { codes } = await verify({ ...sources, rings: rings(AT) }, AT_ONCE);
  expect(codes['SEAL_MISSING']).toBeGreaterThan(1);
});
