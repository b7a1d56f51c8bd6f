import { describe, expect, test } from 'vitest';
import { parseOfac } from '../lists/index.ts';
import { buildIndex, comparePair, DEFAULT_CONFIG, normaliseName, readParty, screenParty } from './index.ts';
import { scriptsOf } from './pair.ts';

const NONE = '-0- ,-0- ,-0- ,-0- ,-0- ,-0- ';
const SDN = [
  `1,"EXAMPLEV, Sergei Ivanovich","individual","TEST","Director",${NONE},"DOB 08 Mar 1970; nationality Russia; Passport 750123456 (Russia); Gender Male; a.k.a. 'THE BAKER'."`,
  `2,"PROBANKA TRADING LLC",-0- ,"TEST",-0- ,${NONE},"Tax ID No. 7701234567 (Russia)."`,
  `3,"SEA EXAMPLE 5","vessel","TEST",-0- ,${NONE},"Vessel Registration Identification IMO 9849461."`,
  `4,"HIDAYAT","individual","TEST",-0- ,${NONE},"DOB 1980."`,
  `5,"ROUGHLEY, Boris","individual","TEST",-0- ,${NONE},"DOB 1970."`,
  `6,"CIRCAEV, Boris","individual","TEST",-0- ,${NONE},"DOB circa 1970."`,
  `7,"RANGEL, Boris","individual","TEST",-0- ,${NONE},"DOB 1970 to 1972."`,
  `8,"JANUARI, Boris","individual","TEST",-0- ,${NONE},"DOB 01 Jan 1970."`,
].join('\r\n');

const index = buildIndex(
  [await parseOfac({ sdn: Buffer.from(`${SDN}\r\n\u001a`) }, { source: 'CORRIDOR' })],
  DEFAULT_CONFIG,
);
const screen = (schema: string, properties: Record<string, unknown>) =>
  screenParty(index, readParty(schema, properties));
const score = (schema: string, a: string, b: string) =>
  comparePair(schema, { name: a }, { name: b }, DEFAULT_CONFIG).score;

