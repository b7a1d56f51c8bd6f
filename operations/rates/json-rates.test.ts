// Rates of any JSON: by a mapping, whole or not at all, with the text of the number that stands there.
import { hash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { times } from '../../test/kit/times.ts';
import { ratesOfJson } from './json-rates.ts';
import { type JsonSource, rateSourcesOf } from './sources.ts';

const NOW = Date.parse('2026-12-01T09:30:00Z');
const AT = '2026-12-01T09:29:59Z';
const bytes = (text: string) => Buffer.from(text);

function sourceOf(pairs: readonly string[], mapping: object): JsonSource {
  const source = { kind: 'json', source: 'bank', url: 'https://rates.bank.example/', everyMs: 5_000, pairs, mapping };
  return rateSourcesOf(bytes(JSON.stringify({ sources: [source] })))[0] as JsonSource;
}
const LIST = sourceOf(['GBP/INR'], {
  items: '/quotes',
  pair: { symbol: { at: '/symbol' }, separator: '/' },
  rate: '/mid',
  observedAt: { at: '/time' },
});
const answer = (quotes: string) => bytes(`{"quotes":[${quotes}]}`);
const quoted = (mid: string, symbol = 'GBP/INR', time = `"${AT}"`) =>
  `{"symbol":"${symbol}","mid":${mid},"time":${time}}`;

describe('an answer', () => {
  it('in a list, by symbols', () => {
    const file = answer(`${quoted('125.25790')},${quoted('0', 'XXX/YYY', 'null')},7,null`);
    expect(ratesOfJson(file, LIST, NOW).rates).toEqual([
      {
        ...{ source: 'bank', base: 'GBP', quote: 'INR', rate: '125.25790', observedAt: NOW - 1_000, publishedAt: NOW },
        rawHash: hash('sha256', file, 'hex'),
      },
    ]);
  });

  it('in an object by currency, with one time for all, as the European ones have it', () => {
    const source = sourceOf(['EUR/GBP', 'EUR/INR'], {
      items: '/rates',
      pair: { base: { is: 'EUR' }, quote: { key: true } },
      observedAt: { at: '/timestamp', in: 'answer', as: 'seconds' },
    });
    const file = bytes(`{"timestamp":${NOW / 1_000 - 1},"rates":{"GBP":0.8731,"INR":"109.4","USD":1.1}}`);
    expect(ratesOfJson(file, source, NOW).rates.map(({ base, quote, rate }) => `${base}/${quote} ${rate}`)).toEqual([
      'EUR/GBP 0.8731',
      'EUR/INR 109.4',
    ]);
  });

  it.each<[string, Buffer]>([
    ['that lacks a pair', answer(quoted('125', 'USD/INR'))],
    ['with a pair twice', answer(`${quoted('125')},${quoted('126')}`)],
    ['with a rate of nothing', answer(quoted('0'))],
    ['with a rate below zero', answer(quoted('-1'))],
    ['with a rate that is none', answer(quoted('null'))],
    ['with a rate that an exponent hides', answer(quoted('1e400'))],
    ['with a rate that goes on', answer(quoted(`"${'1'.repeat(40)}"`))],
    ['without a time', answer(quoted('125', 'GBP/INR', 'null'))],
    ['with a time that is a word', answer(quoted('125', 'GBP/INR', '"yesterday"'))],
    ['from the future', answer(quoted('125', 'GBP/INR', '"2026-12-01T09:40:00Z"'))],
    ['with a key twice', bytes('{"quotes":[],"quotes":[]}')],
    ['that is no JSON', bytes('<html>Sorry</html>')],
    ['that is no UTF-8', Buffer.from([0x7b, 0xff, 0x7d])],
    ['that was cut off', bytes('{"quotes":[{"symbol":"GBP/I')],
    ['with no list', bytes('{"quotes":"none"}')],
    ['of another shape', bytes('[]')],
    ['that is deep', bytes('['.repeat(200_000))],
    ['that is deep and closed', bytes('['.repeat(200_000) + ']'.repeat(200_000))],
    ['with too many quotations', bytes(`{"quotes":[${'1,'.repeat(10_000)}1]}`)],
    ['that names what every object has', bytes('{"quotes":{"__proto__":{"symbol":"GBP/INR"}}}')],
  ])('%s is not taken', (_, file) => {
    expect(() => ratesOfJson(file, LIST, NOW)).toThrow(expect.objectContaining({ code: 'RATE_FILE_WRONG' }));
  });

  it('keeps every digit that stands there, whatever a double would make of it', () => {
    const digits = fc.tuple(fc.bigInt({ min: 1n, max: 10n ** 11n }), fc.bigInt({ min: 1n, max: 10n ** 11n }));
    fc.assert(
      fc.property(digits, fc.boolean(), ([whole, part], isText) => {
        const rate = `${whole}.${part}`;
        const [read] = ratesOfJson(answer(quoted(isText ? `"${rate}"` : rate)), LIST, NOW).rates;
        expect(read!.rate).toBe(rate);
      }),
      { numRuns: times(300) },
    );
  });

  it('of any bytes is taken or refused as wrong, and nothing else', () => {
    const almost = fc.json().map((text) => bytes(`{"quotes":${text}}`));
    const any = fc.uint8Array({ maxLength: 200 }).map((part) => Buffer.from(part));
    fc.assert(
      fc.property(fc.oneof(almost, any), (file) => {
        try {
          expect(ratesOfJson(file, LIST, NOW).rates).toHaveLength(1);
        } catch (error) {
          expect(error).toMatchObject({ code: 'RATE_FILE_WRONG' });
        }
      }),
      { numRuns: times(500) },
    );
  });
});

describe('a file of sources', () => {
  const good = { kind: 'ecb', source: 'ecb', url: 'https://www.ecb.europa.eu/x.xml', everyMs: 60_000 };
  const json = {
    ...good,
    kind: 'json',
    pairs: ['GBP/INR'],
    mapping: { pair: { base: { is: 'GBP' }, quote: { key: true } }, observedAt: { at: '/t' } },
  };
  it.each<[string, object]>([
    ['with a field that nobody knows', { ...good, every: 5 }],
    ['of a kind that there is not', { ...good, kind: 'csv' }],
    ['that is asked all the time', { ...good, everyMs: 10 }],
    ['with a name that parts keys', { ...good, source: 'ecb/x' }],
    ['with a network that is none', { ...good, networks: ['10.0.0.0'] }],
    ['without pairs', { ...json, pairs: [] }],
    ['with a pair twice', { ...json, pairs: ['GBP/INR', 'GBP/INR'] }],
    ['with a pointer that is none', { ...json, mapping: { ...json.mapping, rate: 'mid' } }],
    ['with a mapping that says nothing of the time', { ...json, mapping: { pair: json.mapping.pair } }],
  ])('%s is refused', (_, source) => {
    expect(() => rateSourcesOf(bytes(JSON.stringify({ sources: [source] })))).toThrow(
      expect.objectContaining({ code: 'RATE_SOURCES_INVALID' }),
    );
  });

  it('with a source twice, or none, or no JSON, is refused', () => {
    for (const text of [
      JSON.stringify({ sources: [good, good] }),
      '{"sources":[]}',
      '{}',
      'x',
      '{"sources":[],"sources":[]}',
    ])
      expect(() => rateSourcesOf(bytes(text))).toThrow(expect.objectContaining({ code: 'RATE_SOURCES_INVALID' }));
    const both = { sources: [good, { ...json, source: 'bank' }] };
    expect(rateSourcesOf(bytes(JSON.stringify(both)))).toMatchObject([
      { source: 'ecb', timeoutMs: 10_000, networks: [] },
      { source: 'bank', mapping: { items: '', rate: '', observedAt: { in: 'quotation', as: 'iso' } } },
    ]);
  });
});
