import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type JsonRefused, strictJson, strictText } from './strict-json.ts';

function codeOf(act: () => unknown): string | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    return (error as JsonRefused).code;
  }
}

describe('strict JSON', () => {
  it.each([
    ['at the top', '{"a":1,"a":1}'],
    ['deep down', '{"x":[1,{"y":{"a":1,"b":{},"a":2}}]}'],
    ['written with an escape', '{"minor":1,"\\u006dinor":2}'],
    ['with spaces before the colon', '{"a" : 1, "a"\t: 2}'],
    ['of the prototype', '{"__proto__":1,"__proto__":2}'],
    ['empty', '{"":1,"":2}'],
    ['with a quote in it', '{"a\\"":1,"a\\"":2}'],
  ])('refuses a key that is repeated: %s', (_, text) => {
    expect(codeOf(() => strictJson(text))).toBe('KEY_REPEATED');
  });

  it.each(['9007199254740993', '1e400', '0.1234567890123456', '9007199254740991.4', '-9223372036854775808'])(
    'refuses %s, which a double does not hold',
    (number) => expect(codeOf(() => strictJson(`{"minor":${number}}`))).toBe('NUMBER_INEXACT'),
  );

  it.each(['9007199254740991', '-12', '0.75', '1e3', '0', '25.50'])('takes %s', (number) => {
    expect(strictJson(`[${number}]`)).toEqual([Number(number)]);
  });

  it('is not misled by what stands in strings', () => {
    const text = '{"a":"{\\"b\\":1,\\"b\\":2}","b":"\\\\","c":"9007199254740993","d":[{"a":1},{"a":2}]}';
    expect(strictJson(text)).toEqual(JSON.parse(text));
  });

  it('takes what has no repeated key, as JSON.parse does', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        fc.pre(!/[\d.]{15}/.test(text));
        expect(strictJson(text)).toEqual(JSON.parse(text));
      }),
      { numRuns: 500 },
    );
  });

  it('ends with a word, however deep it nests', () => {
    expect(Array.isArray(strictJson('['.repeat(100_000) + ']'.repeat(100_000)))).toBe(true);
    expect(codeOf(() => strictJson('['.repeat(100_000)))).toBe('NOT_JSON');
  });

  it('says nothing of what it cannot read', () => {
    expect(() => strictJson('{"name": "Gwen')).toThrow(/^not JSON$/);
  });
});

describe('strict text', () => {
  it('is UTF-8, without its mark', () => {
    expect(strictText(Buffer.from('\ufeffé'))).toBe('é');
    for (const hex of ['4dfc6c', 'eda080', 'c0af', 'fffe4100']) {
      expect(codeOf(() => strictText(Buffer.from(hex, 'hex')))).toBe('NOT_UTF8');
    }
    expect(() => strictText(Buffer.from('fffe4100', 'hex'))).toThrow('UTF-16');
  });
});
