import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { settingsTable } from '../../docs/generators/settings-table.ts';
import { UNSAFE_VARIABLES } from '../../ports/environment.ts';
import { times } from '../../test/kit/times.ts';
import { allSettings, environmentSchema, loadConfig, printConfig, unknownVariables } from './config.ts';

const DEVELOPMENT = { CORRIDOR_ENV: 'development' };
const SECRET = 'a-secret-of-more-than-thirty-two-characters';
const SEAL_KEYS = {
  CORRIDOR_STAGE_KEYS: `k1:${'s'.repeat(32)}`,
  CORRIDOR_OPERATOR_KEYS: `k1:${'o'.repeat(32)}`,
  CORRIDOR_EXECUTOR_KEYS: `k1:${'e'.repeat(32)}`,
  CORRIDOR_FEED_KEYS: `k1:${'f'.repeat(32)}`,
  CORRIDOR_AUDIT_KEYS: `k1:${'a'.repeat(32)}`,
  CORRIDOR_LIFECYCLE_KEYS: `k1:${'l'.repeat(32)}`,
};

/** What somebody gets to see of a configuration, whether it is right or wrong. */
function saidOf(env: Record<string, string>): string {
  try {
    return JSON.stringify(printConfig(loadConfig(env), env));
  } catch (error) {
    return (error as Error).message;
  }
}

function mistakes(env: Record<string, string>): string[] {
  try {
    loadConfig({ ...DEVELOPMENT, ...env });
  } catch (error) {
    expect(error).toMatchObject({ code: 'CONFIG_INVALID', faultClass: 'fatal' });
    return (error as Error).message.split('\n');
  }
  return [];
}

