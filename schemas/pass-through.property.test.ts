import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { transferReserved, transferScreened } from '../test/kit/builders.ts';
import { avroType, recordType } from './avro-types.ts';
import { selfContained } from './load.ts';
import { keepBytes } from './pass-through.ts';
import type { PayoutRequested, TransferReserved } from './types.generated.ts';

const reserved = recordType('TransferReserved');
const requested = recordType('PayoutRequested');

/** As it would be encoded if nothing were kept. */
function anew(type: typeof reserved, value: unknown): Buffer {
  keepBytes(false);
  const bytes = type.toBuffer(value);
  keepBytes(true);
  return bytes;
}

const read = (): TransferReserved => reserved.fromBuffer(reserved.toBuffer(transferReserved())) as TransferReserved;

/** What the next stage makes of what it read. */
function nextOf({ envelope, instruction, parties, screening, price, reservation }: TransferReserved): PayoutRequested {
  return { envelope: { ...envelope, sequence: 5 }, instruction, parties, screening, price, reservation };
}

beforeAll(() => keepBytes(true));
afterAll(() => keepBytes(true));

describe('what is handed on as it was read', () => {
  test('has the bytes that encoding it anew would give', () => {
    const next = nextOf(read());
    expect(requested.toBuffer(next)).toEqual(anew(requested, next));
    expect(requested.fromBuffer(requested.toBuffer(next))).toEqual(requested.fromBuffer(anew(requested, next)));
  });

  test('is not encoded again: the bytes are the ones that were read', () => {
    const event = read();
    // Against the contract of readonly values, to see where the bytes come from.
    (event.instruction as { purposeCode: string }).purposeCode = 'XXXX';
    expect(requested.toBuffer(nextOf(event))).toEqual(requested.toBuffer(nextOf(read())));
    expect(anew(requested, nextOf(event))).not.toEqual(requested.toBuffer(nextOf(read())));
  });

  test('is encoded when it is a changed copy, whatever was changed', () => {
    const event = read();
    fc.assert(
      fc.property(
        fc.string({ maxLength: 200 }),
        fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
        (text, minor) => {
          const instruction = { ...event.instruction, endToEndId: text };
          const price = { ...event.price, credit: { ...event.price.credit, minor } };
          const next = nextOf({ ...event, instruction, price });
          const bytes = requested.toBuffer(next);
          expect(bytes).toEqual(anew(requested, next));
          const back = requested.fromBuffer(bytes) as PayoutRequested;
          expect(back.instruction.endToEndId).toBe(text);
          expect(back.price.credit.minor).toBe(minor);
          expect(back.reservation).toEqual(event.reservation);
        },
      ),
    );
  });

  test('is refused as before when a copy of it does not fit the schema', () => {
    const event = read();
    const instruction = { ...event.instruction, purposeCode: 7 as unknown as string };
    expect(requested.isValid(nextOf(event))).toBe(true);
    expect(requested.isValid(nextOf({ ...event, instruction }))).toBe(false);
  });

  test('says how much room is missing when a buffer is too small', () => {
    const next = nextOf(read());
    const { length } = requested.toBuffer(next);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: length - 1 }), (room) => {
        const small = Buffer.alloc(room);
        expect(requested.encode(next, small, 0)).toBe(room - length);
      }),
    );
  });

  test('looks like any other value: nothing is seen of it in comparisons, copies and JSON', () => {
    const event = read();
    const { instruction } = transferReserved();
    expect(event.instruction).toEqual(instruction);
    expect(Object.keys({ ...event.instruction }).toSorted()).toEqual(Object.keys(instruction).toSorted());
    expect(JSON.parse(JSON.stringify(event.screening))).toEqual(
      JSON.parse(JSON.stringify(transferReserved().screening)),
    );
    expect(structuredClone(event.instruction)).toEqual(structuredClone(instruction));
  });
});

test('a value that was read through an older schema is encoded by the current one', () => {
  const type = recordType('TransferScreened');
  const older = avroType(withoutField(selfContained('corridor.TransferScreened'), 'Instruction', ADDED_LATER));
  const event = type.fromBuffer(older.toBuffer(transferScreened()), type.createResolver(older));
  expect(type.toBuffer(event)).toEqual(anew(type, event));
  expect(type.toBuffer(event).length).toBeGreaterThan(older.toBuffer(transferScreened()).length);
});

const ADDED_LATER = 'intermediaryTokens';

/** The schema as it was before a record got a field. */
function withoutField(schema: object, record: string, field: string): object {
  const text = JSON.stringify(schema, (_, value) =>
    value?.name === record
      ? { ...value, fields: value.fields.filter(({ name }: { name: string }) => name !== field) }
      : value,
  );
  return JSON.parse(text) as object;
}
