import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { frameOf, groupIdOf, normalisedCause } from './cause.ts';

describe('the cause of a dead letter', () => {
  it.each([
    [
      'stands on partition 3, but the home partition of its transfer is 0',
      'stands on partition #, but the home partition of its transfer is #',
    ],
    ['dead letter 0b0cdf6e-7b3f-5c8e-9a36-64f2b1a4a7ce was replayed before', 'dead letter # was replayed before'],
    ['transfer T-0042 is unknown', 'transfer # is unknown'],
    ['the field "amount" of \'x\' is 12,524.72', 'the field # of # is #'],
    ['its own  text\n stays', 'its own text stays'],
  ])('of %j is %j', (detail, cause) => {
    expect(normalisedCause(detail)).toBe(cause);
  });

  it('is the same whatever numbers and ids stand in it', () => {
    const value = fc.oneof(fc.uuid(), fc.integer().map(String), fc.bigInt({ min: 0n }).map(String));
    fc.assert(
      fc.property(value, value, (one, other) => {
        expect(normalisedCause(`the payout of ${one} is gone`)).toBe(normalisedCause(`the payout of ${other} is gone`));
      }),
    );
  });

  it('is short, fit to be shown, and the same when it is taken again', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 500, unit: 'binary' }), (detail) => {
        const cause = normalisedCause(detail);
        expect(cause.length).toBeLessThanOrEqual(600);
        expect(cause).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u);
      }),
    );
  });
});

describe('the frame of a broken record', () => {
  it('is the topmost one of ours, without line and without the folders of one machine', () => {
    const stack = [
      '    at JSON.parse (<anonymous>)',
      '    at node:internal/process/task_queues:105:5',
      '    at decide (file:///srv/corridor/processors/limits/decide.ts:31:9)',
    ].join('\n');
    expect(frameOf(stack.split('\n').slice(1).join('\n'))).toBe('decide processors/limits/decide.ts');
  });

  it('is none of an empty stack', () => {
    expect(frameOf('')).toBeUndefined();
  });
});

it('a group is one owner, code and cause', () => {
  const of = { owner: 'limits', code: 'UNEXPECTED_ERROR', cause: 'x' };
  const ids = [of, { ...of, owner: 'screening' }, { ...of, code: 'OTHER' }, { ...of, cause: 'y' }].map(groupIdOf);
  expect(new Set(ids).size).toBe(4);
  expect(groupIdOf(of)).toBe(groupIdOf({ ...of }));
  expect(groupIdOf(of)).toMatch(/^[0-9a-f]{16}$/);
});
