// Bytes of rate files are not believed: what they say of size, dates and numbers is looked at before anything is taken.
import { hash } from 'node:crypto';
import { crc32, deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { fxRate } from '../../test/kit/builders.ts';
import { fxRates } from '../../topics/boundary.ts';
import { ecbDays } from './ecb.ts';
import { newerThan, rateOfLine, ratesOfEcb } from './import.ts';

const NOW = Date.UTC(2026, 9, 30, 15);
const AT = { source: 'ecb', now: NOW };
const bytes = (text: string) => Buffer.from(text, 'utf8');
const HIST = 'Date,USD,GBP,BGN,\n2026-10-29,1.113,0.83578,N/A,\n2026-10-30,1.1172,0.8338,N/A,\n';
const DAILY = 'Date, USD, GBP, \n30 October 2026, 1.1172, 0.8338, \n';
const XML = `<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">
  <gesmes:subject>Reference rates</gesmes:subject>
  <Cube><Cube time='2026-10-30'><Cube currency='USD' rate='1.1172'/><Cube currency='GBP' rate='0.8338'/></Cube></Cube>
</gesmes:Envelope>`;

/** An archive of one file; `lie` changes what its directory says. */
function zip(content: Buffer, lie: { size?: number; crc?: number; files?: number } = {}): Buffer {
  const data = deflateRawSync(content);
  const local = Buffer.alloc(30);
  local.writeUInt32LE(0x04034b50, 0);
  local.writeUInt16LE(8, 8);
  const entry = Buffer.alloc(46);
  entry.writeUInt32LE(0x02014b50, 0);
  entry.writeUInt16LE(8, 10);
  entry.writeUInt32LE(lie.crc ?? crc32(content), 16);
  entry.writeUInt32LE(data.length, 20);
  entry.writeUInt32LE(lie.size ?? content.length, 24);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(lie.files ?? 1, 10);
  end.writeUInt32LE(entry.length, 12);
  end.writeUInt32LE(local.length + data.length, 16);
  return Buffer.concat([local, data, entry, end]);
}

describe('a file of the ECB', () => {
  it.each([
    ['CSV of all days', bytes(HIST)],
    ['CSV of a day', bytes(DAILY)],
    ['the same packed', zip(bytes(HIST))],
    ['XML', bytes(XML)],
  ])('as %s gives its latest day, with the hash of what was read', (_, file) => {
    const { rates, rawHash } = ratesOfEcb(file, AT);
    expect(rawHash).toBe(hash('sha256', file, 'hex'));
    const common = { source: 'ecb', base: 'EUR', observedAt: Date.UTC(2026, 9, 30, 13, 15), publishedAt: NOW, rawHash };
    expect(rates).toEqual([
      { ...common, quote: 'USD', rate: '1.1172' },
      { ...common, quote: 'GBP', rate: '0.8338' },
    ]);
  });

  const DOCTYPE = `<!DOCTYPE x [<!ENTITY a "1.1">]>${XML.replace(/^<\?.*\?>/, '')}`;
  it.each([
    ['nothing', bytes('')],
    ['a page', bytes('<html><body>maintenance</body></html>')],
    ['cut off in a row', bytes(HIST.slice(0, -20))],
    ['bytes that are no text', Buffer.from([0x44, 0x61, 0xff, 0xfe])],
    ['a rate of nothing', bytes(HIST.replace('1.1172', '0.0'))],
    ['a rate below zero', bytes(HIST.replace('1.1172', '-1.1172'))],
    ['a rate with an exponent', bytes(HIST.replace('1.1172', '1e3'))],
    ['a rate that is endless', bytes(HIST.replace('1.1172', `1.${'1'.repeat(40)}`))],
    ['a day that is none', bytes(HIST.replace('2026-10-30', '2026-02-30'))],
    ['a day twice', bytes(HIST.replace('2026-10-29', '2026-10-30'))],
    ['a currency twice', bytes(HIST.replace('GBP', 'USD'))],
    ['a currency that is none', bytes(HIST.replace('GBP', 'gb'))],
    ['a day that has not come', bytes(HIST.replace('2026-10-30', '2026-11-02'))],
    ['XML that is cut off', bytes(XML.slice(0, -40))],
    ['XML with a document type', bytes(DOCTYPE)],
    ['XML with a rate of no day', bytes(XML.replace("time='2026-10-30'", ''))],
    ['an archive that lies about its size', zip(bytes(HIST), { size: 5 })],
    ['an archive that was changed', zip(bytes(HIST), { crc: 1 })],
    ['an archive of several files', zip(bytes(HIST), { files: 2 })],
    ['an archive that is cut off', zip(bytes(HIST)).subarray(0, 60)],
    ['an archive that unpacks to too much', zip(Buffer.alloc(64 * 1024 * 1024))],
    ['an archive that says that it is small', zip(Buffer.alloc(64 * 1024 * 1024), { size: 100 })],
    ['more than all days would be', Buffer.alloc(17 * 1024 * 1024, 0x20)],
  ])('is refused whole with %s', (_, file) => {
    expect(() => ratesOfEcb(file, AT)).toThrow(expect.objectContaining({ code: 'RATE_FILE_WRONG' }));
  });

  it('leaves out what is not quoted, and puts the latest day first', () => {
    expect(ecbDays(bytes(HIST)).map(({ day, rates }) => [day, [...rates.keys()]])).toEqual([
      ['2026-10-30', ['USD', 'GBP']],
      ['2026-10-29', ['USD', 'GBP']],
    ]);
  });
});

describe('a line', () => {
  const LINE = { base: 'GBP', quote: 'INR', rate: '125.2579', observedAt: '2026-10-30T14:59:00Z' };
  it('is a rate, with the hash of its bytes', () => {
    const raw = bytes(JSON.stringify(LINE));
    expect(rateOfLine(raw, { source: 'bank', now: NOW })).toEqual({
      ...{ source: 'bank', base: 'GBP', quote: 'INR', rate: '125.2579', observedAt: NOW - 60_000, publishedAt: NOW },
      rawHash: hash('sha256', raw, 'hex'),
    });
  });

  it.each([
    ['no JSON', '{'],
    ['a double', JSON.stringify({ ...LINE, rate: 125.2579 })],
    ['what nobody knows', JSON.stringify({ ...LINE, bid: '1' })],
    ['a name twice', '{"base":"GBP","base":"EUR","quote":"INR","rate":"1","observedAt":"2026-10-30T14:59:00Z"}'],
    ['a time to come', JSON.stringify({ ...LINE, observedAt: '2026-10-30T15:06:00Z' })],
    ['a time that is none', JSON.stringify({ ...LINE, observedAt: 'yesterday' })],
    ['a pair of one', JSON.stringify({ ...LINE, quote: 'GBP' })],
    ['a rate of nothing', JSON.stringify({ ...LINE, rate: '0' })],
  ])('is refused with %s', (_, text) => {
    expect(() => rateOfLine(bytes(text), { source: 'bank', now: NOW })).toThrow(
      expect.objectContaining({ code: 'RATE_FILE_WRONG' }),
    );
  });

  it.each(['', 'a/b', 'a@b', 'x'.repeat(33), 'ü'])('has no source named %j', (source) => {
    expect(() => rateOfLine(bytes(JSON.stringify(LINE)), { source, now: NOW })).toThrow(
      expect.objectContaining({ code: 'RATE_FILE_WRONG' }),
    );
  });
});

it('what the log has already, or has later, is not written again', () => {
  const known = new Map(
    [fxRate({ observedAt: 5 }), fxRate({ base: 'EUR', observedAt: 9 })].map((rate) => [fxRates.keyOf(rate), rate]),
  );
  const rates = [
    fxRate({ observedAt: 5 }),
    fxRate({ observedAt: 6 }),
    fxRate({ observedAt: 7 }),
    fxRate({ base: 'EUR', observedAt: 8 }),
    fxRate({ base: 'USD', observedAt: 1 }),
  ];
  const written = newerThan((key) => known.get(key), rates);
  expect(written.map(({ base, observedAt }) => `${base} ${observedAt}`)).toEqual(['GBP 7', 'USD 1']);
  expect(newerThan((key) => written.find((rate) => fxRates.keyOf(rate) === key), written)).toEqual([]);
});
