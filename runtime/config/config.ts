// The configuration of a process: one zod schema over the environment, made of settings.ts.
import { z } from 'zod';
import { absentRing, isAbsent } from '../../domain/seals/seal.ts';
import { forbiddenVariables, isForTrials, UNSAFE_VARIABLES } from '../../ports/environment.ts';
import { CodedError } from '../../ports/fault.ts';
import { withoutCredentials } from '../../ports/hide.ts';
import { RETRY_TIERS } from '../../topics/recovery.ts';
import type { Setting } from './setting.ts';
import { settings } from './settings.ts';

type ValuesOf<T> = {
  readonly [K in keyof T]: T[K] extends Setting<infer S> ? z.output<S> : ValuesOf<T[K]>;
};

/** Typed settings, by the groups of settings.ts. */
export type Config = ValuesOf<typeof settings>;

type Env = Readonly<Record<string, string | undefined>>;

/** A setting with its path, such as `kafka.brokers`. */
export interface NamedSetting {
  readonly path: readonly string[];
  readonly setting: Setting;
}

/** Every setting, in the order of settings.ts. */
export const allSettings: readonly NamedSetting[] = flatten(settings, []);

function flatten(group: object, path: readonly string[]): NamedSetting[] {
  return Object.entries(group).flatMap(([key, entry]: [string, object]) =>
    'env' in entry ? [{ path: [...path, key], setting: entry as Setting }] : flatten(entry, [...path, key]),
  );
}

/** The environment as a schema: each variable by its name, but for those that are left out. */
const schemaWithout = (without: readonly string[]) => {
  const asked = allSettings.filter(({ setting }) => !without.includes(setting.env));
  return z
    .object(Object.fromEntries(asked.map(({ setting }) => [setting.env, setting.schema])))
    .superRefine((values, context) => {
      for (const [env, problem] of contradictions(values)) {
        context.addIssue({ code: 'custom', path: [env], message: problem });
      }
    });
};

export const environmentSchema = schemaWithout([]);

/** What each setting allows by itself, but not together. */
function contradictions(values: Record<string, unknown>): [string, string][] {
  const found: [string, string][] = [];
  const tiers = values['CORRIDOR_RETRY_ATTEMPTS'] as readonly number[];
  if (tiers.length !== RETRY_TIERS.length) {
    found.push(['CORRIDOR_RETRY_ATTEMPTS', `must have ${RETRY_TIERS.length} numbers, one per tier`]);
  }
  const { CORRIDOR_STALL_AFTER_MS: stall, CORRIDOR_EXIT_AFTER_MS: exit } = values as Record<string, number>;
  if (exit! <= stall!) found.push(['CORRIDOR_EXIT_AFTER_MS', 'must be more than CORRIDOR_STALL_AFTER_MS']);
  if (values['CORRIDOR_KAFKA_SASL_MECHANISM'] !== undefined) {
    for (const env of ['CORRIDOR_KAFKA_SASL_USERNAME', 'CORRIDOR_KAFKA_SASL_PASSWORD']) {
      if (values[env] === undefined) found.push([env, 'must be set, because CORRIDOR_KAFKA_SASL_MECHANISM is']);
    }
  }
  if (values['CORRIDOR_REDIS_LIMITS_URL'] === values['CORRIDOR_REDIS_QUEUE_URL']) {
    found.push(['CORRIDOR_REDIS_QUEUE_URL', 'must not be the Redis (and database) of CORRIDOR_REDIS_LIMITS_URL']);
  }
  const ISSUER = ['CORRIDOR_AUTH_ISSUER', 'CORRIDOR_AUTH_AUDIENCE', 'CORRIDOR_AUTH_JWKS_URL'];
  const missing = ISSUER.filter((env) => values[env] === undefined);
  if (missing.length < ISSUER.length)
    for (const env of missing) found.push([env, 'must be set, because the other two of the issuer are']);
  return found;
}

/** Text of each setting: from the environment (an empty text counts as absent), else its default. */
function textsOf(env: Env): Record<string, string | undefined> {
  const development = isForTrials(env);
  return Object.fromEntries(
    allSettings.map(({ setting }) => {
      const given = env[setting.env];
      const fallback = development ? (setting.developmentDefault ?? setting.default) : setting.default;
      return [setting.env, given === undefined || given === '' ? fallback : given];
    }),
  );
}

