// Files of intents: what is read, what is refused, and in which line.
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { recordType } from '../schemas/avro-types.ts';
import type { TransferRequested } from '../schemas/types.generated.ts';
import { readIntentLines } from './intent-lines.ts';

const AT = Date.UTC(2026, 10, 23, 9);
const account = { scheme: 'IBAN', value: 'GB33BUKB20201555555555' };
const party = { customerId: 'customer-1', name: 'Gwen Carter', country: 'GB', account };
const intent = (over: object = {}) => ({
  transferId: 'transfer-0001',
  endToEndId: 'E2E-1',
  requestedAt: '2026-11-23T08:00:00Z',
  instructedAmount: { minor: '2500', currency: 'GBP' },
  sourceCurrency: 'GBP',
  targetCurrency: 'INR',
  debtor: party,
  creditor: party,
  ...over,
});
const line = (over: object = {}) => JSON.stringify(intent(over));
const read = (...chunks: readonly (string | Uint8Array)[]) =>
  readIntentLines(Readable.from(chunks.map((chunk) => Buffer.from(chunk))), {
    requestedAt: AT,
    keep: (each: TransferRequested) => {
      recordType('TransferRequested').toBuffer(each);
      return each;
    },
  });

describe('a file of intents', () => {
  it('is read line by line, whatever stands at its beginning, its ends of lines and within its texts', async () => {
    const names = ['a\u2028b', 'c\u0085d', 'é'];
    const texts = names.map((remittanceInformation) => line({ remittanceInformation }));
    const { good, bad, blank } = await read(`\ufeff${texts[0]}\r\n\r\n  \n${texts[1]}\n${texts[2]}`);
    expect([bad, blank]).toEqual([[], 2]);
    const found = good.map(({ parties }) => ('corridor.Parties' in parties ? parties['corridor.Parties'] : undefined));
    expect(found.map((each) => each?.remittanceInformation)).toEqual(names);
  });

  it.each<[string, string | Uint8Array, RegExp]>([
    ['another code page', Buffer.from(line({ endToEndId: 'M#ller' })).map((b) => (b === 0x23 ? 0xfc : b)), /UTF-8/],
    ['UTF-16', Buffer.from(`\ufeff${line()}`, 'utf16le').filter((b) => b !== 0x0a), /UTF-8/],
    ['half of a pair as an escape', line().replace('Gwen', '\\ud800'), /debtor\.name: holds half/],
    ['half of a pair as an id', line().replace('transfer-0001', 'transfer-\\udc00'), /transferId: holds half/],
    ['a repeated amount', line().replace('"minor":"2500"', '"minor":"2500","minor":"250000"'), /"minor" stands twice/],
    [
      'a repeated account',
      line().replace('"account"', '"account":{"scheme":"VPA","value":"x"},"account"'),
      /stands twice/,
    ],
    ['an amount that JSON does not hold', line().replace('"2500"', '9007199254740993'), /not held exactly/],
    ['an amount with a fraction', line().replace('"2500"', '25.5'), /minor/],
    [
      'an amount above 64 bits',
      line({ instructedAmount: { minor: '9223372036854775808', currency: 'GBP' } }),
      /64 bits/,
    ],
    ['a field nobody knows', line({ amount: 5 }), /amount/],
    ['a field of the prototype', line().replace('{', '{"__proto__":{"x":1},'), /./],
    ['no object', '[]', /line/],
    ['no JSON', '{"transferId":', /^not JSON$/],
    ['too long', `"${'x'.repeat(1_100_000)}"`, /longer/],
  ])('refuses %s, with the number of the line, and reads the next ones', async (_, bad, problem) => {
    const found = await read(`${line()}\n`, bad, `\n${line()}\n`);
    expect(found.good).toHaveLength(2);
    expect(found.bad).toEqual([{ line: 2, problem: expect.stringMatching(problem) }]);
  });

  it('tells problems in words that steer no terminal and have an end', async () => {
    const { bad } = await read(line({ [`\u001b[2J${'x'.repeat(5_000)}`]: 1 }));
    expect(bad[0]!.problem.length).toBeLessThanOrEqual(300);
    expect(bad[0]!.problem).not.toContain('\u001b');
  });

  it('gives the time of the call to intents that name none, and counts them', async () => {
    const { good, undated } = await read(`${line({ requestedAt: undefined })}\n${line()}\n`);
    expect([undated, good.map(({ requestedAt }) => requestedAt)]).toEqual([1, [AT, AT - 3_600_000]]);
  });

  it('means the same however its bytes are cut', async () => {
    const whole = Buffer.from(`\ufeff${line({ endToEndId: 'é👍' })}\r\nnonsense\n\n${line()}`);
    const once = await read(whole);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 50 }), async (size) => {
        const chunks = Array.from({ length: Math.ceil(whole.length / size) }, (_, i) =>
          whole.subarray(i * size, (i + 1) * size),
        );
        expect(await read(...chunks)).toEqual(once);
      }),
      { numRuns: 30 },
    );
  });
});
