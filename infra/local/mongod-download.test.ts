// The download from a mirror of this test: everything but the server itself. What is fetched here is a script that answers
// `--version`, and is never run as a database.

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { fetchMongod, MONGOD_VERSION } from './mongod-download.ts';

type Respond = (request: IncomingMessage, response: ServerResponse) => void;

let work: string;
let archive: Buffer;
let dir: string;
let server: Server;
let asked: string[];
let said: string[];
let respond: Respond;

const md5 = (bytes: Buffer) => createHash('md5').update(bytes).digest('hex');
const serving =
  (bytes: Buffer, checksum = md5(bytes)): Respond =>
  ({ url = '' }, response) =>
    response.end(url.endsWith('.md5') ? `${checksum}  archive` : bytes);

/** An archive as the publisher lays them out. */
function archiveOf(script: string): Buffer {
  const bin = path.join(work, 'mongodb', 'bin');
  mkdirSync(bin, { recursive: true });
  writeFileSync(path.join(bin, 'mongod'), script);
  chmodSync(path.join(bin, 'mongod'), 0o755);
  const file = path.join(work, 'archive.tgz');
  execFileSync('tar', ['-czf', file, '-C', work, 'mongodb']);
  return readFileSync(file);
}

beforeAll(async () => {
  work = mkdtempSync(path.join(tmpdir(), 'corridor-mongod-'));
  archive = archiveOf('#!/bin/sh\necho "db version v8.0.9"\n');
  server = createServer((request, response) => {
    asked.push(request.url ?? '');
    respond(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
beforeEach(() => {
  dir = mkdtempSync(path.join(work, 'programs-'));
  asked = [];
  said = [];
});
afterEach(() => server.closeAllConnections());
afterAll(() => {
  server.close();
  rmSync(work, { recursive: true, force: true });
});

const mirror = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
/** For those that never end by themselves; all others are waited for, however busy the machine is. */
const SHORT = { firstByteMs: 1_500, stalledMs: 1_500 };
const LONG = { firstByteMs: 60_000, stalledMs: 60_000 };

const fetched = (env: NodeJS.ProcessEnv = {}, silence = LONG) =>
  fetchMongod({
    dir,
    env: { ...process.env, MONGOMS_DOWNLOAD_MIRROR: mirror(), MONGOMS_USE_HTTP: 'true', ...env },
    onProgress: (line) => said.push(line),
    silence,
  });

describe('a mongod that is fetched', () => {
  it('is announced, checked, kept, and not fetched again', async () => {
    respond = serving(archive);
    const file = await fetched();
    expect(said).toEqual([expect.stringMatching(`^Fetching MongoDB ${MONGOD_VERSION} .*CORRIDOR_MONGOD_DOWNLOAD=off`)]);
    expect(execFileSync(file!, ['--version']).toString()).toContain('v8.0.9');
    expect(asked.some((url) => url.includes(MONGOD_VERSION))).toBe(true);
    const before = asked.length;
    expect(await fetched()).toBe(file);
    expect(asked).toHaveLength(before);
  });

  it('is fetched once by two that ask at once', async () => {
    respond = serving(archive);
    const [one, other] = await Promise.all([fetched(), fetched()]);
    expect(one).toBe(other);
    expect(asked.filter((url) => !url.endsWith('.md5'))).toHaveLength(1);
  });

  it.each<[string, () => Respond, RegExp, typeof SHORT?]>([
    ['is not there', () => (_, response) => response.writeHead(404).end(), /404/],
    ['is refused', () => (_, response) => response.writeHead(403).end(), /403/],
    ['is cut off at once', () => (_, response) => response.destroy(), /./],
    ['never answers', () => () => undefined, /nothing comes/, SHORT],
    [
      'stands still in the middle',
      () => (_, response) => {
        response.writeHead(200, { 'content-length': String(archive.length) });
        response.write(archive.subarray(0, 50));
      },
      /stands still/,
      SHORT,
    ],
    ['has another checksum', () => serving(archive, '0'.repeat(32)), /md5|checksum/i],
    ['is no archive', () => serving(Buffer.from('<html>not here</html>')), /./],
    [
      'does not run here',
      () => serving(archiveOf('#!/bin/sh\necho "libcrypto.so.3 is missing" >&2\nexit 1\n')),
      /libcrypto/,
    ],
  ])('that %s is given up, with a word', async (_, how, reason, silence = LONG) => {
    respond = how();
    expect(await fetched({}, silence)).toBeUndefined();
    expect(said).toHaveLength(2);
    expect(said[1]).toMatch(`MongoDB ${MONGOD_VERSION} cannot be fetched: `);
    expect(said[1]).toMatch(reason);
    // Remembered: the next start does not even ask.
    const before = asked.length;
    expect(await fetched()).toBeUndefined();
    expect(asked).toHaveLength(before);
    expect(said[2]).toContain('lately');
    const marker = path.join(dir, `mongod-${MONGOD_VERSION}`, 'refused.json');
    writeFileSync(marker, JSON.stringify({ at: Date.now() - 25 * 60 * 60_000, reason: 'yesterday' }));
    await fetched({}, silence);
    expect(asked.length).toBeGreaterThan(before);
    expect(existsSync(marker)).toBe(true);
  });

  it('from where nobody listens is given up', async () => {
    expect(await fetched({ MONGOMS_DOWNLOAD_MIRROR: 'http://127.0.0.1:1' })).toBeUndefined();
    expect(said[1]).toContain('cannot be fetched');
  });
});
