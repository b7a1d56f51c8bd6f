// A bounded number of cases for every change; `npm run fuzz` runs more.
import { describe, expect, it } from 'vitest';
import { times } from '../kit/times.ts';
import { fuzz } from './fuzz.ts';
import { TARGETS } from './targets.ts';

describe.each(Object.keys(TARGETS))('%s', (target) => {
  it('gives a value or a coded refusal for whatever it reads, and leaves its neighbours alone', async () => {
    await expect(fuzz(target, 1, times(1_000))).resolves.toBeUndefined();
  });
});
