// The hash of a hold covers everything that is held: any change of any field gives another, at every stage that holds.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { recordType } from '../schemas/avro-types.ts';
import type { TransferHeld } from '../schemas/types.generated.ts';
import { heldByDispatch, transferHeld, transferHeldByLimits } from '../test/kit/builders.ts';
import { HOLDING } from '../test/kit/keys.ts';
import { contentHashOf } from './hold-content.ts';
import { heldOf } from './holds.ts';

interface Leaf {
  readonly path: string;
  readonly value: unknown;
  readonly set: (value: unknown) => void;
}

/** Every value in a record that has no parts of its own, empty lists and absent fields among them. */
function leavesOf(value: unknown, path: string, set: (value: unknown) => void): readonly Leaf[] {
  const isLeaf =
    value === null || typeof value !== 'object' || Buffer.isBuffer(value) || Object.keys(value).length === 0;
  if (isLeaf) return [{ path, value, set }];
  return Object.entries(value).flatMap(([name, inner]) =>
    leavesOf(inner, `${path}.${name}`, (next) => {
      (value as Record<string, unknown>)[name] = next;
    }),
  );
}

const others = (value: unknown): readonly unknown[] => {
  if (value === null) return ['x', 0, false, []];
  if (typeof value === 'bigint') return [value + 1n, -value - 1n];
  if (typeof value === 'number') return [value + 1, value / 2 + 0.25];
  if (typeof value === 'boolean') return [!value];
  if (typeof value === 'string')
    return [`${value} `, `${value}x`, value.slice(1), null].filter((each) => each !== value);
  return [['x'], null];
};

const HELD: readonly [string, () => TransferHeld][] = [
  ['SCREENING', () => transferHeld()],
  ['LIMITS', () => transferHeldByLimits()],
  ['PAYOUT_DISPATCH', () => heldByDispatch()],
];

describe.each(HELD)('what %s holds', (stage, make) => {
  const held = make();

  it('is bound by its hash to every field', () => {
    expect(held.hold.stage).toBe(stage);
    expect(contentHashOf(held)).toBe(held.hold.evidenceHash);
    const count = leavesOf(structuredClone(held), '', () => undefined).length;
    expect(count).toBeGreaterThan(50);
    const missed: string[] = [];
    for (let index = 0; index < count; index++) {
      const original = leavesOf(structuredClone(held), '', () => undefined)[index]!;
      if (original.path === '.hold.evidenceHash' || original.path === '.hold.seal') continue;
      for (const other of others(original.value)) {
        const copy = structuredClone(held);
        const leaf = leavesOf(copy, '', () => undefined)[index]!;
        leaf.set(other);
        if (contentHashOf(copy) === held.hold.evidenceHash) missed.push(`${leaf.path} is ${String(other)}`);
      }
    }
    expect(missed).toEqual([]);
  });

  it('has the same hash when it comes out of the log, and with its fields in any order', () => {
    const type = recordType('TransferHeld');
    expect(contentHashOf(type.fromBuffer(type.toBuffer(held)) as TransferHeld)).toBe(held.hold.evidenceHash);
    expect(contentHashOf(reversed(held) as TransferHeld)).toBe(held.hold.evidenceHash);
  });

  it('has the same hash without the fields that have their default, as an event of before they existed', () => {
    const { approval: _, ...reservation } = held.reservation ?? { approval: null };
    const { rechecks, ...screening } = held.screening!;
    const older = {
      ...held,
      ...(held.reservation ? { reservation } : {}),
      screening: rechecks.length === 0 ? screening : held.screening,
    };
    expect(contentHashOf(older as never)).toBe(held.hold.evidenceHash);
  });
});

const reversed = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(reversed);
  if (value === null || typeof value !== 'object' || Buffer.isBuffer(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([name, inner]) => [name, reversed(inner)]),
  );
};

it('no two different names, accounts and amounts have one hash', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 12 });
  const content = fc.record({
    name: text,
    account: text,
    minor: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  });
  const hashOf = ({ name, account, minor }: { name: string; account: string; minor: bigint }) => {
    const { hold, ...event } = transferHeld({
      creditor: { name, account: { scheme: 'IBAN', value: account, agent: null } },
    });
    const instruction = { ...event.instruction, instructedAmount: { ...event.instruction.instructedAmount, minor } };
    return heldOf({ ...event, instruction }, hold, HOLDING).hold.evidenceHash;
  };
  fc.assert(
    fc.property(content, content, (one, other) => {
      const same = one.name === other.name && one.account === other.account && one.minor === other.minor;
      expect(hashOf(one) === hashOf(other)).toBe(same);
    }),
    { numRuns: 100 },
  );
});
