import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Pool } from 'undici';
import { afterEach, describe, expect, it } from 'vitest';
import { exchange } from './exchange.ts';

const cleanup: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of cleanup.splice(0).reverse()) await end();
});

async function serve(slow: boolean) {
  const paths: string[] = [];
  const server = createServer((request, response) => {
    paths.push(request.url!);
    if (!slow) response.end('x'.repeat(300_000));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const pool = new Pool(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, {
    connections: 1,
    pipelining: 1,
  });
  cleanup.push(
    () => {
      server.close();
      server.closeAllConnections();
    },
    () => pool.destroy(),
  );
  const post = (path: string, timeoutMs: number) =>
    exchange(pool, { method: 'POST', path, headers: {}, body: '{}', timeoutMs });
  return { paths, post };
}

describe('an exchange', () => {
  it('that times out while it waits for a connection is not sent, then or later', async () => {
    const { paths, post } = await serve(true);
    const [first, second] = await Promise.all([post('/first', 300), post('/second', 100)]);
    expect(first).toMatchObject({ kind: 'unanswered', code: 'TIMEOUT' });
    expect(second).toMatchObject({ kind: 'not-sent', code: 'TIMEOUT' });
    // The connection is free again by now, and the second one is not taken up on it.
    await post('/third', 2_000);
    expect(paths).toEqual(['/first', '/third']);
  });

  it('with an answer beyond all measure counts as unanswered', async () => {
    const { post } = await serve(false);
    expect(await post('/first', 5_000)).toMatchObject({ kind: 'unanswered', code: 'ANSWER_TOO_LARGE' });
  });
});
