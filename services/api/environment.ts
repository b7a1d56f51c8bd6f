// The environment of a process of the API. It has no keys but those of its faces: what it could seal with another is worth
// nothing to anybody.
import { randomBytes } from 'node:crypto';
import { isForTrials } from '../../ports/environment.ts';
import { CodedError } from '../../ports/fault.ts';
import { type Config, loadConfig } from '../../runtime/config/config.ts';

type Env = Readonly<Record<string, string | undefined>>;

const OPERATORS = 'CORRIDOR_OPERATOR_KEYS';
/** Who submits, and the secrets of endpoints: of the face of producers alone. */
const OF_PRODUCERS = ['CORRIDOR_INTENT_KEYS', 'CORRIDOR_WEBHOOK_KEYS'];
/** Secrets that no face has. */
const NEVER = ['CORRIDOR_STAGE_KEYS', 'CORRIDOR_EXECUTOR_KEYS', 'CORRIDOR_FEED_KEYS', 'CORRIDOR_TOKEN_KEY'];

/**
 * The configuration of the API. In place of each secret that it must not have it gets one that nobody else knows.
 * @throws CodedError CONFIG_INVALID (fatal), also when the environment of an installation holds a secret that this process
 *   must not have
 */
export function loadApiConfig(env: Env): Config {
  const { faces } = loadConfig(without([...NEVER, OPERATORS], env)).api;
  const ofOtherFaces = [
    ...(faces.includes('operators') ? [] : [OPERATORS]),
    ...(faces.includes('producers') ? [] : OF_PRODUCERS),
  ];
  const foreign = [...NEVER, ...ofOtherFaces];
  const given = isForTrials(env) ? [] : foreign.filter((name) => (env[name] ?? '') !== '');
  if (given.length === 0) return loadConfig(without(foreign, env));
  const lines = given.map(
    (name) => `${name} is set: a process of the API with the face ${faces.join(', ')} must not have it`,
  );
  throw new CodedError('CONFIG_INVALID', lines.join('\n'), { faultClass: 'fatal' });
}

function without(names: readonly string[], env: Env): Env {
  const own = names.map((name) => {
    const secret = randomBytes(32).toString('hex');
    return [name, name.endsWith('_KEYS') ? `nobody:${secret}` : secret] as const;
  });
  return { ...env, ...Object.fromEntries(own) };
}
