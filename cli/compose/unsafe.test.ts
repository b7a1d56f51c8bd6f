import { expect, it } from 'vitest';
import { unsafeKafka, unsafeSwitches } from './unsafe.ts';

it('nothing is taken away unless asked', () => {
  expect(unsafeSwitches({})).toEqual(new Set());
  expect(unsafeKafka(unsafeSwitches({}))).toEqual({ offsetsOutsideTransaction: false, noFencing: false });
});

it('switches are refused outside tests', () => {
  const asked = { CORRIDOR_UNSAFE: 'no-fencing' };
  for (const env of [
    asked,
    { ...asked, CORRIDOR_ENV: 'test' },
    { ...asked, CORRIDOR_UNSAFE_FOR_TESTS: '1' },
    { ...asked, CORRIDOR_UNSAFE_FOR_TESTS: '1', CORRIDOR_ENV: 'production' },
  ]) {
    expect(() => unsafeSwitches(env), JSON.stringify(env)).toThrow(
      expect.objectContaining({ code: 'UNSAFE_REFUSED', faultClass: 'fatal' }),
    );
  }
});

it('a name that is no switch is an error: a harness must not think that it tests', () => {
  const env = { CORRIDOR_ENV: 'test', CORRIDOR_UNSAFE_FOR_TESTS: '1', CORRIDOR_UNSAFE: 'no-fencing,no-brakes' };
  expect(() => unsafeSwitches(env)).toThrow(expect.objectContaining({ code: 'UNSAFE_UNKNOWN' }));
});

it('switches are read one by one', () => {
  const env = { CORRIDOR_ENV: 'test', CORRIDOR_UNSAFE_FOR_TESTS: '1', CORRIDOR_UNSAFE: 'no-fencing,no-payout-cas' };
  const switches = unsafeSwitches(env);
  expect(switches).toEqual(new Set(['no-fencing', 'no-payout-cas']));
  expect(unsafeKafka(switches)).toEqual({ offsetsOutsideTransaction: false, noFencing: true });
});
