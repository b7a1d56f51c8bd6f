import { expect, it } from 'vitest';
import { assignCase, releaseCase } from './assign.ts';
import { ASSIGNMENT_MS, type Assignment } from './decide.ts';

const stands = (assignment: Assignment | undefined) => ({
  assign: async (wanted: Assignment) => assignment ?? wanted,
  release: async (_: string, person: string) => person === assignment?.person,
});

it('is that of the person who asks, until it is over', async () => {
  expect(await assignCase(stands(undefined), { caseId: 'c', by: ' Amara ', at: 5 })).toEqual({
    caseId: 'c',
    by: 'Amara',
    person: 'amara',
    at: 5,
    until: 5 + ASSIGNMENT_MS,
  });
});

it('is refused while somebody else has it, and released only by who has it', async () => {
  const store = stands({ caseId: 'c', by: 'Bela', person: 'bela', at: 1, until: 9 });
  await expect(assignCase(store, { caseId: 'c', by: 'amara', at: 5 })).rejects.toMatchObject({
    code: 'CASE_ASSIGNED',
    message: 'Bela works on case c until 1970-01-01T00:00:00.009Z',
  });
  await expect(releaseCase(store, { caseId: 'c', by: 'amara' })).rejects.toMatchObject({ code: 'ASSIGNMENT_UNKNOWN' });
  await releaseCase(store, { caseId: 'c', by: 'BELA' });
  await expect(assignCase(store, { caseId: 'c', by: 'system', at: 5 })).rejects.toMatchObject({
    code: 'PERSON_INVALID',
  });
});
