// What is a cause, and what is none: said once more by a regular expression.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatCause, parseCause } from './cause.ts';

const CAUSE = /^([A-Za-z0-9_-]{12}):(\d{1,6}):(\d{1,16})(?:\.(\d{1,4}))?$/;

function byExpression(text: string) {
  const [, source, partition, offset, nth] = CAUSE.exec(text) ?? [];
  if (source === undefined) return undefined;
  return { source, partition: Number(partition), offset: Number(offset), nth: Number(nth ?? 0) };
}

const digits = (most: number) => fc.string({ unit: fc.constantFrom(...'0123456789'), maxLength: most + 2 });
const source = fc.string({ unit: fc.constantFrom(...'AZaz09_-'), minLength: 11, maxLength: 13 });
const mark = fc.constantFrom(':', ':', ':', ':', '.', '', '\n', ' ');
const nearly = fc
  .tuple(source, mark, digits(6), mark, digits(16), fc.constantFrom('', '', '.', ':', '.\n'), digits(4), mark)
  .map((parts) => parts.join(''));

describe('a cause', () => {
  it('is read as the regular expression reads it, and nothing else is one', () => {
    const text = fc.oneof(nearly, fc.string({ unit: 'binary', maxLength: 50 }));
    fc.assert(
      fc.property(text, (given) => {
        expect(parseCause(given)).toEqual(byExpression(given));
      }),
      { numRuns: 2_000 },
    );
  });

  it('comes back from its text, and not with anything in it or behind it', () => {
    const cause = fc.record({
      source: fc.string({ unit: fc.constantFrom(...'AZaz09_-'), minLength: 12, maxLength: 12 }),
      partition: fc.nat(999_999),
      offset: fc.nat(Number.MAX_SAFE_INTEGER),
      nth: fc.nat(9_999),
    });
    const more = fc.tuple(fc.nat(50), fc.constantFrom(':', '.', '0', 'x', '\n', ' ', '\u0000', '½', '٣'));
    fc.assert(
      fc.property(cause, more, (made, [at, extra]) => {
        const text = formatCause(made);
        expect(parseCause(text)).toEqual(made);
        const changed = text.slice(0, at) + extra + text.slice(at);
        expect(parseCause(changed)).toEqual(byExpression(changed));
      }),
    );
  });
});
