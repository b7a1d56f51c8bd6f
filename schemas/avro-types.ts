// avsc types as Corridor uses them: exact minor units, explicit unions, no methods on records.
import './strict-strings.ts';
import avro, { type Type } from 'avsc';
import { boundReads } from './bounded-reads.ts';
import { type AvroObject, loadSchemas, selfContained } from './load.ts';
import { keepingBytes } from './pass-through.ts';

boundReads();

/** A long whose every bit a double holds, also doubled, as Avro writes it. */
const EXACT = 2 ** 52;

interface Tap {
  pos: number;
  readLong(): number;
  writeLong(value: number): void;
}
interface InnerType {
  _read(tap: Tap): unknown;
  _write(tap: Tap, value: unknown): void;
}

/** avsc takes a bigint apart by way of a buffer of eight bytes; nearly every amount fits a number, which is written at once. */
function withShortWay(type: Type): Type {
  const long = type as unknown as InnerType;
  // avsc's types are sealed: this one inherits everything but the two.
  const short: InnerType = Object.create(long, {
    _read: {
      value: (tap: Tap) => {
        const { pos } = tap;
        const value = tap.readLong();
        if (value > -EXACT && value < EXACT) return BigInt(value);
        tap.pos = pos;
        return long._read(tap);
      },
    },
    _write: {
      value: (tap: Tap, value: unknown) => {
        const number = typeof value === 'bigint' ? Number(value) : Number.NaN;
        if (number > -EXACT && number < EXACT) tap.writeLong(number);
        else long._write(tap, value);
      },
    },
  });
  return short as unknown as Type;
}

/** Avro long as bigint: minor units must be exact over the whole signed 64 bits. */
const minorUnits = withShortWay(
  avro.types.LongType.__with({
    fromBuffer: (bytes: Buffer) => bytes.readBigInt64LE(),
    toBuffer: (value: bigint) => {
      const bytes = Buffer.allocUnsafe(8);
      bytes.writeBigInt64LE(value);
      return bytes;
    },
    fromJSON: (value: number | string) => BigInt(value),
    toJSON: (value: bigint) => (Number.isSafeInteger(Number(value)) ? Number(value) : value.toString()),
    isValid: (value: unknown) => typeof value === 'bigint' && BigInt.asIntN(64, value) === value,
    compare: (a: bigint, b: bigint) => (a === b ? 0 : a < b ? -1 : 1),
  }),
);

/**
 * avsc options for every type of Corridor, fresh since avsc collects type names in them. Longs marked `minor-units` are bigints; other longs are numbers. Unions of
 * null and one type are bare values; unions of several records are wrapped: `{ 'corridor.Parties': … }`.
 */
export const avscOptions = () => ({
  wrapUnions: 'auto',
  omitRecordMethods: true,
  typeHook: (attributes: { type?: unknown; logicalType?: unknown } | string): Type | undefined => {
    if (typeof attributes !== 'object') return undefined;
    return attributes.type === 'long' && attributes.logicalType === 'minor-units' ? minorUnits : undefined;
  },
});

/** Records that stages hand on as they read them. */
const HANDED_ON = new Set(['Instruction', 'Parties', 'SealedParties', 'ScreeningEvidence', 'Price', 'Reservation']);

/** The same for current types, which keep the bytes of what is handed on: they all have one schema for each record. */
function keepingOptions(): object {
  const options = avscOptions();
  const underWay = new Set<unknown>();
  type Hook = typeof options.typeHook;
  const typeHook = (attributes: Parameters<Hook>[0] & { name?: unknown }, opts: object): Type | undefined => {
    const { name } = attributes;
    if (typeof name !== 'string' || !HANDED_ON.has(name) || underWay.has(attributes))
      return options.typeHook(attributes);
    underWay.add(attributes);
    const type = keepingBytes(avro.Type.forSchema(attributes as never, opts as never));
    // Later mentions of the record are by its name.
    (opts as { registry: Record<string, Type> }).registry[type.name!] = type;
    return type;
  };
  return { ...options, typeHook };
}

/** Builds an avsc type from a schema, as JSON. Throws when the schema is not valid Avro. */
export function avroType(schema: object): Type {
  return avro.Type.forSchema(schema as never, avscOptions() as never);
}

const compiled = new Map<string, Type>();
let loaded: ReadonlyMap<string, AvroObject> | undefined;

/** The current (reader's) type of a record of schemas/avro, by its short name such as `TransferPriced`. */
export function recordType(record: string): Type {
  const known = compiled.get(record);
  if (known) return known;
  loaded ??= loadSchemas();
  const type = avro.Type.forSchema(selfContained(`corridor.${record}`, loaded) as never, keepingOptions() as never);
  compiled.set(record, type);
  return type;
}
