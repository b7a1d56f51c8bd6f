// The table from which kafkajs's Broker takes its requests.
import { createRequire } from 'node:module';
import type { WireCall } from './internals.ts';

const require = createRequire(import.meta.url);

export interface RequestDefinition<Options, Answer> {
  readonly versions: readonly string[];
  protocol: (choice: { version: number }) => (options: Options) => WireCall<Answer>;
}

/** The definition of one request, to be changed in place. */
export function requestDefinition<Options, Answer>(name: 'Produce' | 'Fetch'): RequestDefinition<Options, Answer> {
  const { requests } = require('kafkajs/src/protocol/requests') as {
    requests: Record<string, RequestDefinition<Options, Answer>>;
  };
  return requests[name]!;
}
