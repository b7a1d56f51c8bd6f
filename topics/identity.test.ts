// The identity that a contract gives to its records, held against the schemas: what it reads is there, and nothing that looks
// like an identity is passed over.
import { describe, expect, it } from 'vitest';
import { loadSchemas } from '../schemas/load.ts';
import { contracts } from './catalogue.ts';
import { homePartitionOf, idOf, transferIdOf } from './identity.ts';

const ENVELOPE = { eventId: 'event-1', transferId: 'transfer-1', homePartition: 7 };
const COMMAND = { commandId: 'command-1', transferId: 'transfer-1', homePartition: 7 };
const SAMPLES: Readonly<Record<string, unknown>> = {
  envelope: ENVELOPE,
  command: COMMAND,
  eventId: 'event-1',
  movementId: 'movement-1',
  transferId: 'transfer-1',
  held: { envelope: ENVELOPE },
  requested: { envelope: ENVELOPE },
};

const schemas = loadSchemas();

/** A record that has all of the fields above that its schema has. */
function sampleOf(record: string): Record<string, unknown> {
  const { fields } = schemas.get(`corridor.${record}`) as { fields: readonly { name: string }[] };
  return Object.fromEntries(fields.flatMap(({ name }) => (name in SAMPLES ? [[name, SAMPLES[name]]] : [])));
}

describe.each(Object.values(contracts).map((contract) => [contract.name, contract] as const))(
  '%s',
  (name, contract) => {
    const value = sampleOf(contract.record);
    const within = 'envelope' in value ? ENVELOPE : 'command' in value ? COMMAND : undefined;

    it('names its transfer and its own id where its record has them', () => {
      expect(transferIdOf(name, value)).toBe(within?.transferId ?? value['transferId']);
      const id =
        within === COMMAND
          ? COMMAND.commandId
          : within === ENVELOPE
            ? ENVELOPE.eventId
            : (value['movementId'] ?? value['eventId']);
      expect(idOf(name, value)).toBe(id);
    });

    it('names the partition where it must stand when it is of the chain', () => {
      expect(homePartitionOf(name, value)).toBe(within?.homePartition);
    });

    it('gives the event of the transfer: itself, or what it carries', () => {
      const event = within === ENVELOPE ? value : (value['held'] ?? value['requested']);
      expect(contract.eventOf(value as never)).toBe(event);
    });
  },
);

it('of a topic without a contract nothing is known', () => {
  for (const ask of [idOf, transferIdOf, homePartitionOf])
    expect(ask('limits.dlq', { envelope: ENVELOPE })).toBeUndefined();
});
