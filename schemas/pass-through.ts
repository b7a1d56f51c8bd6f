/**
 * What one stage reads and the next is handed unchanged (instruction, parties, evidence, price) is written as it was
 * read: its bytes are copied instead of its fields being checked and encoded once more, stage after stage.
 *
 * The bytes belong to the object that was read. A changed copy (`{ ...instruction, purposeCode }`) has none and is
 * encoded; an object must not be changed in place, which the `readonly` of all generated types rules out.
 *
 * Why, and what holds it: docs/adr/0011-records-as-they-were-read.md
 */
import type { Type } from 'avsc';

interface Tap {
  readonly buf: Buffer;
  pos: number;
}
interface InnerType {
  _read(tap: Tap): object;
  _write(tap: Tap, value: object): void;
  _check(value: unknown, flags: unknown, hook: unknown, path: unknown): boolean;
}

// A constructor that hands back its argument, so that the private fields below are added to an object that exists.
const Existing = function (this: unknown, object: object): object {
  return object;
} as unknown as new (
  object: object,
) => object;

/** Adds to an object where its bytes stand. Not copied with it, not seen by comparisons, gone when it is gone. */
class Kept extends Existing {
  readonly #buffer: Buffer;
  readonly #start: number;
  readonly #end: number;

  constructor(object: object, buffer: Buffer, start: number, end: number) {
    super(object);
    this.#buffer = buffer;
    this.#start = start;
    this.#end = end;
  }

  static has(object: object): boolean {
    return #buffer in object;
  }

  /** Writes the bytes of an object that has them. What does not fit only moves the position, as avsc does. */
  static write(tap: Tap, object: object): void {
    const kept = object as Kept;
    const start = kept.#start;
    const end = kept.#end;
    const to = tap.pos;
    tap.pos = to + end - start;
    if (tap.pos <= tap.buf.length) kept.#buffer.copy(tap.buf, to, start, end);
  }
}

let enabled = true;

/** Puts this in place, or (false) has every value encoded anew. For every type of this process. */
export function keepBytes(on = true): void {
  enabled = on;
}

/** The type, keeping the bytes of what it reads. Only for types of one and the same schema, reading and writing. */
export function keepingBytes(type: Type): Type {
  const record = type as unknown as InnerType;
  const isKept = (value: unknown): value is object =>
    enabled && typeof value === 'object' && value !== null && Kept.has(value);
  // avsc's types are sealed: this one inherits everything but the three.
  const keeping: InnerType = Object.create(record, {
    _read: {
      value: (tap: Tap) => {
        const start = tap.pos;
        const value = record._read(tap);
        if (enabled) new Kept(value, tap.buf, start, tap.pos);
        return value;
      },
    },
    _write: {
      value: (tap: Tap, value: object) => {
        if (isKept(value)) Kept.write(tap, value);
        else record._write(tap, value);
      },
    },
    _check: {
      value: (value: unknown, flags: unknown, hook: unknown, path: unknown) =>
        isKept(value) || record._check(value, flags, hook, path),
    },
  });
  return keeping as unknown as Type;
}
