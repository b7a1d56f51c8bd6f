// A broker of a test's own that clients reach through a proxy, and the test itself straight.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startStack } from '../../../infra/local/stack.ts';
import type { Log } from '../../../ports/log.ts';
import { createLog } from '../log.ts';

interface Proxy {
  readonly port: number;
  forwardTo(address: string): void;
  close(): Promise<void>;
}

export interface BehindProxy {
  /** Addresses of the broker itself. */
  readonly brokers: readonly string[];
  /** Straight to the broker. */
  readonly direct: Log;
  /** Ends all of it, the proxy too. */
  stop(): Promise<void>;
}

/** Starts a broker that says of itself that it is where the proxy listens. */
export async function brokerBehind(proxy: Proxy, appName: string): Promise<BehindProxy> {
  const stack = await startStack({
    stateDir: mkdtempSync(join(tmpdir(), `corridor-kafka-${appName}-`)),
    ephemeral: true,
    kinds: ['kafka'],
    runner: 'processes',
    env: {},
    advertisedPorts: [proxy.port],
  });
  proxy.forwardTo(stack.kafkaBehindProxy[0]!);
  const direct = createLog({ brokers: stack.urls.kafkaBrokers, appName, clientId: `${appName}-test` });
  return {
    brokers: stack.urls.kafkaBrokers,
    direct,
    async stop() {
      await direct.close();
      await stack.stop();
      await proxy.close();
    },
  };
}
