// What real files and broken downloads hold, in every format: a refusal with a code, or a version whose counts add up.
import { describe, expect, it } from 'vitest';
import type { DropReason, ListVersion } from './entity.ts';
import { ListRefused, parseEuAnnexes, parseEuConsolidated, parseOfac, parseUk, parseUn } from './index.ts';

const FILLER = Array.from({ length: 120 }, (_, i) => `Filler Number${i}`);
const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;

interface Format {
  readonly parse: (bytes: Uint8Array) => Promise<ListVersion>;
  /** A file with one entity for each name. */
  readonly file: (names: readonly string[]) => string;
}

const FORMATS: Readonly<Record<string, Format>> = {
  OFAC: {
    parse: (bytes) => parseOfac({ sdn: bytes }),
    file: (names) =>
      `${names.map((name, i) => `${i + 1},${quoted(name)},individual,"X"${',-0- '.repeat(8)}\r\n`).join('')}\u001a`,
  },
  'EU consolidated': {
    parse: parseEuConsolidated,
    file: (names) =>
      [
        '\ufefffileGenerationDate;Entity_LogicalId;Entity_SubjectType_ClassificationCode;NameAlias_WholeName',
        ...names.map((name, i) => `30/10/2026;${i + 1};P;${quoted(name)}`),
        '',
      ].join('\r\n'),
  },
  UK: {
    parse: parseUk,
    file: (names) =>
      [
        'Report Date: 05-Nov-2026',
        'Unique ID,Name 6,Name 1,Name type,Designation Type',
        ...names.map((name, i) => `UK${i},${quoted(name)},,Primary Name,Individual`),
        '',
      ].join('\r\n'),
  },
  UN: {
    parse: parseUn,
    file: (names) => {
      const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
      const each = names.map(
        (name, i) => `<INDIVIDUAL><DATAID>${i + 1}</DATAID><FIRST_NAME>${escaped(name)}</FIRST_NAME></INDIVIDUAL>`,
      );
      return `<?xml version="1.0" encoding="UTF-8"?><CONSOLIDATED_LIST dateGenerated="2026-02-27T00:00:00Z"><INDIVIDUALS>${each.join('')}</INDIVIDUALS></CONSOLIDATED_LIST>`;
    },
  },
};

const NAMES: readonly (readonly [string, string])[] = [
  ['empty', ''],
  ['blank', ' \t '],
  ['an emoji', '🦊'],
  ['zero-width characters', '\u200bAna\u200d \u2060Example\ufeff'],
  ['right-to-left marks', '\u202eمثال\u202c \u200fמשל'],
  ['quotes', '"The" "Example"'],
  ['brackets without end', '('.repeat(5_000)],
  ['a megabyte', 'x'.repeat(1 << 20)],
  ['a megabyte of words', 'ab '.repeat(350_000)],
  ['a megabyte of brackets', '(ab) '.repeat(210_000)],
  ['a megabyte of slashes', 'a b / '.repeat(170_000)],
  ['a megabyte of semicolons', ';'.repeat(1 << 20)],
  ['a megabyte of aliases', 'a.k.a. '.repeat(150_000)],
  ['lone surrogates', 'Ana \ud800 Example'],
];

const sum = (drops: readonly DropReason[]) => drops.reduce((total, { count }) => total + count, 0);

describe.each(Object.entries(FORMATS))('%s', (_, { parse, file }) => {
  it.each(NAMES)('a name that is %s is kept or dropped, and counted', async (_what, name) => {
    const version = await parse(Buffer.from(file([...FILLER, name]), 'utf8'));
    const { entitiesRead, entitiesKept, droppedEntities, namesRead, namesKept, droppedNames } = version.report;
    expect(entitiesRead).toBe(FILLER.length + 1);
    expect(entitiesKept + sum(droppedEntities)).toBe(entitiesRead);
    expect(namesKept + sum(droppedNames)).toBe(namesRead);
    expect(version.counts).toEqual({ entities: entitiesKept, names: namesKept });
    expect(version.entities).toHaveLength(entitiesKept);
    expect(version.entities.every(({ names }) => names.length > 0)).toBe(true);
    expect(entitiesKept).toBeGreaterThanOrEqual(FILLER.length);
  });

  it.each<[string, (good: Buffer) => Buffer]>([
    [
      'of a lost quote or bracket',
      (good) => Buffer.from(good.toString().replace(/"Filler Number7"|Number7</, '"Filler Number7')),
    ],
    ['a web page', () => Buffer.from('<!DOCTYPE html><html><body>503</body></html>')],
    ['another XML', () => Buffer.from('<?xml version="1.0"?><feed></feed>')],
    ['JSON', () => Buffer.from('{"error":"not found"}')],
    ['empty', () => Buffer.alloc(0)],
    ['binary', () => Buffer.from(Array.from({ length: 4_096 }, (_unused, i) => (i * 131) % 256))],
  ])('a file that is %s is refused with a code', async (_what, change) => {
    const good = Buffer.from(file(FILLER), 'utf8');
    const failed = await parse(change(good)).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failed).toBeInstanceOf(ListRefused);
    expect((failed as ListRefused).message).toMatch(/\S/);
  });

  it.each([0.5, 0.9, 0.999])(
    'cut off at %d of its length is refused, or says that its end is missing',
    async (share) => {
      const good = Buffer.from(file(FILLER), 'utf8');
      const cut = await parse(good.subarray(0, Math.floor(good.length * share) - 2)).catch((error: unknown) => error);
      if (cut instanceof ListRefused) return;
      const { report } = cut as ListVersion;
      expect(report.warnings.map(({ code }) => code).filter((code) => code.startsWith('NO_END_'))).toHaveLength(1);
    },
  );

  it('of Latin-1 bytes reads them as they were meant, and says so', async () => {
    const version = await parse(Buffer.from(file([...FILLER, 'Jörg Müller']).replace('\ufeff', ''), 'latin1'));
    expect(version.entities.flatMap(({ names }) => names.map(({ full }) => full))).toContain('Jörg Müller');
    expect(version.report.warnings.map(({ code }) => code)).toContain('NOT_UTF8');
  });
});

it('EU annexes that are a web page, or cut off, are refused', async () => {
  for (const text of ['<html></html>', '', 'celex,annex\n"open']) {
    await expect(parseEuAnnexes([Buffer.from(text)])).rejects.toBeInstanceOf(ListRefused);
  }
});
