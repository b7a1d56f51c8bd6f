// Files of intents: each line is an intent, a problem in words, or blank, and the lines beside it say what they said.
import { readIntentLines } from '../../cli/intent-lines.ts';
import type { Random } from '../../samples/random.ts';
import type { TransferRequested } from '../../schemas/types.generated.ts';
import { must } from './must.ts';
import { mutate } from './mutate.ts';

const AT = Date.parse('2026-11-23T08:00:00Z');
const party = (customerId: string, country: string) => ({
  ...{ customerId, name: 'Zoë “Z” Muster', country, nationalities: ['GB'], birthDate: '1985-04-12' },
  identifiers: [{ scheme: 'PASSPORT', value: 'X1234567', country: 'GB' }],
  postalAddress: { street: 'High Street', town: 'Leeds', country: 'GB', lines: ['1\u2028a'] },
  account: { scheme: 'IBAN', value: 'GB33BUKB20201555555555' },
});
const line = (transferId: string): string =>
  JSON.stringify({
    ...{ transferId, endToEndId: 'E-1', requestedAt: '2026-11-23T08:00:00Z' },
    instructedAmount: { minor: '9007199254740993', currency: 'GBP' },
    ...{ sourceCurrency: 'GBP', targetCurrency: 'INR', remittanceInformation: '\ud83d\ude00 rent' },
    ...{ debtor: party('c-1', 'GB'), creditor: party('c-2', 'IN') },
  });
const GOOD = Buffer.from(line('transfer-1'));
const BESIDE = ['transfer-a', 'transfer-z'] as const;
const MAX_PROBLEM = 300;

/** In pieces, as a file comes. */
async function* inPieces(bytes: Buffer, random: Random) {
  for (let at = 0; at < bytes.length; ) {
    const end = at + 1 + random.below(bytes.length);
    yield bytes.subarray(at, end);
    at = end;
  }
}

export async function intents(random: Random): Promise<void> {
  const spoilt = mutate(GOOD, random);
  const [first, last] = BESIDE.map((id) => Buffer.from(line(id)));
  const file = Buffer.concat([first!, Buffer.from('\n'), spoilt, Buffer.from('\n'), last!, Buffer.from('\n')]);
  const keep = (intent: TransferRequested) => intent;
  const { good, bad, blank } = await readIntentLines(inPieces(file, random), { requestedAt: AT, keep });
  must(good[0]?.transferId === BESIDE[0] && good.at(-1)?.transferId === BESIDE[1], 'a neighbour reads otherwise');
  const feeds = spoilt.reduce((sum, byte) => sum + (byte === 10 ? 1 : 0), 0);
  must(good.length + bad.length + blank === 3 + feeds, `${good.length}, ${bad.length} and ${blank} of ${3 + feeds}`);
  for (const { problem } of bad) {
    must(problem.length <= MAX_PROBLEM && !/[\p{Cc}\p{Bidi_C}]/u.test(problem), `unsafe: ${problem}`);
  }
  for (const { instructedAmount, transferId } of good) {
    must(BigInt.asIntN(64, instructedAmount.minor) === instructedAmount.minor, 'an amount beyond 64 bits');
    must(transferId.isWellFormed(), 'half of a character');
  }
}
