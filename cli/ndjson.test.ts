import { PassThrough, Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { answerLines, linesOf } from './ndjson.ts';

const bytes = (...chunks: readonly (string | Uint8Array)[]) => Readable.from(chunks.map((chunk) => Buffer.from(chunk)));

async function textsOf(input: AsyncIterable<Uint8Array>, most?: number): Promise<(string | undefined)[]> {
  const found: (string | undefined)[] = [];
  for await (const lines of linesOf(input, most)) {
    found.push(...lines.map((line) => line.bytes && Buffer.from(line.bytes).toString('utf8')));
  }
  return found;
}

describe('lines', () => {
  it('are the same however the bytes are cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll(/[\n\r\ufeff]/g, '')),
          { maxLength: 6 },
        ),
        fc.integer({ min: 1, max: 7 }),
        async (texts, size) => {
          const whole = Buffer.from(texts.map((text) => `${text}\n`).join(''), 'utf8');
          const cut = Array.from({ length: Math.ceil(whole.length / size) }, (_, i) =>
            whole.subarray(i * size, (i + 1) * size),
          );
          expect(await textsOf(bytes(...cut))).toEqual(texts.map((text) => text.toWellFormed()));
        },
      ),
      { numRuns: 50 },
    );
  });

  it('end at a line feed only, with or without a carriage return, and the last one needs none', async () => {
    expect(await textsOf(bytes('a\u2028b\r\nc\u0085d\n\ne'))).toEqual(['a\u2028b', 'c\u0085d', '', 'e']);
    expect(await textsOf(bytes(''))).toEqual([]);
    expect(await textsOf(bytes('a\r\n'))).toEqual(['a']);
  });

  it('lose a byte order mark at the beginning, also one that comes in parts', async () => {
    expect(await textsOf(bytes('\ufeffa\n\ufeffb'))).toEqual(['a', '\ufeffb']);
    expect(await textsOf(bytes(Uint8Array.of(0xef), Uint8Array.of(0xbb, 0xbf, 0x61)))).toEqual(['a']);
  });

  it('that nobody means are passed over whole', async () => {
    expect(await textsOf(bytes('ab', 'cdef', 'gh\nxy\n', 'abcdefgh'), 5)).toEqual([undefined, 'xy', undefined]);
  });
});

describe('answers', () => {
  it('are given for what is no UTF-8 as if it were Windows-1252', async () => {
    const output = new PassThrough();
    await answerLines(bytes('{"n":"M', Uint8Array.of(0xfc), 'l"}\n'), output, ({ n }) => ({ n }));
    output.end();
    expect((await output.toArray()).join('')).toBe('{"n":"Mül"}\n');
  });

  it('come one a line, in order; a bad line ends nothing', async () => {
    const output = new PassThrough();
    const faults = await answerLines(
      bytes('{"n":1}\n', 'nonsense\n[1]\nnull\n\n  \n{"n":', '2}\r\n{"n":3}'),
      output,
      ({ n }) => ({ n }),
    );
    output.end();
    const lines = (await output.toArray()).join('').trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line) as object)).toEqual([
      { n: 1 },
      { line: 2, error: 'LINE_NOT_JSON', message: expect.any(String) },
      { line: 3, error: 'LINE_NOT_OBJECT', message: expect.any(String) },
      { line: 4, error: 'LINE_NOT_OBJECT', message: expect.any(String) },
      { n: 2 },
      { n: 3 },
    ]);
    expect(faults).toBe(3);
  });

  it('wait for a reader that is slow', async () => {
    const output = new PassThrough({ highWaterMark: 64 });
    const input = Array.from({ length: 200 }, (_, n) => `{"n":${n}}\n`);
    const answered = answerLines(bytes(...input), output, ({ n }) => ({ n })).then(() => output.end());
    const got = (await output.toArray()).join('');
    await answered;
    expect(got).toBe(input.join(''));
  });
});
