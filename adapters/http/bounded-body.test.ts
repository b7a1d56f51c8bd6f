import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { boundedBody } from './bounded-body.ts';

describe('a body', () => {
  it('is read whole up to its bound, in however many pieces it comes', async () => {
    expect(await boundedBody(Readable.from([Buffer.from('ab'), Buffer.from('cd')]), 4)).toEqual(Buffer.from('abcd'));
    expect(await boundedBody(null, 4)).toEqual(Buffer.alloc(0));
  });

  it('that never ends is given up at its bound', async () => {
    let given = 0;
    const endless = Readable.from(
      (async function* () {
        for (; ; given++) yield Buffer.alloc(1_000);
      })(),
    );
    expect(await boundedBody(endless, 10_000)).toBeUndefined();
    expect(endless.destroyed).toBe(true);
    expect(given).toBeLessThan(100);
  });
});
