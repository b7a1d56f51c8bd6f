import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { boundedLabels, firstCharacters, isLongerThan, isPlainText, safeLines, safeText } from './text.ts';

const HIDDEN: readonly [string, string][] = [
  ['escape', '\u001b[2J'],
  ['bell', '\u0007'],
  ['line feed', '\n'],
  ['C1 control sequence', '\u009b31m'],
  ['right-to-left override', '\u202e'],
  ['isolate', '\u2066'],
  ['left-to-right mark', '\u200e'],
  ['Arabic letter mark', '\u061c'],
  ['line separator', '\u2028'],
  ['paragraph separator', '\u2029'],
  ['half of a pair', '\ud800'],
  ['the other half', '\udfff'],
  ['byte order mark', '\ufeff'],
  ['zero-width space', '\u200b'],
  ['word joiner', '\u2060'],
  ['soft hyphen', '\u00ad'],
  ['tag', '\u{e0041}'],
  ['no character', '\uffff'],
];
const anything = fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)) });

describe('text from outside', () => {
  it.each(HIDDEN)('with a %s is not plain and is shown without it', (_, hidden) => {
    expect(isPlainText(`a${hidden}b`)).toBe(false);
    expect(safeText(`a${hidden}b`)).not.toContain(hidden[0]);
    expect(safeText(`a${hidden}b`)).toMatch(/^a\ufffd/);
  });

  it.each(['Gwen Carter', 'Zoë', '李小龍', 'رضا', 'می‌خواهم', 'क्‍ष', '𠮷野', '👍', "O'Brien-Šmíd"])(
    '%s is plain',
    (text) => {
      expect(isPlainText(text)).toBe(true);
    },
  );

  it('that somebody could not read is not plain', () => expect(isPlainText('M\ufffdller')).toBe(false));

  it('is counted in characters and never cut within one', () => {
    expect([isLongerThan('👍👍', 2), isLongerThan('👍👍', 1), isLongerThan('ab', 2)]).toEqual([false, true, false]);
    expect(firstCharacters('a👍b', 2)).toBe('a👍');
  });

  it('is shown well formed, within the bound, and the same when shown again', () => {
    fc.assert(
      fc.property(anything, fc.integer({ min: 1, max: 40 }), (text, most) => {
        const shown = safeText(text, most);
        expect(shown.isWellFormed()).toBe(true);
        expect([...shown].length).toBeLessThanOrEqual(most);
        expect(shown).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
        expect(safeText(shown, most)).toBe(shown);
        if (isPlainText(text) && !/[\u200c\u200d]/.test(text) && [...text].length <= most) expect(shown).toBe(text);
      }),
      { numRuns: 500 },
    );
  });

  it('keeps its lines where it has some, and nothing else of the terminal', () => {
    expect(safeLines('{\n\t"a": "\u001b[31m"\r\n}')).toBe('{\n  "a": "\ufffd[31m"\n}');
  });
});

describe('labels', () => {
  it('are a bounded set of short texts', () => {
    const label = boundedLabels(2);
    expect(['a', 'b', 'c', 'a', 'd'].map(label)).toEqual(['a', 'b', 'other', 'a', 'other']);
    expect([...boundedLabels()('x'.repeat(1_000))]).toHaveLength(60);
  });
});
