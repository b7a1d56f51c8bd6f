// Every act that needs a second person, with everybody who might try to be one.
import { describe, expect, it } from 'vitest';
import { sealOf } from '../../domain/seals/seal.ts';
import { askedContent } from '../../screening/exceptions.ts';
import { entitiesHashOf, type ListEntity } from '../../screening/lists/index.ts';
import { loadSampleList } from '../../screening/lists/sample/load.ts';
import { packEntities } from '../../screening/versions/packed.ts';
import type { ListStore, StoredActivation } from '../../screening/versions/store.ts';
import type { VersionHead } from '../../screening/versions/version.ts';
import { KEYS } from '../../test/kit/keys.ts';
import { approveException } from '../exceptions/exceptions.ts';
import { activateVersion } from '../lists/import-and-activate.ts';
import { isSamePerson } from './second-person.ts';

const { operators } = KEYS;

/** `maker` asked for it, `checker` lets it through: resolves when it is done. */
type Act = (maker: string, checker: string) => Promise<unknown>;

const approval: Act = (maker, checker) => {
  const terms = { token: 't', source: 'OFAC', entityId: '1', entityHash: 'h', expiresAt: 99, reason: 'born 1985' };
  const asked = { exceptionId: 'e', ...terms, grantedBy: maker };
  const seal = sealOf(operators, 'exception', askedContent(asked));
  const waiting = { ...asked, grantedAt: 1, approved: null, revoked: null, seal };
  const store = { waiting: async () => waiting, approve: async () => true };
  return approveException(store, 'e', { by: checker, at: 5 }, operators);
};

const LISTED = (await loadSampleList()).entities;
const FIRST = LISTED.find(({ names }) => names.length > 1)!;
const OTHERS = LISTED.filter((entity) => entity !== FIRST);

const activation =
  (head: Partial<VersionHead>, entities: readonly ListEntity[] = LISTED, isFirst = false): Act =>
  (maker, checker) => {
    const counts = { entities: 100, names: 100 };
    const list = { source: 'OFAC', versionId: 'before', publishedOn: '2026-11-20', contentHash: 'c', activation: 1 };
    const facts = { source: 'OFAC', activatedAt: 1, activatedBy: 'zoe', published: true };
    const inForce: StoredActivation = { ...facts, ...counts, revision: 1, list, isSealed: true };
    const imported = { versionId: 'next', source: 'OFAC', publicationDate: '2026-11-21', importedBy: maker, counts };
    const load = async (versionId: string) => {
      const of = versionId === 'before' ? LISTED : entities;
      const packed = { ...imported, entitiesHash: entitiesHashOf(of), ...head } as VersionHead;
      return { head: packed, chunks: [...packEntities(of)].map(({ data }) => data) };
    };
    const store: Pick<ListStore, 'head' | 'active' | 'activate' | 'markPublished' | 'load'> = {
      load,
      head: async () => ({ ...imported, ...head }) as VersionHead,
      active: async () => (isFirst ? [] : [inForce]),
      activate: async (_head, revision) => ({ ...inForce, revision: revision + 1 }),
      markPublished: async () => undefined,
    };
    return activateVersion(store as ListStore, async () => undefined, 'next', { by: checker, now: 2 });
  };

const ACTS: Readonly<Record<string, Act>> = {
  'an exception': approval,
  'a list that is the first of its source': activation({}, LISTED, true),
  'a list without one entity': activation({}, LISTED.slice(1)),
  'a list without one name': activation({}, [{ ...FIRST, names: FIRST.names.slice(0, 1) }, ...OTHERS]),
  'a list with another spelling of one name': activation({}, [
    { ...FIRST, names: FIRST.names.map((name) => ({ ...name, full: `${name.full}x` })) },
    ...OTHERS,
  ]),
  'a list with a weak name that was strong': activation({}, [
    { ...FIRST, names: FIRST.names.map((name) => ({ ...name, quality: 'weak' as const })) },
    ...OTHERS,
  ]),
  'a list with another date of birth': activation({}, [{ ...FIRST, birthDates: [{ year: 1800 }] }, ...OTHERS]),
  'a list with another nationality': activation({}, [{ ...FIRST, nationalities: ['AQ'] }, ...OTHERS]),
  'a list with one for another': activation({}, [{ ...FIRST, id: 'OFAC:other' }, ...OTHERS]),
  'a list whose entities cannot be read': activation({ entitiesHash: 'other' }),
  'a list of an earlier day': activation({ publicationDate: '2026-11-19' }),
};

