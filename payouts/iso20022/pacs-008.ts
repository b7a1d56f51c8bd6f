// A payout as the customer credit transfer of ISO 20022 (pacs.008.001.08) in the form of CBPR+ 2026. Pure. It is for people and for
// providers that take it: what each of our providers is sent is its own contract (adapters/payout-providers).
import { CLEARING_SYSTEMS } from '../../domain/corridors/clearing-systems.ts';
import { formatMoney } from '../../domain/money/currencies.ts';
import type { PayoutInstruction, StatedAddress, StatedPayer } from '../payout.ts';
import { element, latinText, type XmlElement, xmlOf } from './xml.ts';

const NAMESPACE = 'urn:iso:std:iso:20022:tech:xsd:pacs.008.001.08';
const HEADER = 'urn:iso:std:iso:20022:tech:xsd:head.001.001.02';

/** What the instruction does not say. */
export interface MessageTerms {
  /** Our BIC, and that of the provider. */
  readonly from: string;
  readonly to: string;
  /** When the message is made, and the day of settlement: ms since 1970, ISO 8601 date. */
  readonly createdAt: number;
  readonly settlementDate: string;
  /** What the sender gave up, and the rate; absent where nothing was exchanged. */
  readonly instructed: { readonly minor: bigint; readonly currency: string };
  readonly rate: string;
}

/** The message, with its business header. */
export function pacs008(instruction: PayoutInstruction, terms: MessageTerms): string {
  const id = instruction.uetr.replaceAll('-', '');
  const createdAt = `${new Date(terms.createdAt).toISOString().slice(0, 19)}+00:00`;
  return xmlOf(
    element('Envelope', [
      element(
        'AppHdr',
        [
          element('Fr', [element('FIId', [agentOf(terms.from)])]),
          element('To', [element('FIId', [agentOf(terms.to)])]),
          element('BizMsgIdr', id),
          element('MsgDefIdr', 'pacs.008.001.08'),
          element('BizSvc', 'swift.cbprplus.03'),
          element('CreDt', createdAt),
        ],
        { xmlns: HEADER },
      ),
      element('Document', [element('FIToFICstmrCdtTrf', transferOf(instruction, terms, { id, createdAt }))], {
        xmlns: NAMESPACE,
      }),
    ]),
  );
}

function transferOf(
  instruction: PayoutInstruction,
  { from, to, settlementDate, instructed, rate }: MessageTerms,
  { id, createdAt }: { readonly id: string; readonly createdAt: string },
): readonly XmlElement[] {
  const { endToEndId, uetr, amount, payer, beneficiary, purpose, chargeBearer, remittanceInformation } = instruction;
  return [
    element('GrpHdr', [
      element('MsgId', id),
      element('CreDtTm', createdAt),
      element('NbOfTxs', '1'),
      element('SttlmInf', [element('SttlmMtd', 'INDA')]),
    ]),
    element('CdtTrfTxInf', [
      element('PmtId', [
        element('InstrId', id.slice(0, 16)),
        element('EndToEndId', latinText(endToEndId, 35) ?? 'NOTPROVIDED'),
        element('UETR', uetr),
      ]),
      moneyOf('IntrBkSttlmAmt', amount),
      element('IntrBkSttlmDt', settlementDate),
      moneyOf('InstdAmt', instructed),
      element('XchgRate', instructed.currency === amount.currency ? undefined : rateOf(rate)),
      // SLEV belongs to schemes: between banks its meaning is that of shared charges.
      element('ChrgBr', chargeBearer === 'SLEV' ? 'SHAR' : chargeBearer),
      element('InstgAgt', [agentOf(from)]),
      element('InstdAgt', [agentOf(to)]),
      debtorOf(payer),
      element('DbtrAcct', [accountOf(payer.account)]),
      element('DbtrAgt', [agentOf(from)]),
      element('CdtrAgt', [bankOf(beneficiary.bankCode, to)]),
      element('Cdtr', [element('Nm', latinText(beneficiary.name, 140)), addressOf(beneficiary.address)]),
      element('CdtrAcct', [accountOf(beneficiary.account)]),
      element('Purp', [element('Cd', purpose.code)]),
      reportingOf(purpose),
      element('RmtInf', [element('Ustrd', latinText(remittanceInformation, 140))]),
    ]),
  ];
}

const agentOf = (bic: string): XmlElement => element('FinInstnId', [element('BICFI', bic)]);

const moneyOf = (name: string, { minor, currency }: MessageTerms['instructed']): XmlElement =>
  element(name, formatMoney({ minor, currency }).split(' ')[0], { Ccy: currency });

