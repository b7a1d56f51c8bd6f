// People and accounts of the sample feed. Names are combined from common ones; accounts carry valid check digits.
import { composeIBAN } from 'ibantools';
import type { Account, Intermediary, Party, PostalAddress } from '../schemas/types.generated.ts';
import type { Random } from './random.ts';

const GIVEN: Readonly<Record<string, readonly string[]>> = {
  GB: ['Oliver', 'Amelia', 'Harry', 'Isla', 'George', 'Freya', 'Callum', 'Poppy', 'Gareth', 'Rhiannon'],
  DE: ['Lukas', 'Hanna', 'Jürgen', 'Anneliese', 'Felix', 'Greta', 'Matthias', 'Ulrike', 'Jonas', 'Sabine'],
  US: ['Ashley', 'Tyler', 'Brianna', 'Cody', 'Savannah', 'Logan', 'Chelsea', 'Wyatt', 'Destiny', 'Brandon'],
  AE: ['Maitha', 'Hamdan', 'Shamma', 'Rashed', 'Latifa', 'Mansour', 'Hessa', 'Theyab', 'Alyazia', 'Butti'],
  IN: ['Aarav', 'Diya', 'Vivaan', 'Ananya', 'Rohan', 'Kavya', 'Siddharth', 'Meera', 'Nikhil', 'Lakshmi'],
};
const FAMILY: Readonly<Record<string, readonly string[]>> = {
  GB: ['Whitfield', 'Ashworth', 'Pemberton', 'Llewellyn', 'Cartwright', 'Hargreaves', 'Thistlewood', 'Ramsbottom'],
  DE: ['Schneiderhan', 'Vogelsang', 'Brückner', 'Hollstein', 'Kessler', 'Wagenknecht', 'Lindenberg', 'Achterberg'],
  US: ['Hollingsworth', 'McAllister', 'Vandenberg', 'Culpepper', 'Stapleton', 'Brubaker', 'Winchell', 'Overstreet'],
  AE: ['Almheiri', 'Alketbi', 'Alshamsi', 'Aldhaheri', 'Alnuaimi', 'Almansoori', 'Alzaabi', 'Alsuwaidi'],
  IN: ['Venkataraman', 'Chattopadhyay', 'Deshpande', 'Kulkarni', 'Banerjee', 'Iyengar', 'Ranganathan', 'Mukherjee'],
};
/** Streets and towns with their post codes, by country. */
const STREETS: Readonly<Record<string, readonly string[]>> = {
  GB: ['Station Road', 'Mill Lane', 'Chapel Street', 'Victoria Terrace'],
  DE: ['Hauptstraße', 'Lindenweg', 'Gartenstraße', 'Am Markt'],
  US: ['Maple Avenue', 'Oak Street', 'Lincoln Drive', 'Second Street'],
  AE: ['Al Khaleej Street', 'Al Maktoum Road', 'Corniche Street', 'Hamdan Street'],
  IN: ['Mahatma Gandhi Road', 'Station Road', 'Nehru Marg', 'Temple Street'],
};
const TOWNS: Readonly<Record<string, readonly (readonly [town: string, postCode: string | null])[]>> = {
  GB: [
    ['Leeds', 'LS1 4DY'],
    ['Swansea', 'SA1 3QW'],
    ['Norwich', 'NR2 1TF'],
  ],
  DE: [
    ['Hamburg', '20095'],
    ['München', '80331'],
    ['Leipzig', '04109'],
  ],
  US: [
    ['Columbus', '43215'],
    ['Tucson', '85701'],
    ['Savannah', '31401'],
  ],
  AE: [
    ['Dubai', null],
    ['Sharjah', null],
    ['Al Ain', null],
  ],
  IN: [
    ['Pune', '411001'],
    ['Kochi', '682001'],
    ['Jaipur', '302001'],
  ],
};
const IFSC = ['HDFC0000077', 'ICIC0000104', 'SBIN0000691', 'UTIB0000009', 'KKBK0000958'];

const digits = (random: Random, count: number) => Array.from({ length: count }, () => random.below(10)).join('');

/** An account number that chooses no special outcome at the simulated provider: its last six digits never start with 99. */
function plainNumber(random: Random, count: number): string {
  return `${digits(random, count - 6)}${random.below(9)}${digits(random, 5)}`;
}

/** An account in a country; `ending` (six digits) replaces the last digits. IBANs get valid check digits. */
export function account(random: Random, country: string, ending?: string): Account {
  const number = (count: number) => {
    const plain = plainNumber(random, count);
    return ending === undefined ? plain : `${plain.slice(0, -ending.length)}${ending}`;
  };
  if (country === 'GB') return iban('GB', `NWBK${digits(random, 6)}${number(8)}`);
  if (country === 'DE') return iban('DE', `${digits(random, 8)}${number(10)}`);
  if (country === 'AE') return iban('AE', `033${number(16)}`);
  if (country === 'IN') return { scheme: 'BBAN', value: number(12), agent: random.pick(IFSC) };
  return { scheme: 'BBAN', value: number(10), agent: '021000021' };
}

function iban(countryCode: string, bban: string): Account {
  const value = composeIBAN({ countryCode, bban });
  if (!value) throw new Error(`no IBAN for ${countryCode}`);
  return { scheme: 'IBAN', value, agent: null };
}

/** A made-up address in a country, as CBPR+ wants it since 2026-11-14: in fields. */
export function postalAddress(random: Random, country: string): PostalAddress {
  const [town, postCode] = random.pick(TOWNS[country]!);
  const street = random.pick(STREETS[country]!);
  return { street, building: String(1 + random.below(180)), postCode, town, subdivision: null, country, lines: [] };
}

/** A person of a country. `customerId` must be unique to the run, so that yesterday's limits do not spoil it. */
export function person(random: Random, country: string, customerId: string, ending?: string): Party {
  const year = 1950 + random.below(55);
  const month = String(1 + random.below(12)).padStart(2, '0');
  const day = String(1 + random.below(28)).padStart(2, '0');
  return {
    customerId,
    kind: 'PERSON',
    name: `${random.pick(GIVEN[country]!)} ${random.pick(FAMILY[country]!)}`,
    birthDate: `${year}-${month}-${day}`,
    country,
    nationalities: [country],
    identifiers: [],
    address: null,
    account: account(random, country, ending),
    postalAddress: postalAddress(random, country),
    birthPlace: { town: random.pick(TOWNS[country]!)[0], country },
  };
}

/** BIC and name of made-up banks, by country. */
const AGENTS: Readonly<Record<string, readonly [bic: string, name: string]>> = {
  GB: ['QQNRGB2LXXX', 'Northrigg Clearing Bank'],
  DE: ['QQELDEFFXXX', 'Elbhafen Verrechnungsbank'],
  US: ['QQHUUS33XXX', 'Huron Settlement Trust'],
  AE: ['QQKHAEADXXX', 'Khor Settlement House'],
  IN: ['QQSAINBBXXX', 'Sahyadri Settlement Bank'],
};

/** A bank of a country that the money goes through. */
export function agent(random: Random, country: string): Intermediary {
  const [bic, name] = AGENTS[country] ?? random.pick(Object.values(AGENTS));
  return {
    role: 'INTERMEDIARY_AGENT',
    customerId: null,
    kind: 'ORGANISATION',
    name,
    birthDate: null,
    country,
    nationalities: [],
    identifiers: [{ scheme: 'BIC', value: bic, country: null }],
    address: null,
    // A BIC says where a bank is.
    postalAddress: null,
    birthPlace: null,
  };
}
