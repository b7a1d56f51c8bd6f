import { describe, expect, it } from 'vitest';
import { isSealed, sealOf } from '../../domain/seals/seal.ts';
import type { LogRecord } from '../../ports/log.ts';
import { sealFlaw } from '../../ports/seals.ts';
import { loadConfig } from '../../runtime/config/config.ts';
import { keysUnder, UNSAFE_SWITCHES, unsafeKafka, unsafeSwitches } from './unsafe.ts';

it('nothing is taken away unless asked', () => {
  expect(unsafeSwitches({})).toEqual(new Set());
  const none = { offsetsOutsideTransaction: false, noFencing: false, topicsByName: false };
  expect(unsafeKafka(unsafeSwitches({}))).toEqual(none);
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

it('each switch is refused in production', () => {
  for (const name of UNSAFE_SWITCHES) {
    const env = { CORRIDOR_UNSAFE: name, CORRIDOR_UNSAFE_FOR_TESTS: '1', CORRIDOR_ENV: 'production' };
    expect(() => unsafeSwitches(env), name).toThrow(expect.objectContaining({ code: 'UNSAFE_REFUSED' }));
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
  expect(unsafeKafka(switches)).toEqual({ offsetsOutsideTransaction: false, noFencing: true, topicsByName: false });
});

describe('the keys of a process', () => {
  const { keys } = loadConfig({ CORRIDOR_ENV: 'test' });
  const forged: LogRecord = {
    topic: 'payout.requested',
    partition: 0,
    offset: 0,
    timestamp: 0,
    key: Buffer.from('t'),
    value: Buffer.from('v'),
    headers: {},
  };

  it('are as they were given, and check, whatever else is taken away', () => {
    const others = new Set(UNSAFE_SWITCHES.filter((name) => name !== 'no-seal-checks'));
    expect(keysUnder(others, keys)).toBe(keys);
    expect(sealFlaw(keysUnder(others, keys), 'payout.requested', forged)).toBe('SEAL_MISSING');
  });

  it('without seal checks seal as ever, and believe what nobody sealed', () => {
    const believing = keysUnder(new Set(['no-seal-checks'] as const), keys);
    expect(sealFlaw(believing, 'payout.requested', forged)).toBeUndefined();
    expect(isSealed(believing.stages, 'hold', ['x'], null)).toBe(true);
    expect(isSealed(keys.stages, 'hold', ['x'], sealOf(believing.stages, 'hold', ['x']))).toBe(true);
    expect(isSealed(keys.stages, 'hold', ['x'], null)).toBe(false);
  });
});
