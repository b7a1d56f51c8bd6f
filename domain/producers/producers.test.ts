import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NO_PRODUCERS, type Producer, producerBook } from './producers.ts';

const producer = (id: string, idPrefixes: readonly string[], corridors?: readonly string[]): Producer => ({
  id,
  idPrefixes,
  corridors,
});
const bookOf = (...producers: readonly Producer[]) =>
  producerBook({ producers, sharedTopicProducer: undefined, takesUnproven: false });
const codes = (reasons: readonly { readonly code: string }[]) => reasons.map(({ code }) => code);

describe('the ids of producers', () => {
  const book = bookOf(producer('acme', ['acme-', 'a2_']), producer('zenith', ['zen-']), producer('legacy', []));

  it.each([
    ['acme', 'acme-0000001', []],
    ['acme', 'a2_00000001', []],
    ['acme', 'zen-00000001', ['PRID']],
    ['acme', 'other-000001', ['PRID']],
    ['zenith', 'acme-0000001', ['PRID']],
    ['legacy', 'other-000001', []],
    ['legacy', 'acme-0000001', ['PRID']],
    ['unlisted', 'other-000001', []],
    ['unlisted', 'zen-00000001', ['PRID']],
    [null, 'other-000001', []],
    [null, 'zen-00000001', ['PRID']],
    // Looks like the id of another: of its owner neither.
    ['legacy', 'ACME-0000001', ['PRID']],
    ['unlisted', 'Zen-00000001', ['PRID']],
    [null, 'aCME-0000001', ['PRID']],
    ['acme', 'Acme-0000001', ['PRID']],
  ])('%s with %s: %j', (who, id, expected) => {
    expect(codes(book.reasonsAgainst(who, id, undefined))).toEqual(expected);
  });

  it('belong to one producer, whatever the prefixes', () => {
    const prefix = fc.stringMatching(/^[ab][ab-]{1,3}$/);
    fc.assert(
      fc.property(
        fc.array(prefix, { minLength: 1, maxLength: 5 }),
        fc.stringMatching(/^[ab][ab-]{6}[ab]$/),
        (all, id) => {
          const producers = all.map((each, n) => producer(`producer-${n}`, [each]));
          try {
            const found = bookOf(...producers);
            const allowed = producers.filter((each) => found.reasonsAgainst(each.id, id, undefined).length === 0);
            expect(allowed.length).toBeLessThanOrEqual(1);
          } catch (error) {
            // Refused at the start: two of them begin alike.
            expect(error).toMatchObject({ code: 'PRODUCERS_INVALID' });
            const isWithin = all.some((one, n) => all.some((other, m) => n !== m && one.startsWith(other)));
            expect(isWithin).toBe(true);
          }
        },
      ),
    );
  });

  it('restrict nobody where no producers are listed', () => {
    expect(producerBook(NO_PRODUCERS).reasonsAgainst(null, 'acme-0000001', 'GB-IN')).toEqual([]);
    expect(producerBook(NO_PRODUCERS).reasonsAgainst('acme', 'zen-00000001', 'GB-IN')).toEqual([]);
  });
});

it('lets a producer use the corridors that are its own', () => {
  const book = bookOf(producer('acme', ['acme-'], ['GB-IN']));
  expect(book.reasonsAgainst('acme', 'acme-0000001', 'GB-IN')).toEqual([]);
  expect(codes(book.reasonsAgainst('acme', 'acme-0000001', 'EU-IN'))).toEqual(['AG03']);
});

it.each<readonly [string, readonly Producer[]]>([
  ['one within another', [producer('acme', ['ac-']), producer('zenith', ['ac-me'])]],
  ['the same but for case', [producer('acme', ['ac-']), producer('zenith', ['AC-'])]],
  [
    'one within another, a third between',
    [producer('acme', ['ac-']), producer('b1', ['b-']), producer('c1', ['ac-x'])],
  ],
  ['a producer twice', [producer('acme', ['ac-']), producer('acme', ['zen-'])]],
  ['no producer id', [producer('Acme Ltd', ['ac-'])]],
  ['what begins no id', [producer('acme', ['-ac'])]],
  ['no corridor', [producer('acme', ['ac-'], [])]],
])('is refused with %s', (_what, producers) => {
  expect(() => bookOf(...producers)).toThrow(expect.objectContaining({ code: 'PRODUCERS_INVALID' }));
});
