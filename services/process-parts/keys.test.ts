import { describe, expect, it } from 'vitest';
import { privateText } from '../../domain/audit/signed-note.ts';
import { isSealed, sealOf } from '../../domain/seals/seal.ts';
import { KEY } from '../../operations/audit/testing/audit-world.ts';
import { hasRing } from '../../ports/seals.ts';
import { loadConfig, unneededKeys } from '../../runtime/config/config.ts';
import { testRings } from '../../test/kit/rings.ts';
import type { Issuer } from '../../topics/contract.ts';
import { loadApiConfig } from '../api/environment.ts';
import { KEYS_OF_PROGRAMS, keysGiven, keysOfParts, usedBy } from './part-keys.ts';
import { EVERYTHING, type ProcessParts, requireKeys } from './part-selection.ts';

const NONE: ProcessParts = {
  processors: [],
  sinks: [],
  payouts: false,
  cases: false,
  rescreening: false,
  replays: false,
  audit: false,
  webhooks: false,
  analytics: false,
  exports: false,
};
const NEEDED: readonly [string, Partial<ProcessParts>, readonly Issuer[]][] = [
  ['intake', { processors: ['intake'] }, ['stages', 'operators', 'lifecycle']],
  ['screening', { processors: ['screening'] }, ['stages', 'operators', 'lifecycle']],
  ['fx-pricing', { processors: ['fx-pricing'] }, ['stages', 'operators', 'feeds', 'lifecycle']],
  ['limits', { processors: ['limits'] }, ['stages', 'operators', 'lifecycle']],
  ['payout-dispatch', { processors: ['payout-dispatch'] }, ['stages', 'operators', 'lifecycle']],
  ['settlement', { processors: ['settlement'] }, ['stages', 'operators', 'executor', 'lifecycle']],
  ['the executor', { payouts: true }, ['stages', 'executor', 'operators', 'audit', 'lifecycle']],
  ['the sink of cases', { sinks: ['cases'] }, ['stages']],
  ['projections', { sinks: ['events', 'transfer-view'] }, ['lifecycle']],
  ['the sink of webhooks', { sinks: ['webhooks'] }, ['lifecycle']],
  ['the relay of cases', { cases: true }, ['operators']],
  ['replays of dead letters', { replays: true }, ['stages', 'operators', 'executor', 'feeds', 'audit']],
  ['the sequencer of the audit log', { audit: true }, ['audit']],
  ['screening of known customers', { rescreening: true }, ['stages', 'operators']],
  ['the grains for analysts', { analytics: true }, ['lifecycle']],
  ['everything', EVERYTHING, ['stages', 'operators', 'executor', 'feeds', 'audit', 'lifecycle']],
];

describe('the keys of a process', () => {
  it.each(NEEDED)('%s needs no more and no less', (_, parts, issuers) => {
    const enough = Object.fromEntries(issuers.map((issuer) => [issuer, testRings[issuer]]));
    requireKeys({ ...NONE, ...parts }, enough);
    for (const issuer of issuers) {
      expect(() => requireKeys({ ...NONE, ...parts }, { ...enough, [issuer]: undefined })).toThrow(
        /^CORRIDOR_(STAGE|OPERATOR|EXECUTOR|FEED|AUDIT|LIFECYCLE)_KEYS is not set/,
      );
    }
  });
});

const SECRETS: Readonly<Record<string, string>> = {
  CORRIDOR_STAGE_KEYS: `k1:${'s'.repeat(32)}`,
  CORRIDOR_OPERATOR_KEYS: `k1:${'o'.repeat(32)}`,
  CORRIDOR_EXECUTOR_KEYS: `k1:${'e'.repeat(32)}`,
  CORRIDOR_FEED_KEYS: `k1:${'f'.repeat(32)}`,
  CORRIDOR_AUDIT_KEYS: `k1:${'a'.repeat(32)}`,
  CORRIDOR_LIFECYCLE_KEYS: `k1:${'l'.repeat(32)}`,
  CORRIDOR_INTENT_KEYS: `k1:${'i'.repeat(32)}`,
  CORRIDOR_WEBHOOK_KEYS: `k1:${'w'.repeat(32)}`,
  CORRIDOR_TOKEN_KEY: 't'.repeat(32),
  CORRIDOR_AUDIT_SIGNING_KEYS: privateText(KEY.verifies, Buffer.alloc(32, 7)),
};
const only = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, SECRETS[name]]));

describe('the environment of an installation', () => {
  it.each([...KEYS_OF_PROGRAMS])('of `%s` may hold its own keys alone', (program, { needs, takes }) => {
    const env = only(needs);
    const faces = /CORRIDOR_API_FACES=(\w+)/.exec(program)?.[1];
    if (faces !== undefined) {
      expect(loadApiConfig({ ...env, CORRIDOR_API_FACES: faces }).api.faces).toEqual([faces]);
      for (const name of Object.keys(SECRETS).filter((each) => ![...needs, ...takes].includes(each as never)))
        expect(() => loadApiConfig({ ...env, CORRIDOR_API_FACES: faces, [name]: SECRETS[name] })).toThrow(name);
      return;
    }
    expect(loadConfig(env, usedBy({ needs, takes }, env)).kafka.replicationFactor).toBe(3);
    for (const name of needs) {
      const without = { ...env, [name]: undefined };
      // Each part of these looks at its own: another part of the process goes on.
      if (name === 'CORRIDOR_AUDIT_SIGNING_KEYS' || name === 'CORRIDOR_WEBHOOK_KEYS') continue;
      expect(() => loadConfig(without, usedBy({ needs, takes }, without)), name).toThrow(`${name} is not set`);
    }
  });

  it('of the parts of a process is enough to start them, and what else is there is left out and told', () => {
    for (const [, parts] of NEEDED) {
      const all = { ...NONE, ...parts };
      const program = keysOfParts(all);
      const env = only(program.needs);
      requireKeys(all, loadConfig(env, usedBy(program, env)).keys);
      const used = usedBy(program, SECRETS);
      const { keys } = loadConfig(SECRETS, used);
      const others = Object.keys(SECRETS).filter((name) => !used.includes(name as never));
      expect(unneededKeys(SECRETS, used)).toEqual(expect.arrayContaining(others));
      expect(hasRing(keys, 'executor')).toBe(used.includes('CORRIDOR_EXECUTOR_KEYS'));
    }
  });

  it('of a command may lack any, and what comes to need one says which', () => {
    const env = only(['CORRIDOR_OPERATOR_KEYS']);
    const config = loadConfig(env, keysGiven(env));
    expect(isSealed(config.keys.operators, 'approval', ['a'], sealOf(config.keys.operators, 'approval', ['a']))).toBe(
      true,
    );
    const missing = expect.objectContaining({ code: 'CONFIG_INVALID', faultClass: 'fatal' });
    expect(() => sealOf(config.keys.executor, 'payout', ['a'])).toThrow(missing);
    expect(() => isSealed(config.keys.stages, 'hold', ['a'], sealOf(config.keys.operators, 'hold', ['a']))).toThrow(
      /^CORRIDOR_STAGE_KEYS is not set/,
    );
    expect(() => config.tokenKey).toThrow(/^CORRIDOR_TOKEN_KEY is not set/);
    expect(() => requireKeys({ ...NONE, payouts: true }, config.keys)).toThrow('CORRIDOR_STAGE_KEYS is not set');
  });
});
