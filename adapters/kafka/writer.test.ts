// Closing a writer while no broker answers.
import { expect, test } from 'vitest';
import { Connections } from './client.ts';
import { settingsOf } from './options.ts';
import { numbered } from './testing/topics.ts';
import { KafkaWriter } from './writer.ts';

/** Connections of which none can be made; how often it was tried. */
class NoConnections extends Connections {
  tries = 0;
  override cluster(): never {
    this.tries++;
    throw Object.assign(new Error('refused'), { name: 'KafkaJSConnectionError' });
  }
}

test('a writer that is closed tries what is on its way, and nothing that waits behind it', async () => {
  const settings = settingsOf({ brokers: ['nowhere:1'], appName: 'w', clientId: 'w', writeTimeoutMs: 0 });
  const connections = new NoConnections(settings);
  const writer = new KafkaWriter(connections, 'w');
  // More than go together.
  const sends = Array.from({ length: 5 }, () => writer.send(numbered('any', 10_000)));
  const ends = Promise.allSettled(sends);
  await writer.close();
  for (const end of await ends) expect(end).toMatchObject({ status: 'rejected', reason: { code: 'WRITE_UNKNOWN' } });
  expect(connections.tries).toBe(1);
});
