import { createReadStream, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { describeWithPublicData, publicData } from '../../test/kit/public-data.ts';
import { diffLists, entitiesToScreen, parseEuAnnexes, parseOfac, parseUn, refuseShrunk } from './index.ts';

const list = (name: string): string => publicData(`lists/${name}`);
const stream = (name: string) => createReadStream(list(name));
const text = (name: string): string => readFileSync(list(name), 'utf8');
const matches = (haystack: string, pattern: RegExp): number => [...haystack.matchAll(pattern)].length;
const dropped = (reasons: readonly { count: number }[]): number => reasons.reduce((sum, { count }) => sum + count, 0);

describeWithPublicData('the public lists', () => {
  test('OFAC: every row, alias and weak alias is read or accounted for', async () => {
    const ofac = await parseOfac({
      sdn: stream('sdn-2024-05-03.csv'),
      alt: stream('alt-2024-01-08.csv'),
      add: stream('add-2024-01-08.csv'),
    });
    const rows = matches(text('sdn-2024-05-03.csv'), /^\d+,"/gm);
    const aliasRows = matches(text('alt-2024-01-08.csv'), /^\d+,\d+,"[afn]ka"/gm);
    const weak = matches(text('sdn-2024-05-03.csv'), /(?:; |,")[afn]\.k\.a\. '/g);
    const { report } = ofac;
    expect(report.entitiesRead).toBe(rows);
    expect(report.entitiesKept).toBe(ofac.entities.length);
    expect(report.entitiesRead).toBe(report.entitiesKept + dropped(report.droppedEntities));
    expect(report.namesRead).toBe(rows + aliasRows + weak);
    expect(report.namesRead).toBe(report.namesKept + dropped(report.droppedNames));
    expect(report.namesKept).toBe(ofac.entities.reduce((sum, entity) => sum + entity.names.length, 0));
    // The alias file is of another day than the entities: some ids are not there any more.
    const ids = new Set([...text('sdn-2024-05-03.csv').matchAll(/^(\d+),"/gm)].map((match) => match[1]));
    const orphans = [...text('alt-2024-01-08.csv').matchAll(/^(\d+),\d+,/gm)].filter((match) => !ids.has(match[1]));
    expect(report.droppedNames.find(({ code }) => code === 'ALIAS_OF_UNKNOWN_ID')?.count).toBe(orphans.length);
  });

  test('OFAC: types, parts of names, dates, identifiers', async () => {
    const ofac = await parseOfac({ sdn: stream('sdn-2024-05-03.csv') });
    const csv = text('sdn-2024-05-03.csv');
    const count = (type: string) => ofac.entities.filter((entity) => entity.type === type).length;
    expect(count('person')).toBe(matches(csv, /^\d+,"(?:[^"]|"")*","individual"/gm));
    expect(count('vessel')).toBe(matches(csv, /^\d+,"(?:[^"]|"")*","vessel"/gm));
    expect(count('aircraft')).toBe(matches(csv, /^\d+,"(?:[^"]|"")*","aircraft"/gm));
    expect(count('organisation')).toBe(matches(csv, /^\d+,"(?:[^"]|"")*",-0- /gm));
    const riccio = ofac.entities.find(({ sourceId }) => sourceId === '16129');
    expect(riccio).toMatchObject({
      id: 'OFAC:16129',
      type: 'person',
      names: [{ full: 'RICCIO, Mario', family: 'RICCIO', given: 'Mario', kind: 'primary', quality: 'strong' }],
      birthDates: [{ year: 1991, month: 6, day: 28 }],
      countries: ['IT'],
      programmes: ['TCO'],
    });
    const feodosia = ofac.entities.find(({ sourceId }) => sourceId === '41090');
    expect(feodosia?.identifiers).toContainEqual({ kind: 'imo', value: '9849461' });
  });

  test('OFAC: 403 added, 12 removed and 10 changed from April to May 2024', async () => {
    const april = await parseOfac({ sdn: stream('sdn-2024-04-04.csv') });
    const may = await parseOfac({ sdn: stream('sdn-2024-05-03.csv') });
    const diff = diffLists(april, may);
    expect([diff.added.length, diff.removed.length, diff.changed.length]).toEqual([403, 12, 10]);
    expect(entitiesToScreen(diff)).toHaveLength(413);
    expect(diff.changed.find(({ after }) => after.sourceId === '32794')?.fields).toContain('names');
    const same = diffLists(may, may);
    expect([same.added, same.removed, same.changed]).toEqual([[], [], []]);
    expect(() => refuseShrunk(april, may)).not.toThrow();
  });

  test('UN: every record and every alias element is read or accounted for', async () => {
    const un = await parseUn(stream('un_consolidated-2026-02-27.xml'));
    const xml = text('un_consolidated-2026-02-27.xml');
    expect(un.publicationDate).toBe('2026-02-27');
    expect(un.report.entitiesRead).toBe(matches(xml, /<(?:INDIVIDUAL|ENTITY)>/g));
    expect(un.report.entitiesKept).toBe(un.entities.length);
    expect(un.entities.filter(({ type }) => type === 'person')).toHaveLength(matches(xml, /<INDIVIDUAL>/g));
    expect(un.report.namesRead).toBe(un.report.namesKept + dropped(un.report.droppedNames));
    const empty = un.report.droppedNames.find(({ code }) => code === 'EMPTY_NAME')?.count;
    expect(empty).toBe(matches(xml, /<ALIAS_NAME\/>/g));
    // Cells with several names count once each, so there are at least as many names as cells.
    const cells =
      matches(xml, /<(?:INDIVIDUAL|ENTITY)>/g) +
      matches(xml, /<(?:ALIAS_NAME|NAME_ORIGINAL_SCRIPT)>/g) +
      matches(xml, /<ALIAS_NAME\/>/g);
    const extra = [...xml.matchAll(/<(?:ALIAS_NAME|NAME_ORIGINAL_SCRIPT)>([^<]*)</g)]
      .map((match) => match[1]!.split(/;|\n|(?:^|\s)\(?[a-z]\)\s/).filter((name) => /\S/.test(name)).length - 1)
      .reduce((sum, more) => sum + Math.max(0, more), 0);
    expect(un.report.namesRead).toBe(cells + extra);
    expect(
      un.entities.flatMap(({ names }) => names).filter(({ quality }) => quality === 'weak').length,
    ).toBeGreaterThan(600);
  });

  test('EU: every row is an entity, and names in brackets become names', async () => {
    const files = readdirSync(list('eu')).sort();
    const eu = await parseEuAnnexes(files.map((file) => stream(`eu/${file}`)));
    const rows = files.map((file) => matches(text(`eu/${file}`), /^3\d{4}R\d{4},[^,]+,EU-/gm));
    expect(eu.report.entitiesRead).toBe(rows.reduce((sum, count) => sum + count, 0));
    expect(eu.report.entitiesKept).toBe(eu.report.entitiesRead);
    expect(eu.report.namesRead).toBe(eu.report.namesKept + dropped(eu.report.droppedNames));
    const aksyonov = eu.entities.find(({ sourceId }) => sourceId === '32014R0269:I.PERSONS:1');
    expect(aksyonov?.names.map(({ full }) => full)).toEqual(
      expect.arrayContaining([
        'Sergey Valeryevich AKSYONOV',
        'Sergei Valerievich AKSENOV',
        'Сергей Валерьевич АКСЁНОВ',
      ]),
    );
    expect(aksyonov?.birthDates).toEqual([{ year: 1972, month: 11, day: 26 }]);
  });

  test('the same bytes in other chunks give the same version', async () => {
    const bytes = readFileSync(list('un_consolidated-2026-02-27.xml'));
    const chunks = Array.from({ length: Math.ceil(bytes.length / 997) }, (_, i) =>
      bytes.subarray(i * 997, i * 997 + 997),
    );
    const [whole, parts] = await Promise.all([parseUn(bytes), parseUn(chunks)]);
    expect(parts).toEqual(whole);
  });

  test.each([0.3, 0.7, 0.999])('an XML cut off at %d of its length is refused', async (share) => {
    const bytes = readFileSync(list('un_consolidated-2026-02-27.xml'));
    const cut = parseUn(bytes.subarray(0, Math.floor(bytes.length * share)));
    await expect(cut).rejects.toMatchObject({ code: 'LIST_TRUNCATED' });
  });

  test('a CSV cut off within a row is refused, and at the end of a row by the shrinkage', async () => {
    const bytes = readFileSync(list('sdn-2024-05-03.csv'));
    const whole = await parseOfac({ sdn: bytes });
    const within = bytes.indexOf('\n', bytes.length / 2) + 20;
    const cut = parseOfac({ sdn: bytes.subarray(0, within) });
    await expect(cut).rejects.toMatchObject({ code: expect.stringMatching(/^LIST_(TRUNCATED|MALFORMED)$/) });
    const short = await parseOfac({ sdn: bytes.subarray(0, bytes.indexOf('\n', bytes.length / 2) + 1) });
    expect(short.report.warnings).toContainEqual(expect.objectContaining({ code: 'NO_END_MARK' }));
    expect(() => refuseShrunk(whole, short)).toThrow(expect.objectContaining({ code: 'LIST_SHRANK' }));
  });

  test('a lost quote is refused', async () => {
    const broken = text('sdn-2024-05-03.csv').replace('"MINSK WHEEL TRACTOR PLANT"', '"MINSK WHEEL TRACTOR PLANT');
    await expect(parseOfac({ sdn: Buffer.from(broken) })).rejects.toMatchObject({ code: 'LIST_MALFORMED' });
  });
});

describe('refusals', () => {
  const html = Buffer.from('\n<!DOCTYPE html>\n<html><body>503 Service Unavailable</body></html>');
  const parsers = {
    OFAC: (bytes: Uint8Array) => parseOfac({ sdn: bytes }),
    UN: (bytes: Uint8Array) => parseUn(bytes),
    EU: (bytes: Uint8Array) => parseEuAnnexes([bytes]),
  };
  test.each(Object.entries(parsers))('%s refuses a web page, nothing, and something else', async (_, parser) => {
    await expect(parser(html)).rejects.toMatchObject({ code: 'LIST_IS_HTML' });
    await expect(parser(new Uint8Array(0))).rejects.toMatchObject({ code: 'LIST_EMPTY' });
    await expect(parser(Buffer.from(' \r\n\u001a'))).rejects.toMatchObject({ code: 'LIST_EMPTY' });
    await expect(parser(Buffer.from('<?xml version="1.0"?><feed></feed>'))).rejects.toMatchObject({
      code: expect.stringMatching(/^LIST_(WRONG_FORMAT|MALFORMED)$/),
    });
  });

  test('a row that cannot be read is dropped and reported, too many are refused', async () => {
    const row = (id: number | string) =>
      `${id},"NAME ${id}","individual","SDGT",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- \r\n`;
    const many = Array.from({ length: 200 }, (_, i) => row(i + 1));
    const one = await parseOfac({ sdn: Buffer.from(`${many.join('')}${row('x')}${row(900)}\u001a`) });
    expect(one.report).toMatchObject({
      entitiesRead: 202,
      entitiesKept: 201,
      droppedEntities: [{ code: 'BAD_ROW', count: 1, examples: ['SDN line 201'] }],
    });
    const bad = Buffer.from(`${many.join('')}${row('x').repeat(10)}${row(900)}\u001a`);
    await expect(parseOfac({ sdn: bad })).rejects.toMatchObject({ code: 'LIST_TOO_MANY_DROPS' });
  });

  test('bytes of Latin-1 are read as such and counted', async () => {
    const sdn = Buffer.from(
      '7,"PEÑA MUÑOZ, José",individual,"SDNT",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- \r\n',
      'latin1',
    );
    const version = await parseOfac({ sdn }, { source: 'CORRIDOR', publicationDate: '2026-01-01' });
    expect(version.entities[0]).toMatchObject({ id: 'CORRIDOR:7', names: [{ family: 'PEÑA MUÑOZ', given: 'José' }] });
    expect(version.report.warnings).toContainEqual({ code: 'NOT_UTF8', count: 3, examples: ['SDN'] });
    expect(version.publicationDate).toBe('2026-01-01');
  });
});