/** BaseOneRate: at most eleven digits, ten of them behind the point. */
function rateOf(rate: string): string {
  const [whole = '0', part = ''] = rate.split('.');
  const fraction = part.slice(0, Math.max(0, 11 - whole.length)).replace(/0+$/, '');
  return fraction === '' ? whole : `${whole}.${fraction}`;
}

const IBAN = /^[A-Z]{2}\d{2}[A-Z0-9]{8,30}$/;

const accountOf = (account: string): XmlElement =>
  element('Id', [
    IBAN.test(account)
      ? element('IBAN', account)
      : element('Othr', [element('Id', latinText(account.replace('@', '.'), 34))]),
  ]);

const BIC = /^[A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?$/;
/** Clearing systems by the form of the codes that they give. */
const CLEARING: readonly (readonly [form: RegExp, system: string])[] = [
  [/^[A-Z]{4}0[A-Z0-9]{6}$/, CLEARING_SYSTEMS.IFSC],
  [/^\d{6}$/, CLEARING_SYSTEMS.SORT_CODE],
  [/^\d{9}$/, CLEARING_SYSTEMS.ABA],
];

/** The bank of the beneficiary: where the account carries it, the provider finds it. */
function bankOf(bankCode: string | null, provider: string): XmlElement {
  if (bankCode === null) return agentOf(provider);
  if (BIC.test(bankCode)) return agentOf(bankCode);
  const system = CLEARING.find(([form]) => form.test(bankCode))?.[1];
  if (system === undefined) return agentOf(provider);
  const member = [element('ClrSysId', [element('Cd', system)]), element('MmbId', bankCode)];
  return element('FinInstnId', [element('ClrSysMmbId', member)]);
}

function addressOf(at: StatedAddress | null): XmlElement | undefined {
  if (at === null) return undefined;
  return element('PstlAdr', [
    element('StrtNm', latinText(at.street, 70)),
    element('BldgNb', latinText(at.building, 16)),
    element('PstCd', latinText(at.postCode, 16)),
    element('TwnNm', latinText(at.town, 35)),
    element('CtrySubDvsn', latinText(at.subdivision, 35)),
    element('Ctry', at.country ?? undefined),
    ...at.lines.slice(0, 2).map((line) => element('AdrLine', latinText(line, 70))),
  ]);
}

/** Documents by their ISO codes (ExternalPersonIdentification1Code); others go by their own name. */
const DOCUMENTS: Readonly<Record<string, string>> = {
  ...{ PASSPORT: 'CCPT', NATIONAL_ID: 'NIDN', TAX_ID: 'TXID', PAN: 'TXID' },
};

function debtorOf(payer: StatedPayer): XmlElement {
  const { name, address, birthDate, birthPlace, identifiers, kind } = payer;
  const born =
    birthDate?.length === 10 && birthPlace
      ? element('DtAndPlcOfBirth', [
          element('BirthDt', birthDate),
          element('CityOfBirth', latinText(birthPlace.town, 35)),
          element('CtryOfBirth', birthPlace.country),
        ])
      : undefined;
  const documents = identifiers
    .filter(({ scheme }) => scheme !== 'LEI')
    .slice(0, 2)
    .map(({ scheme, value }) => {
      const code = DOCUMENTS[scheme.toUpperCase()];
      const named = code && kind === 'PERSON' ? element('Cd', code) : element('Prtry', latinText(scheme, 35));
      return element('Othr', [element('Id', latinText(value, 35)), element('SchmeNm', [named])]);
    });
  const id = kind === 'ORGANISATION' ? element('OrgId', documents) : element('PrvtId', [born, ...documents]);
  return element('Dbtr', [element('Nm', latinText(name, 140)), addressOf(address), element('Id', [id])]);
}

/** The purpose in a country's own codes. */
function reportingOf({ national }: PayoutInstruction['purpose']): XmlElement | undefined {
  if (national === null) return undefined;
  const details = [element('Cd', latinText(national.code, 10)), element('Inf', latinText(national.relation, 35))];
  return element('RgltryRptg', [element('Dtls', details)]);
}

/** Why the message has not the addresses that CBPR+ wants since 14 November 2026; empty: it has. The oracle does not know this rule. */
export function addressFaults({ payer, beneficiary }: PayoutInstruction): readonly string[] {
  const ofParty = (who: string, at: StatedAddress | null) => {
    const missing = [...(at?.town ? [] : ['TwnNm']), ...(at?.country ? [] : ['Ctry'])];
    return missing.map((field) => `${who} has no ${field}`);
  };
  return [...ofParty('Dbtr', payer.address), ...ofParty('Cdtr', beneficiary.address)];
}