describe('the configuration', () => {
  it('is typed, grouped and complete in development without any setting', () => {
    const config = loadConfig(DEVELOPMENT);
    expect(config.kafka.brokers).toEqual(['localhost:9092']);
    expect(config.kafka.ssl).toBe(false);
    expect(config.batches).toEqual({ maxRecords: 500, lingerMs: 20, projectionLingerMs: 1_000 });
    expect(config.recovery.retryAttempts).toEqual([3, 3]);
    expect(config.kafka.replicationFactor).toBe(1);
    expect(config.registry.username).toBeUndefined();
  });

  it('takes since when lifecycle records are sealed, and no moment to come', () => {
    const at = (text: string) => ({ CORRIDOR_LIFECYCLE_SEALED_FROM: text });
    const since = '2026-11-30T15:00:00Z';
    const { lifecycle, stages } = loadConfig({ ...DEVELOPMENT, ...at('2024-02-29T15:00:00Z') }).keys;
    expect([lifecycle.unsealedBefore, stages.unsealedBefore]).toEqual([Date.UTC(2024, 1, 29, 15), undefined]);
    expect(loadConfig(DEVELOPMENT).keys.lifecycle.unsealedBefore).toBeUndefined();
    expect(mistakes(at(since.replace('2026', '2999')))[0]).toContain('must not be in the future');
    for (const wrong of ['2024-13-01T00:00:00Z', '2024-02-28', '2024-02-28T15:00:00', '1709218800000'])
      expect(mistakes(at(wrong))[0]).toContain('must be a moment of UTC');
  });

  it('reads what is set; an empty text counts as absent', () => {
    const config = loadConfig({
      ...DEVELOPMENT,
      CORRIDOR_KAFKA_BROKERS: 'a:1, b:2',
      CORRIDOR_LINGER_MS: '0',
      CORRIDOR_KAFKA_SSL: 'true',
      CORRIDOR_BATCH_RECORDS: '',
    });
    expect(config.kafka.brokers).toEqual(['a:1', 'b:2']);
    expect(config.batches).toEqual({ maxRecords: 500, lingerMs: 0, projectionLingerMs: 1_000 });
    expect(config.kafka.ssl).toBe(true);
  });

  it('has no default for secrets in production', () => {
    expect(() => loadConfig(SEAL_KEYS)).toThrow(/^CORRIDOR_TOKEN_KEY is not set: Key of the HMAC/);
    for (const name of Object.keys(SEAL_KEYS)) {
      expect(() => loadConfig({ ...SEAL_KEYS, CORRIDOR_TOKEN_KEY: SECRET, [name]: undefined })).toThrow(
        `${name} is not set`,
      );
    }
    expect(loadConfig({ ...SEAL_KEYS, CORRIDOR_TOKEN_KEY: SECRET }).kafka.replicationFactor).toBe(3);
  });

  it.each([
    ['CORRIDOR_KAFKA_BROKERS', 'localhost', 'must be host:port'],
    ['CORRIDOR_BATCH_RECORDS', '0', 'must be at least 1'],
    ['CORRIDOR_BATCH_RECORDS', '1e3', 'must be a whole number'],
    ['CORRIDOR_LINGER_MS', '20ms', 'must be a whole number'],
    ['CORRIDOR_REGISTRY_URL', 'localhost:8081', 'must be a URL that starts with http://'],
    ['CORRIDOR_LOG_LEVEL', 'loud', 'must be one of debug, info'],
    ['CORRIDOR_KAFKA_SSL', 'yes', 'must be true or false'],
    ['CORRIDOR_RETRY_ATTEMPTS', '3', 'must have 2 numbers'],
    ['CORRIDOR_DLQ_BREAKER_MAX_RATIO', '10%', 'must be a number from 0 to 1'],
    ['CORRIDOR_EXIT_AFTER_MS', '30000', 'must be more than CORRIDOR_STALL_AFTER_MS'],
    ['CORRIDOR_APP_NAME', 'Corridor App', 'must be lower-case'],
  ])('%s=%s is a mistake that says: %s', (env, value, words) => {
    const lines = mistakes({ [env]: value });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain(`${env} ${words}`);
    expect(lines[0]).toContain(`(it is "${value}")`);
  });

  it('names every mistake, one line each', () => {
    const lines = mistakes({ CORRIDOR_BATCH_RECORDS: 'x', CORRIDOR_LINGER_MS: '-1', CORRIDOR_HEALTH_PORT: '70000' });
    expect(lines.map((line) => line.split(' ')[0]).sort()).toEqual([
      'CORRIDOR_BATCH_RECORDS',
      'CORRIDOR_HEALTH_PORT',
      'CORRIDOR_LINGER_MS',
    ]);
  });

  it('never quotes a secret, right or wrong', () => {
    const wrong = mistakes({ CORRIDOR_TOKEN_KEY: 'too-short', MONGODB_URI: 'http://user:hunter2@host' });
    expect(wrong).toHaveLength(2);
    expect(wrong.join()).not.toMatch(/too-short|hunter2/);
    const env = { ...SEAL_KEYS, CORRIDOR_TOKEN_KEY: SECRET, MONGODB_URI: 'mongodb://user:hunter2@host' };
    const printed = JSON.stringify(printConfig(loadConfig(env), env));
    expect(printed).not.toMatch(/hunter2/);
    expect(printed).not.toContain(SECRET);
    for (const keys of Object.values(SEAL_KEYS)) expect(printed).not.toContain(keys);
    expect(printed).toContain('(hidden)');
  });

  it('refuses in production what takes guarantees away or plants faults', () => {
    const real = { ...SEAL_KEYS, CORRIDOR_TOKEN_KEY: SECRET };
    for (const name of UNSAFE_VARIABLES) {
      const asked = { ...real, [name]: '1' };
      expect(() => loadConfig(asked)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
      expect(() => loadConfig({ ...asked, CORRIDOR_ENV: 'production' })).toThrow(`${name} is for trials only`);
      for (const env of ['development', 'test']) expect(loadConfig({ ...asked, CORRIDOR_ENV: env })).toBeDefined();
      expect(loadConfig({ ...real, [name]: '' })).toBeDefined();
    }
  });

  it('refuses the secrets of development in production, whichever setting they are given to and however', () => {
    const real: Record<string, string> = { ...SEAL_KEYS, CORRIDOR_TOKEN_KEY: SECRET };
    const known = allSettings.flatMap(({ setting }) =>
      setting.secret || setting.env === 'CORRIDOR_AUDIT_PUBLIC_KEYS' ? (setting.developmentDefault ?? []) : [],
    );
    expect(known).toHaveLength(11);
    for (const text of known) {
      const secret = text.slice(text.indexOf(':') + 1);
      const given: [string, string][] = Object.keys(SEAL_KEYS).flatMap((name) => [
        [name, `dev:${secret}`],
        [name, `k9:${'n'.repeat(32)},k8:${secret}`],
      ]);
      for (const [name, value] of [...given, ['CORRIDOR_TOKEN_KEY', secret] as const]) {
        const env = { ...real, [name]: value };
        expect(() => loadConfig(env), `${name}=${value}`).toThrow(`${name} holds a secret of development`);
        expect(loadConfig({ ...env, CORRIDOR_ENV: 'test' })).toBeDefined();
      }
    }
    expect(loadConfig(real)).toBeDefined();
  });

  it('prints no part of a password or token inside a URL, whichever setting holds it, right or wrong', () => {
    const chunk = fc.stringMatching(/^[A-Za-z0-9]{8}$/);
    const separator = fc.constantFrom('', '@', '/', ':', ',', '%40', '&', '#', ' ', '!', '=');
    const secret = fc.tuple(chunk, separator, chunk, separator, chunk);
    const scheme = fc.constantFrom('http', 'https', 'redis', 'rediss', 'mongodb', 'kafka', 'SSL+X');
    const form = fc.constantFrom<(scheme: string, secret: string) => string>(
      (name, hidden) => `${name}://${hidden}@host:1234/path`,
      (name, hidden) => `${name}://user:${hidden}@host:1234`,
      (name, hidden) => `${name}://:${hidden}@host:1234/0`,
      (name, hidden) => `${name}://host:1234/path?token=${hidden}&tls=true`,
      (name, hidden) => `${name}://host:1234/path?${encodeURIComponent(hidden)}`,
      (name, hidden) => `${name}://host:1234/path#${hidden}`,
      (_name, hidden) => `user:${hidden}@host:1234`,
      (name, hidden) => `${name}://a:1,${name}://user:${hidden}@b:2`,
    );
    const property = fc.property(
      fc.constantFrom(...allSettings),
      scheme,
      secret,
      form,
      ({ setting }, name, parts, of) => {
        const env = { ...DEVELOPMENT, [setting.env]: of(name, parts.join('')) };
        const said = saidOf(env);
        for (const piece of [parts[0], parts[2], parts[4]]) expect(said).not.toContain(piece);
      },
    );
    fc.assert(property, { numRuns: times(1_000) });
  });

  it('shows of a URL where it leads', () => {
    const env = { ...DEVELOPMENT, CORRIDOR_REGISTRY_URL: 'https://user:hunter2@registry:8081/apis?key=hunter3' };
    const line = printConfig(loadConfig(env), env).find(({ setting }) => setting === 'registry.url');
    expect(line?.value).toBe('https://(hidden)@registry:8081/apis?(hidden)');
  });

  it('wants user and password with a SASL mechanism', () => {
    expect(mistakes({ CORRIDOR_KAFKA_SASL_MECHANISM: 'plain' })).toHaveLength(2);
  });

  it('keeps limits and queue apart', () => {
    const url = 'redis://localhost:6379';
    expect(mistakes({ CORRIDOR_REDIS_LIMITS_URL: url, CORRIDOR_REDIS_QUEUE_URL: url })).toHaveLength(1);
  });

  it('says where each value comes from', () => {
    const env = { ...DEVELOPMENT, CORRIDOR_LINGER_MS: '5' };
    const printed = printConfig(loadConfig(env), env);
    const of = (setting: string) => printed.find((line) => line.setting === setting);
    expect(of('batches.lingerMs')).toEqual({
      setting: 'batches.lingerMs',
      env: 'CORRIDOR_LINGER_MS',
      value: '5',
      source: 'environment',
    });
    expect(of('batches.maxRecords')).toMatchObject({ value: '500', source: 'default' });
    expect(of('registry.username')).toMatchObject({ value: '', source: 'unset' });
  });

  it('names variables that are no settings', () => {
    expect(unknownVariables({ CORRIDOR_LINGER: '5', CORRIDOR_LINGER_MS: '5', HOME: '/' })).toEqual(['CORRIDOR_LINGER']);
  });
});

describe('the settings', () => {
  it('have names of their own, documentation, and defaults that are valid', () => {
    const names = allSettings.map(({ setting }) => setting.env);
    expect(new Set(names).size).toBe(names.length);
    for (const { setting } of allSettings) {
      expect(setting.doc).toMatch(/\.$/);
      for (const value of [setting.default, setting.developmentDefault]) {
        if (value !== undefined) expect(setting.schema.safeParse(value).success).toBe(true);
      }
    }
    expect(Object.keys(environmentSchema.shape)).toEqual(names);
  });

  it('are all in the documentation, secrets marked', () => {
    const table = settingsTable();
    for (const { setting } of allSettings) expect(table).toContain(`| \`${setting.env}\` |`);
    expect(table).toMatch(/CORRIDOR_TOKEN_KEY.*\*\*Secret\.\*\*/);
  });
});