describe('screening', () => {
  test('clear, potential and true match', () => {
    expect(screen('Person', { name: 'Maria Lindqvist' })).toMatchObject({ outcome: 'clear', hits: [], candidates: [] });
    const hit = screen('Person', { name: 'Сергей Эксамплев' });
    expect(hit).toMatchObject({ outcome: 'potential', hits: [{ entity: { id: 'CORRIDOR:1' }, alert: true }] });
    const same = screen('Person', { name: 'Somebody Else', passportNumber: '75 0123456', nationality: 'Russia' });
    expect(same).toMatchObject({ outcome: 'true_match', hits: [{ entity: { id: 'CORRIDOR:1' } }] });
    expect(same.hits[0]?.features).toContainEqual({ name: 'identifier', value: 'equal', effect: 0.98, kind: 'score' });
  });

  test('each score is explained by its features', () => {
    const [hit] = screen('Person', { name: 'Sergey Examplev', birthDate: '1970-03-08', gender: 'male' }).hits;
    expect(hit?.features.map(({ name }) => name)).toEqual(['name_words', 'name_extra_listed', 'birth_date']);
    expect(hit?.features.at(-1)).toEqual({ name: 'birth_date', value: 'equal', effect: 0.06, kind: 'add' });
    expect(hit?.score).toBeCloseTo(hit!.features[0]!.effect + 0.06, 4);
  });

  test('a date of birth far away lowers the score below the threshold, and the candidate stays as evidence', () => {
    const far = screen('Person', { name: 'Sergey Ivanovich Examplev', birthDate: '1970-11-30' });
    expect(far.candidates[0]?.score).toBeLessThan(
      screen('Person', { name: 'Sergey Ivanovich Examplev' }).candidates[0]!.score,
    );
    expect(screen('Person', { name: 'Sergey Examplev', birthDate: '1999-01-31' }).outcome).toBe('clear');
  });

  test.each([
    // name, born, how it is judged, whether it is held
    ['Boris Roughley', '1972-05-02', 'near', true],
    ['Boris Roughley', '1968-05-02', 'near', true],
    ['Boris Roughley', '1975-05-02', 'year-apart', true],
    ['Boris Roughley', '1976-05-02', 'year-far', false],
    ['Boris Januari', '1974-05-02', 'year-apart', true],
    ['Boris Circaev', '1975-05-02', 'near', true],
    ['Boris Circaev', '1980-05-02', 'year-apart', true],
    ['Boris Circaev', '1981-05-02', 'year-far', false],
    ['Boris Rangel', '1971-05-02', 'year-equal', true],
    ['Boris Rangel', '1974-05-02', 'near', true],
    ['Boris Rangel', '1977-05-02', 'year-apart', true],
    ['Boris Rangel', '1978-05-02', 'year-far', false],
    ['Sergei Ivanovich Examplev', '1972-05-02', 'year-differs', false],
  ])('%s, born %s, against a date that the list knows in its own way: %s', (name, birthDate, verdict, held) => {
    const { hits, candidates } = screen('Person', { name, birthDate });
    expect(candidates).toHaveLength(1);
    expect(candidates[0]!.features).toContainEqual(expect.objectContaining({ name: 'birth_date', value: verdict }));
    expect(hits.length === 1).toBe(held);
  });

  test('a name that is nearly the same is kept as evidence whatever else differs, also among many', () => {
    const born = { name: 'Boris Roughley', birthDate: '1999-05-02', nationality: 'Peru' };
    expect(screen('Person', born)).toMatchObject({ outcome: 'clear', candidates: [{ entity: { id: 'CORRIDOR:5' } }] });
    const crowd = Array.from(
      { length: 30 },
      (_, i) => `${i + 1},"CROWDLEY, Boriss","individual","TEST",-0- ,${NONE},"DOB 08 Mar 1970."`,
    );
    crowd.push(`99,"CROWDLEY, Boris","individual","TEST",-0- ,${NONE},"DOB 08 Mar 1930."`);
    return parseOfac({ sdn: Buffer.from(`${crowd.join('\r\n')}\r\n\u001a`) }, { source: 'CORRIDOR' }).then((list) => {
      const among = buildIndex([list], {
        ...DEFAULT_CONFIG,
        threshold: 0.99,
        nearPerfectName: 0.99,
        weakAliasCap: 0.5,
      });
      const found = screenParty(among, readParty('Person', { name: 'Boris Crowdley', birthDate: '1970-07-02' }));
      expect(found.candidates).toHaveLength(DEFAULT_CONFIG.maxCandidates);
      expect(found.candidates.map(({ entity }) => entity.id)).toContain('CORRIDOR:99');
    });
  });

  test('a weak alias does not alert alone, but does with the date of birth', () => {
    const alone = screen('Person', { name: 'The Baker' });
    expect(alone.outcome).toBe('clear');
    expect(alone.candidates[0]).toMatchObject({ alert: false, listedName: { quality: 'weak' } });
    expect(screen('Person', { name: 'The Baker', birthDate: '1970-03-08' }).outcome).toBe('potential');
  });

  test('a single name alerts for itself, not for everybody who bears it', () => {
    expect(screen('Person', { name: 'Hidayat' }).outcome).toBe('potential');
    expect(screen('Person', { name: 'Nur Hidayat' }).outcome).toBe('clear');
  });

  test('organisations are compared by what identifies them, vessels by their numbers as well', () => {
    expect(screen('Company', { name: 'ООО Пробанка Трейдинг' }).outcome).toBe('potential');
    expect(screen('Company', { name: 'Trading LLC' }).outcome).toBe('clear');
    expect(screen('Vessel', { name: 'MV Sea Example 5' }).outcome).toBe('potential');
    expect(screen('Vessel', { name: 'MV Sea Example 6' }).outcome).toBe('clear');
    expect(screen('Vessel', { name: 'Renamed', imoNumber: '9849461' }).outcome).toBe('true_match');
    expect(screen('LegalEntity', { name: 'Probanka Trading' }).outcome).toBe('potential');
  });

  test('an index over some entities screens against those only', () => {
    const version = index.lists[0]!;
    const part = buildIndex([{ list: version, entities: [index.entities[1]!] }], DEFAULT_CONFIG);
    expect(screenParty(part, readParty('Person', { name: 'Sergei Examplev' })).outcome).toBe('clear');
    expect(screenParty(part, readParty('Company', { name: 'Probanka Trading' })).lists).toEqual([version]);
  });

  test('thresholds of single lists apply', () => {
    const strict = { ...DEFAULT_CONFIG, thresholdBySource: { CORRIDOR: 0.99 } };
    const [source] = [{ list: index.lists[0]!, entities: index.entities }];
    const result = screenParty(buildIndex([source!], strict), readParty('Person', { name: 'Sergey Examplev' }));
    expect(result).toMatchObject({ outcome: 'clear', candidates: [{ threshold: 0.99, alert: false }] });
    expect(() => buildIndex([], { ...DEFAULT_CONFIG, floor: 0.9 })).toThrow(RangeError);
  });
});

