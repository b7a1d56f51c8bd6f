// Bytes that are no UTF-8 are refused wherever a string stands, and no text is written that others could not read.
import { isUtf8 } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { transferRequested } from '../test/kit/builders.ts';
import { avroType, recordType } from './avro-types.ts';

const type = avroType({
  type: 'record',
  name: 'Texts',
  fields: [
    { name: 'plain', type: 'string' },
    { name: 'list', type: { type: 'array', items: 'string' } },
    { name: 'map', type: { type: 'map', values: 'string' } },
  ],
});
/** Strings are bytes for this one: it writes what a careless client writes. */
const careless = avroType({
  type: 'record',
  name: 'Texts',
  fields: [
    { name: 'plain', type: 'bytes' },
    { name: 'list', type: { type: 'array', items: 'bytes' } },
    {
      name: 'map',
      type: {
        type: 'array',
        items: {
          type: 'record',
          name: 'Pair',
          fields: [
            { name: 'k', type: 'bytes' },
            { name: 'v', type: 'bytes' },
          ],
        },
      },
    },
  ],
});
const INVALID: readonly [string, string][] = [
  ['Latin-1', '4dfc6c6c6572'],
  ['a lone continuation byte', '80'],
  ['a sequence that ends early', 'e282'],
  ['an overlong slash', 'c0af'],
  ['half of a pair (CESU-8)', 'eda080'],
  ['a pair in CESU-8', 'eda081edb080'],
  ['beyond Unicode', 'f4908080'],
  ['Windows-1251', 'cfe5f2f0eee2'],
  ['UTF-16', 'fffe4100'],
];
const bytesOf = (plain: Buffer, item = Buffer.from('a'), key = Buffer.from('k'), value = Buffer.from('v')) =>
  careless.toBuffer({ plain, list: [item], map: [{ k: key, v: value }] });

describe('short codes', () => {
  it('are what was written, whatever was read before them', () => {
    const code = fc.string({ unit: 'binary-ascii', maxLength: 5 });
    fc.assert(
      fc.property(fc.array(code, { maxLength: 300 }), (list) => {
        const value = { plain: '', list, map: {} };
        expect(type.fromBuffer(type.toBuffer(value))).toEqual(value);
      }),
    );
  });
});

describe('strings that are read', () => {
  it.each(INVALID)('are refused when they hold %s, wherever they stand', (_, hex) => {
    const bad = Buffer.from(hex, 'hex');
    const good = Buffer.from('ü');
    for (const bytes of [bytesOf(bad), bytesOf(good, bad), bytesOf(good, good, bad), bytesOf(good, good, good, bad)]) {
      expect(() => type.fromBuffer(bytes)).toThrow('no UTF-8');
    }
  });

  it('are read if, and only if, they are UTF-8, and come back as the same bytes', () => {
    const some = fc.oneof(
      fc.uint8Array({ maxLength: 12 }),
      fc.string({ unit: 'binary', maxLength: 90 }).map((text) => Buffer.from(text)),
      fc.constant(Buffer.from('a\ufffdb')),
    );
    fc.assert(
      fc.property(some, some, (first, second) => {
        const bytes = bytesOf(Buffer.from(first), Buffer.from(second));
        if (isUtf8(first) && isUtf8(second)) expect(type.toBuffer(type.fromBuffer(bytes))).toEqual(bytes);
        else expect(() => type.fromBuffer(bytes)).toThrow('no UTF-8');
      }),
      { numRuns: 1_000 },
    );
  });

  it('are all of an intent: one changed byte of a name is no other name', () => {
    const intents = recordType('TransferRequested');
    const bytes = intents.toBuffer(transferRequested({ creditor: { name: 'Zoé Müller' } }));
    const broken = Buffer.from(bytes);
    broken[broken.indexOf('é', 0, 'utf8') + 1] = 0x20;
    expect(() => intents.fromBuffer(broken)).toThrow('no UTF-8');
    expect(intents.toBuffer(intents.fromBuffer(bytes))).toEqual(bytes);
  });
});

describe('strings that are written', () => {
  it.each(['\ud800', 'a\udc00b', '\udc00\ud800', `${'x'.repeat(200)}\ud83d`])(
    'are refused with half of a pair',
    (text) => {
      expect(() => type.toBuffer({ plain: text, list: [], map: {} })).toThrow('half of a surrogate pair');
    },
  );

  it('are UTF-8, or nothing is written', () => {
    const unit = fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code));
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 80 }), (plain) => {
        const write = () => type.toBuffer({ plain, list: [], map: {} });
        if (plain.isWellFormed()) expect(type.fromBuffer(write())).toMatchObject({ plain });
        else expect(write).toThrow('half of a surrogate pair');
      }),
      { numRuns: 1_000 },
    );
  });
});
