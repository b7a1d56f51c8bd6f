// How settlement reads what payout dispatch has sealed.

import type { Codec } from '../ports/codec.ts';
import { CodedError } from '../ports/fault.ts';
import { type Rings, ringOf } from '../ports/seals.ts';
import type { Dispatched } from '../processors/settlement/dispatched.ts';
import { payoutRequested } from '../topics/chain.ts';

/** `open` rejects with NEWER_SCHEMA for an event that only a newer program can read: it stops the stage. */
export function dispatchedRequests(codec: Pick<Codec, 'load' | 'decode'>, rings: Rings): Dispatched {
  const topic = payoutRequested.name;
  let isLoaded = false;
  return {
    stages: ringOf(rings, 'stages'),
    open: async (values) => {
      if (!isLoaded) await codec.load([topic]);
      isLoaded = true;
      return (await codec.decode(topic, values)).map((result) => {
        if (result.ok) return result.value;
        if (result.kind === 'poison') return undefined;
        throw new CodedError('NEWER_SCHEMA', result.detail, { faultClass: 'fatal' });
      });
    },
  };
}
