// The provider's ledger is a witness, and no more to be believed than anything else from outside: it has an end, its lines
// have a bound, its bytes mean one thing.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { ProviderRecord } from '../../verify/ports.ts';
import { providerLedger } from './ledger.ts';

const PAGE = 50_000;
const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

const record = (seq: number, over: object = {}) =>
  JSON.stringify({
    ...{ seq, kind: 'execution', key: `t${seq}:1`, transferId: `t${seq}` },
    amount: { minor: '100', currency: 'INR' },
    ...over,
  });
const lines = (...texts: readonly string[]) => texts.map((text) => `${text}\n`).join('');

async function all(source: string, after = 0): Promise<readonly ProviderRecord[]> {
  const found: ProviderRecord[] = [];
  for await (const each of providerLedger(source).read(after)) found.push(each);
  return found;
}

/** A ledger over HTTP; `answer` gets what was asked for. */
async function served(answer: (after: number, response: ServerResponse) => void): Promise<string> {
  const server = createServer((request, response) => {
    const after = Number(new URL(request.url!, 'http://ledger').searchParams.get('after'));
    answer(after, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function inFile(content: string | Buffer): string {
  const file = path.join(mkdtempSync(path.join(tmpdir(), 'corridor-ledger-')), 'ledger.ndjson');
  writeFileSync(file, content);
  return file;
}

const DAMAGED = { code: 'PROVIDER_LEDGER_DAMAGED' };

describe('a ledger', () => {
  it('is read from a file: whole lines of the kinds that matter, after a record', async () => {
    const file = inFile(`${lines(record(1), '{"seq":2,"kind":"query"}', 'null', record(3), record(4))}{"seq":5`);
    expect((await all(file, 1)).map(({ seq, amount }) => [seq, amount?.minor])).toEqual([
      [3, 100n],
      [4, 100n],
    ]);
  });

  it('is read over HTTP, page by page, to its end', async () => {
    const url = await served((after, response) => {
      const end = after === 0 ? PAGE : after + 2;
      for (let seq = after + 1; seq <= end; seq++) response.write(`${record(seq)}\n`);
      response.end();
    });
    const found = await all(url);
    expect([found.length, found.at(-1)?.seq]).toEqual([PAGE + 2, PAGE + 2]);
  });

  it('that answers with the same page again and again is damaged, and has an end', async () => {
    const page = Array.from({ length: PAGE }, (_, at) => `${record(at + 1)}\n`).join('');
    const url = await served((_, response) => response.end(page));
    await expect(all(url)).rejects.toMatchObject(DAMAGED);
  });

  it('whose line never ends is damaged, and fills no memory', async () => {
    const url = await served((_, response) => {
      const pour = () => {
        while (response.write('x'.repeat(16_384)));
        response.once('drain', pour);
      };
      pour();
    });
    await expect(all(url)).rejects.toMatchObject(DAMAGED);
  });

  it('whose answer breaks off is away, and nobody takes it for whole', async () => {
    const url = await served((_, response) => {
      response.writeHead(200, { 'content-length': 10_000 });
      response.write(lines(record(1)), () => response.destroy());
    });
    await expect(all(url)).rejects.toMatchObject({ code: 'PROVIDER_UNAVAILABLE' });
  });

  it.each<readonly [string, string | Buffer]>([
    ['a line that is no JSON', 'no\n'],
    [
      'bytes that are no UTF-8',
      Buffer.concat([Buffer.from('{"seq":1,"kind":"execution","key":"'), Buffer.from([0xff]), Buffer.from('"}\n')]),
    ],
    ['a line that is too long', `${record(1, { key: 'k'.repeat(70_000) })}\n`],
    ['an amount that no ledger holds', `${record(1, { amount: { minor: '9'.repeat(40), currency: 'INR' } })}\n`],
    ['a record without its key', `${record(1, { key: undefined })}\n`],
  ])('with %s is damaged', async (_, content) => {
    await expect(all(inFile(content))).rejects.toMatchObject(DAMAGED);
  });
});
