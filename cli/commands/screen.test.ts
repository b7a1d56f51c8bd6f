// The command as programs meet it: through a pipe, with whatever shapes of input there are.
import { spawn, spawnSync } from 'node:child_process';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = path.resolve(import.meta.dirname, '../..');
const MAIN = path.join(ROOT, 'cli/main.ts');
const SAMPLE = ['sdn.csv', 'alt.csv'].map((file) => path.join(ROOT, 'screening/lists/sample', file));

interface Answer {
  readonly [key: string]: unknown;
  readonly score?: number;
  readonly features?: readonly { name: string; value: unknown }[];
}

function screen(input: string | Buffer | readonly object[], ...args: string[]) {
  const text = Array.isArray(input) ? input.map((each) => JSON.stringify(each)).join('\n') : (input as string | Buffer);
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, 'screen', ...args], {
    input: text,
    encoding: 'utf8',
    maxBuffer: 64 << 20,
  });
  const answers = stdout.split('\n').filter((line) => line !== '');
  return { status, stderr, answers: answers.map((line) => JSON.parse(line) as Answer) };
}
const pairs = (input: string | Buffer | readonly object[], ...args: string[]) => screen(input, '--pairs', ...args);

const ONE = { name: 'Ekaterina Ivanova' };
const SAME = { name: 'Yekaterina Ivanova' };