const CHECKERS: readonly (readonly [checker: string, why: string, refusal: string | undefined])[] = [
  ['amara okafor', 'the maker', 'SECOND_PERSON_NEEDED'],
  ['AMARA Okafor', 'in another case', 'SECOND_PERSON_NEEDED'],
  ['  amara okafor ', 'with blanks around', 'SECOND_PERSON_NEEDED'],
  ['amara  okafor', 'with two blanks', 'SECOND_PERSON_NEEDED'],
  ['amaraokafor', 'without a blank', 'SECOND_PERSON_NEEDED'],
  ['amara.okafor', 'with a dot', 'SECOND_PERSON_NEEDED'],
  ['amara\u00a0okafor', 'with a blank that does not break', 'SECOND_PERSON_NEEDED'],
  ['ａｍａｒａ okafor', 'in full width', 'SECOND_PERSON_NEEDED'],
  ['amára okafor', 'with an accent', 'SECOND_PERSON_NEEDED'],
  ['ama\u0301ra okafor', 'with an accent of its own', 'SECOND_PERSON_NEEDED'],
  ['\u0430m\u0430r\u0430 okafor', 'with Cyrillic letters', 'SECOND_PERSON_NEEDED'],
  ['amara \u03bfkafor', 'with a Greek letter', 'SECOND_PERSON_NEEDED'],
  ['amara\u200b okafor', 'with a hidden character', 'PERSON_INVALID'],
  ['system', 'the system', 'PERSON_INVALID'],
  ['Hold Expiry', 'the lapse of a hold', 'PERSON_INVALID'],
  ['\u0441orridor', 'the product, with a Cyrillic letter', 'PERSON_INVALID'],
  ['', 'nobody', 'PERSON_INVALID'],
  ['bela', 'another person', undefined],
  ['amara okafor 2', 'a person whose name goes on', undefined],
];

const TABLE = Object.entries(ACTS).flatMap(([act, run]) =>
  CHECKERS.map(([checker, why, refusal]) => ({ act, why, checker, refusal, run })),
);

describe('a second person', () => {
  it.each(TABLE)('$act by $why: $refusal', async ({ checker, refusal, run }) => {
    const done = run('Amara Okafor', checker);
    if (refusal === undefined) await done;
    else await expect(done).rejects.toMatchObject({ code: refusal });
  });

  it('is not asked for where a list only grows, or says more of why somebody is on it', async () => {
    const added = { ...FIRST, id: 'OFAC:new' };
    const names = [...FIRST.names, { full: 'Another Name', kind: 'alias', quality: 'strong' } as const];
    const more = { ...FIRST, names, programmes: ['MORE'], remarks: 'r', title: 't' };
    for (const entities of [LISTED, [...LISTED, added], [more, ...OTHERS]]) {
      await activation({}, entities)('Amara Okafor', 'amara okafor');
    }
  });

  it('tells the maker by name in what it refuses', async () => {
    for (const run of Object.values(ACTS)) {
      await expect(run('Amara Okafor', 'amara okafor')).rejects.toThrow(/Amara Okafor .* another person must/);
    }
  });

  it('is nobody who has a name without letters and digits, like another such one', () => {
    expect(isSamePerson('🙂', '🙃')).toBe(true);
  });
});