describe('input that is no name', () => {
  test.each(['', '   ', '😀😀', '\u200b\u200d\ufeff', '---', '\u202e\u202c', '\ud800'])(
    '%j is unscreenable, never clear',
    (name) => {
      expect(screen('Person', { name })).toMatchObject({
        outcome: 'unscreenable',
        code: 'UNSCREENABLE_NAME',
        hits: [],
      });
      expect(screen('Company', { name })).toMatchObject({ outcome: 'unscreenable', code: 'UNSCREENABLE_NAME' });
    },
  );

  test('a name of a megabyte is looked at as far as the limit says, and is never clear', () => {
    expect(screen('Person', { name: 'Lindqvist '.repeat(100_000) })).toMatchObject({
      outcome: 'unscreenable',
      code: 'NAME_TOO_LONG',
    });
    expect(screen('Person', { name: 'x'.repeat(1_000_000) })).toMatchObject({
      outcome: 'unscreenable',
      code: 'NAME_TOO_LONG',
    });
    expect(screen('Person', { name: `Sergei Examplev${' '.repeat(1_000_000)}` }).hits).toHaveLength(1);
    expect(screen('Company', { name: 'я'.repeat(1_000_000) }).outcome).toBe('unscreenable');
  });

  test('invisible and turning characters, emoji and capitals change nothing', () => {
    const plain = screen('Person', { name: 'Sergei Examplev' }).hits[0]?.score;
    for (const name of [
      'Ser\u200bgei Exam\u00adplev',
      '\u202eSergei Examplev\u202c',
      'SERGEI EXAMPLEV 🎂',
      'Sergei\u00a0Examplev',
      'Ｓｅｒｇｅｉ Examplev',
    ]) {
      expect(screen('Person', { name }).hits[0]?.score).toBe(plain);
    }
  });
});

describe('names without vowels', () => {
  test.each([
    // Letters that Latin script reads as one, and those that a vowel parts.
    ['فتحي حماد', 'Fathi Hammad'],
    ['اسحاق دار', 'Ishaq Dar'],
    ['صبحي الطفيلي', 'Subhi Tufayli'],
    ['الكسي ميلر', 'Alexey Miller'],
    ['الكسندر نوفاك', 'Aleksandr Novak'],
    ['مكسيم سوكولوف', 'Maxim Sokolov'],
    ['סרגיי אלקסנדר', 'Sergei Alexander'],
    ['بهمن ریحانی', 'Bahman Reyhani'],
    ['سهراب بهزادی', 'Sohrab Behzadi'],
    ['تهرانی رضا', 'Reza Tehrani'],
    // Names that are known with their vowels, also behind the article and where words grow together.
    ['عادل عبد الله مهدي', 'Adil Abdallah Mahdi'],
    ['سيف الدين المشهداني', 'Saif-al-Din al-Mashhadani'],
    ['نورالدين ترابي', 'Nooruddin Turabi'],
    ['صالح القاسمي', 'Salih Gasmi'],
    ['عبدالحليم زيدان', 'Abd el Halim Zidane'],
    ['ابوبكر بن علي', 'Abu Bakr bin Ali'],
    ['سعيد باهاجى', 'Said Bahaji'],
    ['\ufee3\ufeec\ufeaa\ufeef کریمی', 'Mehdi Karimi'],
    // j is a consonant.
    ['ماجد نجيب', 'Majid Najib'],
    ['جيش محمد', 'Jaish Mohammed'],
    ['رضا نجفی', 'Reza Najafi'],
    // Presentation forms.
    ['\ufe91\ufeec\ufee4\ufee6 ریحانی', 'Bahman Reyhani'],
    ['کمال جرمان', 'Kamel Djermane'],
  ])('%s is %s', (written, romanised) => {
    expect(score('Person', written, romanised)).toBeGreaterThanOrEqual(DEFAULT_CONFIG.threshold);
    expect(score('Person', romanised, written)).toBeGreaterThanOrEqual(DEFAULT_CONFIG.threshold);
  });
});