/** Variables of keys under which processes of Corridor seal, sign, and make tokens: each belongs to some of them alone. */
export const KEY_VARIABLES = [
  ...(['CORRIDOR_STAGE_KEYS', 'CORRIDOR_OPERATOR_KEYS', 'CORRIDOR_EXECUTOR_KEYS', 'CORRIDOR_FEED_KEYS'] as const),
  ...(['CORRIDOR_AUDIT_KEYS', 'CORRIDOR_INTENT_KEYS', 'CORRIDOR_WEBHOOK_KEYS', 'CORRIDOR_AUDIT_SIGNING_KEYS'] as const),
  ...(['CORRIDOR_LIFECYCLE_KEYS', 'CORRIDOR_TOKEN_KEY'] as const),
] as const;
export type KeyVariable = (typeof KEY_VARIABLES)[number];

/**
 * Reads the configuration. Throws a fatal CodedError `CONFIG_INVALID` whose message has one line per mistake, each with
 * the variable, what is wrong and what to do; values of secrets are not quoted.
 * @param needed variables of keys that this process needs; whatever it is given of the others is left out, and who would use
 *   one of them is told which it is. Default: all.
 */
export function loadConfig(env: Env = process.env, needed: readonly KeyVariable[] = KEY_VARIABLES): Config {
  const without: readonly string[] = KEY_VARIABLES.filter((name) => !needed.includes(name));
  const texts = textsOf(env);
  const missing = allSettings.filter(
    ({ setting }) => !setting.optional && !without.includes(setting.env) && texts[setting.env] === undefined,
  );
  const forbidden = [...forbiddenHere(env), ...developmentSecrets(env, texts)];
  if (missing.length === 0 && forbidden.length === 0) {
    const parsed = schemaWithout(without).safeParse(texts);
    if (parsed.success) return grouped(parsed.data, without);
  }
  const mistakes = [...forbidden, ...mistakesIn(texts, missing, without)];
  throw new CodedError('CONFIG_INVALID', mistakes.join('\n'), { faultClass: 'fatal' });
}

function forbiddenHere(env: Env): string[] {
  return forbiddenVariables(env).map(
    (name) => `${name} is for trials only, and CORRIDOR_ENV is neither development nor test: unset it`,
  );
}

/** No secret, and yet: who believes it believes what anybody can sign. */
const TRUSTED: readonly string[] = ['CORRIDOR_AUDIT_PUBLIC_KEYS'];

/** What everybody can read in the source, whatever it is used for. */
const PUBLIC_SECRETS = allSettings
  .filter(({ setting }) => setting.secret || TRUSTED.includes(setting.env))
  .flatMap(({ setting }) => setting.developmentDefault?.split(',') ?? [])
  .map((key) => key.slice(key.indexOf(':') + 1));

/** Settings that hold a secret of development where it must be a real one. */
function developmentSecrets(env: Env, texts: Record<string, string | undefined>): string[] {
  if (isForTrials(env)) return [];
  return allSettings
    .filter(({ setting }) => PUBLIC_SECRETS.some((known) => texts[setting.env]?.includes(known)))
    .map(
      ({ setting }) =>
        `${setting.env} holds a secret of development, which anybody can read: make one of your own, for example with \`openssl rand -hex 32\``,
    );
}

function mistakesIn(
  texts: Record<string, string | undefined>,
  missing: readonly NamedSetting[],
  without: readonly string[],
): string[] {
  const lines = new Map<string, string>();
  for (const { setting } of missing) {
    lines.set(setting.env, `${setting.env} is not set: ${setting.doc}`);
  }
  for (const { path, message } of schemaWithout(without).safeParse(texts).error?.issues ?? []) {
    const env = String(path[0]);
    if (lines.has(env)) continue;
    const secret = allSettings.find(({ setting }) => setting.env === env)?.setting.secret;
    const text = texts[env];
    const given = text === undefined || secret ? '' : ` (it is "${withoutCredentials(text)}")`;
    lines.set(env, `${env} ${message}${given}`);
  }
  return [...lines.values()];
}

/** Variables of keys that are set, and that this process does not need. */
export const unneededKeys = (env: Env, needed: readonly KeyVariable[]): readonly KeyVariable[] =>
  KEY_VARIABLES.filter((name) => !needed.includes(name) && (env[name] ?? '') !== '');

