import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { webhookEvent } from './api.ts';
import { startSimulator } from './server.ts';
import { submit, submitBody, temporaryLedger } from './testing/test-support.ts';
import { sign } from './webhooks.ts';

it('tells of each change with a signature, twice where asked, and again after a failure', async () => {
  const received: { headers: IncomingHttpHeaders; body: string }[] = [];
  const all = Promise.withResolvers<void>();
  let refusals = 0;
  const receiver = createServer((request, response) => {
    let body = '';
    request.on('data', (data: Buffer) => {
      body += data.toString();
    });
    request.on('end', () => {
      response.statusCode = refusals++ === 0 ? 503 : 204;
      response.end();
      if (response.statusCode === 204) received.push({ headers: request.headers, body });
      // Paid and returned, each twice.
      if (received.length === 4) all.resolve();
    });
  });
  receiver.listen(0, '127.0.0.1');
  await new Promise((resolve) => receiver.once('listening', resolve));
  await using folder = await temporaryLedger();
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
  const webhook = { url, secret: 'secret', duplicateProbability: 1, shuffleMs: 20 };
  const simulator = await startSimulator({ ledgerFile: folder.ledgerFile, delayMs: 5, webhook });
  try {
    await submit(simulator.url, 'T1:1', submitBody('T1', {}, '50100990304'));
    await all.promise;
  } finally {
    await simulator.stop();
    receiver.closeAllConnections();
    receiver.close();
  }
  const events = received.map(({ body }) => webhookEvent.parse(JSON.parse(body)));
  expect(events.map(({ payout }) => payout.state).toSorted()).toEqual(['PAID', 'PAID', 'RETURNED', 'RETURNED']);
  expect(new Set(events.map(({ eventId }) => eventId)).size).toBe(2);
  for (const { headers, body } of received) {
    const signature = String(headers['provider-signature']);
    const seconds = Number(/^t=(\d+),/.exec(signature)?.[1]);
    expect(signature).toBe(sign('secret', seconds, body));
  }
  expect(sign('secret', 1, 'body')).not.toBe(sign('secret', 2, 'body'));
});
