import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { isFrom, sealIntent } from '../domain/producers/intent-seal.ts';
import { keyRing } from '../domain/seals/seal.ts';
import { loadConfig } from '../runtime/config/config.ts';
import { producerRules } from './configured-producers.ts';
import { rulesHash } from './dry-run/rules-hash.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'producers-'));
const SECRET = 'a secret that is long enough for a key';
const VALUE = Buffer.from('an intent');

function configOf(producers?: unknown, keys?: unknown, env: Record<string, string> = {}) {
  const written = (name: string, content: unknown) => {
    const file = path.join(folder, name);
    writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
    return file;
  };
  return loadConfig({
    CORRIDOR_ENV: 'test',
    ...(producers === undefined ? {} : { CORRIDOR_PRODUCERS_FILE: written('producers.json', producers) }),
    ...(keys === undefined ? {} : { CORRIDOR_PRODUCER_KEYS_FILE: written('keys.json', keys) }),
    ...env,
  });
}
const listed = { sharedTopicProducer: 'legacy', producers: [{ id: 'acme', idPrefixes: ['acme-'] }, { id: 'legacy' }] };

it('reads whose ids begin how, and under which keys each seals', () => {
  const { book, keys } = producerRules(configOf(listed, { acme: `k1:${SECRET}` }));
  expect(book).toMatchObject({ sharedTopicProducer: 'legacy', takesUnproven: false });
  expect(book.reasonsAgainst('legacy', 'acme-0000001', undefined)).toMatchObject([{ code: 'PRID' }]);
  const seal = sealIntent(keyRing(`k1:${SECRET}`), 'acme', VALUE);
  expect(isFrom(keys, { producer: 'acme', seal }, VALUE)).toBe(true);
  expect(keys.api).toBeDefined();
});

it('restricts nobody without a file, and has no key of the API in production unless it is given one', () => {
  const { book, keys } = producerRules(configOf());
  expect(book.takesUnproven).toBe(true);
  expect(keys.ofProducer.size).toBe(0);
});

it.each<readonly [string, unknown, unknown, string]>([
  ['a field that is not known', { ...listed, more: 1 }, undefined, 'TERMS_UNREADABLE'],
  ['a key twice', '{"producers":[],"producers":[]}', undefined, 'TERMS_UNREADABLE'],
  [
    'prefixes within each other',
    { producers: [{ id: 'aa', idPrefixes: ['a-', 'a-b'] }] },
    undefined,
    'PRODUCERS_INVALID',
  ],
  ['a secret that is too short', listed, { acme: 'k1:short' }, 'TERMS_UNREADABLE'],
  ['keys that are no object', listed, [`k1:${SECRET}`], 'TERMS_UNREADABLE'],
])('refuses files with %s, and quotes no secret', (_what, producers, keys, code) => {
  try {
    producerRules(configOf(producers, keys));
    expect.unreachable();
  } catch (error) {
    expect(error).toMatchObject({ code });
    expect((error as Error).message).not.toMatch(new RegExp(`${SECRET}|short`));
  }
});

it('counts among the rules in force, which an approval of a replay names', () => {
  const without = rulesHash(configOf());
  expect(rulesHash(configOf({ producers: [] }))).not.toBe(without);
  expect(rulesHash(configOf(listed))).not.toBe(rulesHash(configOf({ ...listed, sharedTopicProducer: undefined })));
});
