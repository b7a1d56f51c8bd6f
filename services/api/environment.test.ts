import { describe, expect, it } from 'vitest';
import { isSealed, sealOf } from '../../domain/seals/seal.ts';
import { hasRing } from '../../ports/seals.ts';
import { loadConfig } from '../../runtime/config/config.ts';
import { loadApiConfig } from './environment.ts';

const REAL = {
  CORRIDOR_STAGE_KEYS: `k1:${'s'.repeat(32)}`,
  CORRIDOR_OPERATOR_KEYS: `k1:${'o'.repeat(32)}`,
  CORRIDOR_EXECUTOR_KEYS: `k1:${'e'.repeat(32)}`,
  CORRIDOR_FEED_KEYS: `k1:${'f'.repeat(32)}`,
  CORRIDOR_LIFECYCLE_KEYS: `k1:${'l'.repeat(32)}`,
  CORRIDOR_TOKEN_KEY: 't'.repeat(32),
};
/** What every face has. */
const EVERY = { CORRIDOR_AUDIT_KEYS: `k1:${'a'.repeat(32)}` };
const OPERATORS = {
  ...EVERY,
  CORRIDOR_API_FACES: 'operators',
  CORRIDOR_OPERATOR_KEYS: REAL.CORRIDOR_OPERATOR_KEYS,
};

const VARIABLES = { stages: 'STAGE', executor: 'EXECUTOR', feeds: 'FEED', lifecycle: 'LIFECYCLE' } as const;

describe('the keys of a process of the API', () => {
  it('are those of operators on their face, and none elsewhere', () => {
    const { keys } = loadConfig({ ...REAL, ...EVERY });
    const operators = loadApiConfig(OPERATORS).keys;
    const seal = sealOf(operators.operators, 'approval', ['a']);
    expect(isSealed(keys.operators, 'approval', ['a'], seal)).toBe(true);
    for (const own of [operators, loadApiConfig(EVERY).keys]) {
      for (const issuer of ['stages', 'executor', 'feeds', 'lifecycle'] as const)
        expect(() => sealOf(own[issuer], 'approval', ['a'])).toThrow(`CORRIDOR_${VARIABLES[issuer]}_KEYS is not set`);
    }
    const producers = loadApiConfig(EVERY).keys.operators;
    expect(() => sealOf(producers, 'approval', ['a'])).toThrow('CORRIDOR_OPERATOR_KEYS is not set');
  });

  it('are refused where they do not belong, and must be there where they do', () => {
    for (const [name, value] of Object.entries(REAL)) {
      expect(() => loadApiConfig({ ...EVERY, [name]: value })).toThrow(`${name} is set`);
      if (name === 'CORRIDOR_OPERATOR_KEYS') continue;
      expect(() => loadApiConfig({ ...OPERATORS, [name]: value })).toThrow(`${name} is set`);
    }
    for (const name of ['CORRIDOR_INTENT_KEYS', 'CORRIDOR_WEBHOOK_KEYS']) {
      const own = { [name]: `k1:${'i'.repeat(32)}` };
      expect(() => loadApiConfig({ ...OPERATORS, ...own })).toThrow(`${name} is set`);
      expect(() => loadApiConfig({ ...EVERY, ...own })).not.toThrow();
    }
    expect(() => loadApiConfig({ ...EVERY, CORRIDOR_API_FACES: 'operators' })).toThrow(
      'CORRIDOR_OPERATOR_KEYS is not set',
    );
    expect(() => loadApiConfig({ CORRIDOR_API_FACES: 'all' })).toThrow('must be one or more of producers, operators');
  });

  it('are not even those of development in a trial', () => {
    const trial = { CORRIDOR_ENV: 'development' };
    const { keys } = loadApiConfig(trial);
    expect(hasRing(loadConfig(trial).keys, 'stages')).toBe(true);
    expect(() => sealOf(keys.stages, 'hold', ['a'])).toThrow('CORRIDOR_STAGE_KEYS is not set');
    expect(loadApiConfig(trial).api.faces).toEqual(['producers', 'operators']);
  });
});