describe('screen --pairs', () => {
  it('answers {id, score, match, features} in order, whatever the id is', () => {
    const ids = ['a', 7, null, true, { deep: [1] }];
    const { status, answers, stderr } = pairs(ids.map((id) => ({ id, schema: 'Person', query: ONE, candidate: SAME })));
    expect([status, stderr]).toEqual([0, '']);
    expect(answers.map((answer) => answer['id'])).toEqual(ids);
    for (const answer of answers) expect(Object.keys(answer)).toEqual(['id', 'score', 'match', 'features']);
    expect(answers[0]).toMatchObject({ match: true, score: expect.any(Number), features: expect.any(Array) });
    expect(answers[0]!.score).toBeGreaterThanOrEqual(0.75);
    expect(answers[0]!.score).toBeLessThanOrEqual(1);
  });

  it('needs only the names: schema, id and everything else may be missing, null, or something nobody knows', () => {
    const { status, answers } = pairs([
      { query: ONE, candidate: SAME },
      { schema: null, query: { ...ONE, birthDate: null, country: null }, candidate: { ...SAME, alias: null } },
      { schema: 'Thing', query: { ...ONE, shoeSize: 42, birthDate: {}, country: [] }, candidate: SAME },
      { schema: 'Person', query: 'Ekaterina Ivanova', candidate: 'Yekaterina Ivanova' },
      { query: { ...ONE, schema: 'Person' }, candidate: SAME },
      { kind: 'x', query: { name: ['Ekaterina Ivanova'] }, candidate: { name: ['Nobody Else', 'Yekaterina Ivanova'] } },
      { query: { firstName: 'Ekaterina', lastName: 'Ivanova' }, candidate: SAME },
    ]);
    expect(status).toBe(0);
    expect(answers.map(({ match, error }) => [match, error])).toEqual(answers.map(() => [true, undefined]));
  });

  it('reads dates and countries however they are written', () => {
    const person = (query: object, candidate: object) => ({
      schema: 'Person',
      query: { ...ONE, ...query },
      candidate: { ...SAME, ...candidate },
    });
    const { answers } = pairs([
      person({ birthDate: '1970' }, { birthDate: '1970-03-08' }),
      person({ birthDate: 1970 }, { birthDate: ['1970-03-08', '1971'] }),
      person({ birthDate: '1970-03-08' }, { birthDate: '08 Mar 1970' }),
      person({ country: 'ru' }, { country: 'Russian Federation' }),
      person({ country: ['Russia', 'fr'] }, { nationality: 'RUS' }),
      person({ nationalities: ['RU'] }, { countries: 'RU' }),
    ]);
    const featureOf = ({ features }: Answer, name: string) => features?.find((each) => each.name === name)?.value;
    expect(answers.slice(0, 3).map((answer) => featureOf(answer, 'birth_date'))).toEqual([
      'year-equal',
      'year-equal',
      'equal',
    ]);
    expect(answers.slice(3).map((answer) => featureOf(answer, 'country'))).toEqual(['equal', 'equal', 'equal']);
  });

  it('takes the identifiers of an intent: one that is the same is a match whatever the names', () => {
    const passport = (value: string) => ({ identifiers: [{ scheme: 'PASSPORT', value, country: 'RU' }] });
    const { answers } = pairs([
      {
        schema: 'Person',
        query: { ...ONE, ...passport('71 234-567') },
        candidate: { name: 'X Y', ...passport('71234567') },
      },
    ]);
    expect(answers[0]).toMatchObject({ match: true, features: [{ name: 'identifier', value: 'equal' }] });
  });

  it('answers every bad line with an error that names it, goes on, and ends with 1', () => {
    const good = JSON.stringify({ id: 9, query: ONE, candidate: SAME });
    const { status, answers } = pairs(
      `<html>\n${good}\n[]\n{"id":3}\n{"id":4,"query":{},"candidate":{"name":"A"}}\n${good}`,
    );
    expect(status).toBe(1);
    expect(answers.map(({ id, line, error, match }) => [id, line, error, match])).toEqual([
      [undefined, 1, 'LINE_NOT_JSON', undefined],
      [9, undefined, undefined, true],
      [undefined, 3, 'LINE_NOT_OBJECT', undefined],
      [3, 4, 'PAIR_INCOMPLETE', undefined],
      [4, 5, 'NAME_MISSING', false],
      [9, undefined, undefined, true],
    ]);
  });

  it('has a sane answer for names that are none: never a silent "somebody else"', () => {
    const query = (name: unknown) => ({ schema: 'Person', query: { name }, candidate: SAME });
    const names = [
      '',
      '   ',
      '\u200b\u200f',
      '🦊🦊',
      '...',
      null,
      [],
      {},
      'x'.repeat(1 << 20),
      'Ivanova '.repeat(100_000),
    ];
    const { status, answers } = pairs(names.map(query));
    expect(status).toBe(1);
    expect(answers.map(({ error }) => error)).toEqual([
      ...Array(8).fill('NAME_MISSING'),
      ...Array(2).fill('NAME_TOO_LONG'),
    ]);
    const good = [
      'Ека\u0301терина Иванова',
      '\u202eEkaterina\u200b Ivanova\u202c',
      'Ekaterina 🦊 Ivanova',
      'EKATERINA\u2028IVANOVA',
    ];
    expect(pairs(good.map(query)).answers.map(({ match }) => match)).toEqual(good.map(() => true));
  });

  it('reads a byte order mark, carriage returns, Latin-1 and nothing at all', () => {
    const line = JSON.stringify({ id: 1, query: { name: 'Jörg Müller' }, candidate: { name: 'Joerg Mueller' } });
    const expected = [{ id: 1, match: true }];
    expect(pairs(`\ufeff${line}\r\n\r\n`)).toMatchObject({ status: 0, answers: expected });
    expect(pairs(Buffer.from(line, 'latin1'))).toMatchObject({ status: 0, answers: expected });
    expect(pairs('')).toMatchObject({ status: 0, answers: [], stderr: '' });
  });

  it('answers as lines come, and ends quietly when its reader does', async () => {
    const child = spawn(process.execPath, [MAIN, 'screen', '--pairs'], { stdio: ['pipe', 'pipe', 'pipe'] });
    const errors: Buffer[] = [];
    child.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
    child.stdin.on('error', () => undefined);
    const line = `${JSON.stringify({ query: ONE, candidate: SAME })}\n`;
    child.stdin.write(line);
    await new Promise((resolve) => child.stdout.once('data', resolve));
    child.stdout.destroy();
    for (let i = 0; i < 2_000; i++) child.stdin.write(line);
    child.stdin.end();
    const status = await new Promise((resolve) => child.once('exit', resolve));
    expect([status, Buffer.concat(errors).toString()]).toEqual([0, '']);
  });
});

describe('screen', () => {
  it('answers parties with outcome, hits and the list versions', () => {
    const { status, answers } = screen(
      [
        { id: 1, kind: 'PERSON', name: 'Nobody Atall' },
        { id: 2, name: '🦊' },
        { id: 3, name: 'x'.repeat(1 << 20) },
      ],
      '--list',
      ...SAMPLE,
    );
    expect(status).toBe(0);
    expect(answers).toMatchObject([
      { id: 1, outcome: 'clear', hits: [], lists: [expect.stringMatching(/^OFAC-undated-/)] },
      { id: 2, outcome: 'unscreenable', code: 'UNSCREENABLE_NAME' },
      { id: 3, outcome: 'unscreenable' },
    ]);
  });

  it('says what is wrong with list files in one line', () => {
    for (const [file, code] of [
      ['/nowhere/sdn.csv', 'FILE_UNREADABLE'],
      [path.join(ROOT, 'README.md'), 'LIST_'],
    ] as const) {
      const { status, stderr } = screen('', '--list', file);
      expect(status).toBe(1);
      expect(stderr).toContain(code);
      expect(stderr).not.toContain('    at ');
    }
  });
});
