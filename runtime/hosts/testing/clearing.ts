// A stage that clears everybody, for tests of its host.
import type { Decision, EmittedTo, Processor, ReceivedFrom } from '../../../processors/contract.ts';
import { type Topology, topology } from '../../../processors/topology.ts';
import type { TransferAccepted } from '../../../schemas/types.generated.ts';
import { accepted, evidence, following } from '../../../test/kit/events.ts';
import { input } from '../../../test/kit/harness.ts';

export type Screening = Topology['screening'];
export type In = ReceivedFrom<Screening['reads']>;
export type Out = EmittedTo<Screening['writes']>;

export interface Behaviour {
  readonly decide?: (received: In) => Decision<Out> | undefined;
  readonly prepare?: (batch: readonly In[]) => void | Promise<void>;
}

/** Clears everybody, unless a test says otherwise. */
export function clearing({ decide, prepare }: Behaviour = {}): Processor<Screening, undefined> {
  return {
    name: 'screening',
    edges: topology.screening,
    async prepare(batch) {
      await prepare?.(batch);
      return batch.map(() => undefined);
    },
    decide: (received) => decide?.(received) ?? cleared(received),
  };
}

export function cleared(received: In): Decision<Out> {
  const before: TransferAccepted = received.topic === 'transfer.accepted' ? received.value : received.value.held;
  const { instruction, parties } = before;
  const envelope = following(before.envelope, 'transfer.screened');
  const value = {
    instruction,
    parties,
    envelope: { ...envelope, causationId: received.causationId },
    screening: evidence(),
  };
  return [{ to: 'transfer.screened', value }];
}

export const ids = (count: number) => Array.from({ length: count }, (_, i) => `transfer-${String(i).padStart(4, '0')}`);
export const inputsOf = (transferIds: readonly string[]) =>
  transferIds.map((transferId) => input('transfer.accepted', accepted({ transferId, partitions: 1 })));
export const inOne = (transferIds: readonly string[]) => ({ inputs: inputsOf(transferIds), partitions: 1 });
export const idOf = (received: In) =>
  received.topic === 'transfer.accepted' ? received.value.envelope.transferId : received.value.command.transferId;
export const sorted = (values: readonly { value: { envelope: { transferId: string } } }[]) =>
  values.map(({ value }) => value.envelope.transferId).sort();