const notHere = (name: string) => (): never => {
  const message = `${name} is not set, or not for this process: docs/security.md says which process needs which key`;
  throw new CodedError('CONFIG_INVALID', message, { faultClass: 'fatal' });
};

function grouped(values: Record<string, unknown>, without: readonly string[]): Config {
  const config: Record<string, unknown> = {};
  for (const { path, setting } of allSettings) {
    let group = config;
    for (const key of path.slice(0, -1)) {
      group[key] ??= {};
      group = group[key] as Record<string, unknown>;
    }
    const { env, optional } = setting;
    if (!without.includes(env) || optional) group[path.at(-1)!] = values[env];
    else if (path[0] === 'keys') group[path.at(-1)!] = absentRing(notHere(env));
    else Object.defineProperty(group, path.at(-1)!, { get: notHere(env) });
  }
  const whole = config as Config;
  const { lifecycleSealedFrom: unsealedBefore, keys } = whole;
  if (unsealedBefore === undefined || isAbsent(keys.lifecycle)) return whole;
  return { ...whole, keys: { ...keys, lifecycle: { ...keys.lifecycle, unsealedBefore } } };
}

/** Variables that look like settings of Corridor but are not: typing mistakes, most likely. */
export function unknownVariables(env: Env = process.env): readonly string[] {
  const known = new Set([...allSettings.map(({ setting }) => setting.env), ...OTHER_VARIABLES]);
  return Object.keys(env)
    .filter((name) => name.startsWith('CORRIDOR_') && !known.has(name))
    .sort();
}

/** Read by tools, tests and the local stack rather than by services. */
const OTHER_VARIABLES = [
  ...UNSAFE_VARIABLES,
  'CORRIDOR_API_URL',
  'CORRIDOR_LOGIN_CLIENT_ID',
  'CORRIDOR_LOGIN_ISSUER',
  'CORRIDOR_TOKEN',
  'CORRIDOR_TOKEN_FILE',
  'CORRIDOR_COMMAND_STARTED_AT',
  'CORRIDOR_CRASH_SEED',
  'CORRIDOR_CRASH_TRANSFERS',
  'CORRIDOR_KAFKA_JARS',
  'CORRIDOR_KAFKA_PORT',
  'CORRIDOR_KAFKA_2_PORT',
  'CORRIDOR_KAFKA_3_PORT',
  'CORRIDOR_MONGOD',
  'CORRIDOR_MONGOD_DOWNLOAD',
  'CORRIDOR_MONGO_PORT',
  'CORRIDOR_REDIS_LIMITS_PORT',
  'CORRIDOR_REDIS_QUEUE_PORT',
  'CORRIDOR_REGISTRY_PORT',
  'CORRIDOR_STATE_DIR',
  'CORRIDOR_TEST_DATA',
  'CORRIDOR_TEST_FACTOR',
];

/** One setting as it is in force. */
export interface PrintedSetting {
  readonly setting: string;
  readonly env: string;
  /** Hidden for secrets. */
  readonly value: string;
  readonly source: 'environment' | 'default' | 'unset';
}

const HIDDEN = '(hidden)';

/** Every setting in force, for `corridor config`; secrets, set or not, and what a URL may hold of them are hidden. */
export function printConfig(config: Config, env: Env = process.env): readonly PrintedSetting[] {
  return allSettings.map(({ path, setting }) => {
    const given = env[setting.env] !== undefined && env[setting.env] !== '';
    // Whether there is a key is known without one: what is not for this process cannot be looked at.
    const isKey = (KEY_VARIABLES as readonly string[]).includes(setting.env);
    const value = isKey
      ? textsOf(env)[setting.env]
      : path.reduce<unknown>((group, key) => (group as Record<string, unknown>)[key], config);
    const source = given ? 'environment' : value === undefined ? 'unset' : 'default';
    return { setting: path.join('.'), env: setting.env, value: shown(value, setting.secret), source };
  });
}

function shown(value: unknown, secret: boolean): string {
  if (value === undefined) return '';
  if (secret) return HIDDEN;
  return withoutCredentials(Array.isArray(value) ? value.join(',') : String(value));
}
