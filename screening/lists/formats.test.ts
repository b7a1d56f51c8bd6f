import { describe, expect, test } from 'vitest';
import { countryCode, countryOfPlace } from './countries.ts';
import { parsePartialDate } from './dates.ts';
import { parseEuConsolidated, parseUk } from './index.ts';
import { partsByCapitals, splitNames, variantsOf } from './names.ts';

describe('dates as lists print them', () => {
  test.each([
    ['08 Mar 1970', { year: 1970, month: 3, day: 8 }],
    ['Mar 1970', { year: 1970, month: 3 }],
    ['1.9.1957', { year: 1957, month: 9, day: 1 }],
    ['31/12/1952', { year: 1952, month: 12, day: 31 }],
    ['00/00/1960', { year: 1960 }],
    ['1970-03-08', { year: 1970, month: 3, day: 8 }],
    ['2026-02-27T00:00:09.554Z', { year: 2026, month: 2, day: 27 }],
    ['circa 1952', { year: 1952, circa: true }],
    ['1960 to 1965', { year: 1960, toYear: 1965 }],
    ['Between 1960 and 1965', { year: 1960, toYear: 1965 }],
    ['13 September 1961', { year: 1961, month: 9, day: 13 }],
    ['1971', { year: 1971 }],
  ])('%s', (text, date) => expect(parsePartialDate(text)).toEqual(date));

  test.each(['', '28 September', 'N/D', 'year unknown'])('no year in %j', (text) =>
    expect(parsePartialDate(text)).toBeUndefined(),
  );
});

describe('countries', () => {
  test.each([
    ['Iran (Islamic Republic of)', 'IR'],
    ['Korea, North', 'KP'],
    ['russian', 'RU'],
    ['Türkiye', 'TR'],
    ['ae', 'AE'],
    ['Côte d’Ivoire', 'CI'],
    ['the Russian Federation', 'RU'],
  ])('%s', (name, code) => expect(countryCode(name)).toBe(code));

  test('the last country of a place', () => {
    expect(countryOfPlace('Kerman, Iran (Islamic Republic of)')).toBe('IR');
    expect(countryOfPlace('Beltsy (Bălți), USSR (now Republic of Moldova)')).toBe('MD');
    expect(countryOfPlace('Nowhere, Atlantis')).toBeUndefined();
  });
});

describe('cells with several names', () => {
  test('are split', () => {
    expect(splitNames('Azim Adhajani; ‘Aziz Jafari’;; a.k.a. Foo Bar')).toEqual([
      'Azim Adhajani',
      'Aziz Jafari',
      'Foo Bar',
    ]);
    expect(splitNames('a) Ali b) Veli')).toEqual(['Ali', 'Veli']);
  });

  test('brackets and second scripts are names of their own', () => {
    expect(variantsOf('Sergei AKSENOV (Сергей АКСЁНОВ)')).toEqual(['Sergei AKSENOV', 'Сергей АКСЁНОВ']);
    expect(variantsOf('ARAGHI (ERAGHI) Abdollah')).toEqual(['ARAGHI Abdollah', 'ERAGHI Abdollah']);
    expect(variantsOf('Наталья НИКОНОРОВА / Наталя НIКОНОРОВА')).toHaveLength(2);
    expect(variantsOf('plain name')).toEqual(['plain name']);
  });

  test('capitals mark the family name', () => {
    expect(partsByCapitals('Sergey Valeryevich AKSYONOV')).toEqual({ family: 'AKSYONOV', given: 'Sergey Valeryevich' });
    expect(partsByCapitals('ALL LOUD')).toBeUndefined();
  });
});

test('EU consolidated: rows of one entity become one', async () => {
  const header = [
    'fileGenerationDate',
    'Entity_LogicalId',
    'Entity_SubjectType_ClassificationCode',
    'Entity_Regulation_Programme',
    'NameAlias_LastName',
    'NameAlias_FirstName',
    'NameAlias_WholeName',
    'BirthDate_BirthDate',
    'Citizenship_CountryIso2Code',
    'Identification_Number',
    'Identification_TypeCode',
  ].join(';');
  const csv = [
    header,
    '30/10/2026;13;P;IRQ;Example;Person One;Person One Example;;;;',
    '30/10/2026;13;P;IRQ;;;Abu Example;;;;',
    '30/10/2026;13;P;IRQ;;;;1937-04-28;IQ;A12345;passport',
    '30/10/2026;20;E;IRQ;;;"Example; Trading";;;;',
  ].join('\r\n');
  const eu = await parseEuConsolidated(Buffer.from(`\ufeff${csv}\r\n`));
  expect(eu.publicationDate).toBe('2026-10-30');
  expect(eu.counts).toEqual({ entities: 2, names: 3 });
  expect(eu.entities[0]).toMatchObject({
    id: 'EU:13',
    type: 'person',
    names: [
      { full: 'Person One Example', family: 'Example', kind: 'primary' },
      { full: 'Abu Example', kind: 'alias' },
    ],
    birthDates: [{ year: 1937, month: 4, day: 28 }],
    nationalities: ['IQ'],
    identifiers: [{ kind: 'passport', value: 'A12345' }],
  });
  expect(eu.entities[1]).toMatchObject({ type: 'organisation', names: [{ full: 'Example; Trading' }] });
});

test('UK: the report date line, the header by name, one entity per Unique ID', async () => {
  const columns = ['Unique ID', 'Name 6', 'Name 1', 'Name 2', 'Name type', 'Alias strength', 'Name non-latin script'];
  const more = [
    'Regime Name',
    'Designation Type',
    'D.O.B',
    'Nationality(/ies)',
    'IMO number',
    'Gender',
    'Address Country',
  ];
  const csv = [
    'Report Date: 05-Nov-2026',
    [...columns, ...more].join(','),
    'AFG0001,EXAMPLE,Person,One,Primary Name,,,Afghanistan,Individual,dd/mm/1968,Afghanistan,,Male,Pakistan',
    'AFG0001,EXAMPEL,Person,,Alias,Good quality a.k.a,,Afghanistan,Individual,dd/mm/1968,Afghanistan,,Male,Pakistan',
    'AFG0001,HAMSTER,,,Alias,Low quality a.k.a,مثال,Afghanistan,Individual,dd/mm/1968,Afghanistan,,Male,Pakistan',
    'RUS9999,SEA EXAMPLE,,,Primary Name,,,Russia,Ship,,,9849461,,',
  ].join('\r\n');
  const uk = await parseUk(Buffer.from(csv));
  expect(uk.publicationDate).toBe('2026-11-05');
  expect(uk.entities).toHaveLength(2);
  expect(uk.entities[0]).toMatchObject({
    id: 'UK:AFG0001',
    type: 'person',
    names: [
      { full: 'Person One EXAMPLE', family: 'EXAMPLE', kind: 'primary', quality: 'strong' },
      { full: 'Person EXAMPEL', quality: 'strong' },
      { full: 'HAMSTER', quality: 'weak' },
      { full: 'مثال' },
    ],
    birthDates: [{ year: 1968 }],
    gender: 'male',
    countries: ['PK'],
  });
  expect(uk.entities[1]).toMatchObject({ type: 'vessel', identifiers: [{ kind: 'imo', value: '9849461' }] });
  await expect(parseUk(Buffer.from('Report Date: x\r\na,b\r\n1,2\r\n'))).rejects.toMatchObject({
    code: 'LIST_WRONG_FORMAT',
  });
});
