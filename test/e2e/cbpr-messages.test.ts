// Every kind of sample transfer as a pacs.008: against the schema of ISO 20022, the usage rules of CBPR+ 2026 as somebody else
// reads them (PyPI cbpr-usage-rules), and our own rule of addresses, which that tool does not know.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { messageOf } from '../../operations/queries/payout-message.ts';
import { goodIntent } from '../../samples/intents.ts';
import { seeded } from '../../samples/random.ts';
import type { Parties, PayoutRequested } from '../../schemas/types.generated.ts';
import { AT, payoutRequested } from '../kit/builders.ts';
import { publicData } from '../kit/public-data.ts';
import { pythonWith } from '../kit/python.ts';

const REQUIREMENTS = path.resolve(import.meta.dirname, '../kit/cbpr/requirements.txt');
const SAMPLES = 40;
const folder = mkdtempSync(path.join(tmpdir(), 'corridor-pacs-'));
let python: string;
beforeAll(async () => {
  python = await pythonWith(REQUIREMENTS);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A payout of a sample transfer: every corridor, with and without national purposes, in letters of several languages. */
function requestOf(n: number): PayoutRequested {
  const ids = { transferId: `sample-${n}-0000`, customerId: `customer-${n}`, beneficiaryId: `beneficiary-${n}` };
  const { parties, instructedAmount, targetCurrency } = goodIntent(seeded(n), ids, AT);
  const open = (parties as { readonly 'corridor.Parties': Parties })['corridor.Parties'];
  const base = payoutRequested({ transferId: ids.transferId });
  const national = { scheme: 'RBI', code: 'P1301', relation: 'PARENT' };
  const documents = [{ scheme: 'PASSPORT', value: 'C01X00T47', country: 'DE' }];
  const debtor = n % 4 === 0 ? { ...open.debtor, identifiers: documents } : open.debtor;
  return {
    ...base,
    instruction: { ...base.instruction, nationalPurpose: n % 2 === 0 ? national : null },
    price: { ...base.price, principal: instructedAmount, credit: { minor: 12_345n, currency: targetCurrency } },
    parties: {
      'corridor.Parties': {
        ...open,
        debtor,
        remittanceInformation: n % 3 === 0 ? 'Miete für März & <Söhne> 家' : null,
      },
    },
  };
}

function validate(xml: string, name: string, more: readonly string[] = []) {
  const file = path.join(folder, `${name}.xml`);
  writeFileSync(file, xml);
  const tool = path.join(path.dirname(python), 'cbpr-validate');
  const { status, stdout, stderr } = spawnSync(tool, ['--year', '2026', '--format', 'compact', ...more, file], {
    encoding: 'utf8',
  });
  return { status, said: `${stdout}${stderr}` };
}

it('of every sample passes the schema, the usage rules and the rule of addresses', () => {
  const xsd = path.join(folder, 'pacs.008.001.08.xsd');
  // The public copy is of the version after, which has the same elements here under another namespace.
  const newer = readFileSync(publicData('money/xsd/pacs.008.001.09.xsd'), 'utf8');
  writeFileSync(xsd, newer.replaceAll('pacs.008.001.09', 'pacs.008.001.08'));
  for (let n = 0; n < SAMPLES; n += 1) {
    const { xml, faults } = messageOf(requestOf(n), { from: 'QQNRGB2LXXX', to: 'QQSAINBBXXX', now: AT });
    expect(faults).toEqual([]);
    expect(validate(xml, `${n}`, ['--xsd', xsd]), xml).toMatchObject({ status: 0 });
  }
}, 600_000);

it('that breaks a rule, or the schema, does not pass: the oracle looks', () => {
  const { xml } = messageOf(requestOf(1), { from: 'QQNRGB2LXXX', to: 'QQSAINBBXXX', now: AT });
  const sameCurrency = xml
    .replace(/<InstdAmt Ccy="...">/, '<InstdAmt Ccy="INR">')
    .replace(/<XchgRate>.*<\/XchgRate>/, '');
  expect(validate(sameCurrency, 'charges-missing').status).not.toBe(0);
  const xsd = path.join(folder, 'pacs.008.001.08.xsd');
  const bent = xml.replace('<NbOfTxs>1</NbOfTxs>', '<NbOfTxs>one</NbOfTxs>');
  expect(validate(bent, 'bent', ['--xsd', xsd]).status).not.toBe(0);
});
