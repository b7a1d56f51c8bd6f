// Every format of a screening list: a list version or a coded refusal, whatever the bytes are.

import { CodedError } from '../../ports/fault.ts';
import type { Random } from '../../samples/random.ts';
import {
  ListRefused,
  type ListVersion,
  parseEuAnnexes,
  parseEuConsolidated,
  parseOfac,
  parseUk,
  parseUn,
} from '../../screening/lists/index.ts';
import { must } from './must.ts';
import { mutate } from './mutate.ts';

const lines = (...text: readonly string[]) => Buffer.from(`${text.join('\r\n')}\r\n`);

const UN = Buffer.from(
  '<?xml version="1.0" encoding="utf-8"?><CONSOLIDATED_LIST dateGenerated="2026-01-01T00:00:00Z"><INDIVIDUALS><INDIVIDUAL>' +
    '<DATAID>1</DATAID><FIRST_NAME>Qasim</FIRST_NAME><SECOND_NAME>Al-Marzbani</SECOND_NAME><UN_LIST_TYPE>Sample</UN_LIST_TYPE>' +
    '<REFERENCE_NUMBER>SAi.001</REFERENCE_NUMBER><NATIONALITY><VALUE>Iraq</VALUE></NATIONALITY><INDIVIDUAL_ALIAS><QUALITY>Good' +
    '</QUALITY><ALIAS_NAME>Kasim &amp; Co &#x41;</ALIAS_NAME></INDIVIDUAL_ALIAS><INDIVIDUAL_DATE_OF_BIRTH><TYPE_OF_DATE>EXACT' +
    '</TYPE_OF_DATE><DATE>1970-03-08</DATE></INDIVIDUAL_DATE_OF_BIRTH></INDIVIDUAL></INDIVIDUALS><ENTITIES><ENTITY><DATAID>2' +
    '</DATAID><FIRST_NAME>Greyharbour Shipping</FIRST_NAME></ENTITY></ENTITIES></CONSOLIDATED_LIST>',
);
const UK = lines(
  'Report Date: 05-Nov-2026',
  'Unique ID,Name 6,Name 1,Name 2,Name type,Alias strength,Name non-latin script,Designation Type,D.O.B,IMO number',
  'AFG0001,"EXAMPLE, SON OF",Person,One,Primary Name,,,Individual,dd/mm/1968,',
  'AFG0001,HAMSTER,,,Alias,Low quality a.k.a,مثال,Individual,dd/mm/1968,',
  'RUS9999,SEA EXAMPLE,,,Primary Name,,,Ship,,9849461',
);
const EU_ANNEX = lines(
  'celex,annex,recordId,schema,name,alias,weakAlias,birthDate,birthPlace,nationality,passportNumber,notes',
  '32012R0267,VIII.A,1,Person,Fereidoun Example,"Farid; F. Example",Fred,1958; 1959,"Abadan, Iran",Iran,A1,"a ""note"""',
  '32012R0267,VIII.A,2,LegalEntity,Example Trading,,,,,,,',
);
const EU = lines(
  '\ufefffileGenerationDate;Entity_LogicalId;Entity_SubjectType_ClassificationCode;NameAlias_WholeName;BirthDate_BirthDate',
  '30/10/2026;13;P;Person One Example;',
  '30/10/2026;13;P;;1937-04-28',
  '30/10/2026;20;E;"Example; Trading";',
);
const SDN = lines(
  '9001,"VORSKOV, Anatoly","individual","SAMPLE",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,"DOB 12 Mar 1961; nationality Russia."',
  '9004,"GREYHARBOUR",-0- ,"SAMPLE",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ',
);
const ALT = lines('9001,1,"aka","WORSKOW, Anatol",-0- ');
const ADD = lines('9001,1,"1 Street","Moscow","Russia",-0- ');
const COMMENTS = lines('9001,"(Linked To: GREYHARBOUR)"');

/** A whole list, and how it is read with some of its bytes changed. */
const FORMATS: readonly { readonly files: readonly Buffer[]; parse(files: readonly Buffer[]): Promise<ListVersion> }[] =
  [
    { files: [UN], parse: ([file]) => parseUn([file!]) },
    { files: [UK], parse: ([file]) => parseUk([file!]) },
    { files: [EU], parse: ([file]) => parseEuConsolidated([file!]) },
    {
      files: [EU_ANNEX, Buffer.from(EU_ANNEX.toString().replaceAll('32012R0267', '32014R0269'))],
      parse: (files) => parseEuAnnexes(files),
    },
    {
      files: [SDN, ALT, ADD, COMMENTS],
      parse: ([sdn, alt, add, comments]) => parseOfac({ sdn: sdn!, alt: alt!, add: add!, comments: comments! }),
    },
  ];
const MAX_TEXT = 20_000;
/** How often a good list is read again after a spoilt one: one in so many. */
const LOOK_AGAIN = 25;
const known = new Map<unknown, ListVersion>();

export async function lists(random: Random): Promise<void> {
  const format = random.pick(FORMATS);
  const { files, parse } = format;
  const good = known.get(format) ?? (await parse(files));
  known.set(format, good);
  must(good.entities.length > 0, 'a good list is empty');
  const spoilt = random.below(files.length);
  try {
    const version = await parse(files.map((file, at) => (at === spoilt ? mutate(file, random) : file)));
    must(version.counts.entities === version.entities.length, 'it counts otherwise than it has');
    must(JSON.stringify(version.entities).length < MAX_TEXT, 'more came out than went in');
  } catch (error) {
    must(error instanceof ListRefused || error instanceof CodedError, `an uncoded error: ${(error as Error).stack}`);
  }
  if (random.below(LOOK_AGAIN) > 0) return;
  const again = await parse(files);
  must(again.entitiesHash === good.entitiesHash, 'a good list reads otherwise after a spoilt one');
}
