import { expect, it } from 'vitest';
import { checkSecondPerson } from './second-person.ts';

it.each(['amara', 'AMARA', ' amara ', 'ａmara'])('%j is no second person beside amara', (name) => {
  expect(() => checkSecondPerson('amara', name, 'why')).toThrow(
    expect.objectContaining({ code: 'SECOND_PERSON_NEEDED', message: 'why' }),
  );
});

it('is anybody else', () => {
  expect(() => checkSecondPerson('amara', 'bela', 'why')).not.toThrow();
});