describe('a name in two scripts', () => {
  test('is each of them', () => {
    for (const name of ['Hassan Ghul', 'حسن غول']) {
      expect(score('Person', 'Hassan Ghul (حسن غول)', name)).toBeGreaterThanOrEqual(DEFAULT_CONFIG.threshold);
    }
    expect(scriptsOf('Hassan Ghul (حسن غول)')).toEqual(['Hassan Ghul', 'حسن غول']);
  });

  test('a word in two scripts is one word with a trick in it', () => {
    expect(scriptsOf('Sergei Ex\u0430mplev')).toEqual([]);
    expect(scriptsOf('Sergei Examplev')).toEqual([]);
    expect(scriptsOf('حسن غول')).toEqual([]);
  });
});

describe('normal form', () => {
  test.each([
    ['Łukasz Ørsted', 'lukasz orsted'],
    ["Al-Qa'ida", 'al qaida'],
    ['Володимир Зеленський', 'volodimir zelenskiy'],
    ['김정은', 'kim jongun'],
    ['李克强', 'li keqiang'],
    ['عبد الرحمن', 'abd al rahman'],
    ['عبدالرحمن', 'abd al rahman'],
    ['عبد الله', 'abdullah'],
    ['نورالدين', 'nur uddin'],
    ['الله‌کرم', 'allah karam'],
    // A name that is not known keeps what is written of it; heh at its end is a vowel.
    ['زنگنه', 'zngnah'],
    // Before a consonant a Latin j is a vowel.
    ['نجفی', 'ndjfy'],
    ['جان', 'jan'],
    ['रजनीकांत', 'rajanikant'],
    ["Deutsche Bank's", 'deutsche bank'],
  ])('%s', (name, normal) => expect(normaliseName(name)).toBe(normal));
});

describe('principles of comparison', () => {
  const alert = DEFAULT_CONFIG.threshold;
  test.each([
    ['Person', 'Novak, Petra', 'Petra Novak', 'order'],
    ['Person', 'Dr. Petra Novak', 'Petra Novak', 'titles'],
    ['Person', 'P. Novak', 'Petra Novak', 'initials'],
    ['Person', 'PetraNovakova', 'Petra Novakova', 'words written together'],
    ['Person', 'Petra Nova kova', 'Petra Novakova', 'a word written apart'],
    ['Person', 'Mohamed Yousef', 'Muhammad Yusuf', 'transliteration'],
    ['Person', 'Petra Nobak', 'Petra Novak', 'a slip'],
    ['Person', 'Bill Thornfield', 'William Thornfield', 'short forms'],
    ['Company', 'Novak GmbH', 'Novak LLC', 'forms of one class'],
    ['Company', '1st Novak Bank', 'First Novak Bank', 'numbers as words'],
    ['Organization', 'NPC', 'Novak Peoples Council', 'first letters'],
    ['Vessel', 'MT Novak', 'Novak', 'prefixes of ships'],
  ])('%s: %s is %s (%s)', (schema, a, b) => expect(score(schema, a, b)).toBeGreaterThanOrEqual(alert));

  test.each([
    ['Person', 'Petra Novak', 'Petr Dvorak', 'another name'],
    ['Person', 'Petra Novak', 'Marta Novak', 'another given name'],
    ['Person', 'Petra Q. Novak', 'Petra Maria Novak', 'an initial that contradicts'],
    ['Person', 'Novak', 'Petra Novak', 'a family name alone'],
    ['Company', 'Novak AG', 'Novak GmbH', 'forms of two classes'],
    ['Company', 'Novak Fund 2', 'Novak Fund 3', 'numbers'],
    ['Company', 'Bank of Estonia', 'Bank of Ethiopia', 'places'],
    ['Company', 'Trading Company', 'Novak Trading Company', 'nothing but general words'],
  ])('%s: %s is not %s (%s)', (schema, a, b) => expect(score(schema, a, b)).toBeLessThan(alert));
});
