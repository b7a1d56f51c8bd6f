// The environment of a process of the API. It has no keys but those of its faces: what it could seal with another is worth
// nothing to anybody.
import { isForTrials } from '../../ports/environment.ts';
import { CodedError } from '../../ports/fault.ts';
import { type Config, loadConfig, unneededKeys } from '../../runtime/config/config.ts';
import { keysOfFaces, usedBy } from '../process-parts/part-keys.ts';

type Env = Readonly<Record<string, string | undefined>>;

/**
 * The configuration of the API. It holds no key that is not for its faces, whatever the environment of a trial has.
 * @throws CodedError CONFIG_INVALID (fatal), also when the environment of an installation holds a secret that this process
 *   must not have
 */
export function loadApiConfig(env: Env): Config {
  const { faces } = loadConfig(env, []).api;
  const used = usedBy(keysOfFaces(faces), env);
  const given = isForTrials(env) ? [] : unneededKeys(env, used);
  if (given.length === 0) return loadConfig(env, used);
  const lines = given.map(
    (name) => `${name} is set: a process of the API with the face ${faces.join(', ')} must not have it`,
  );
  throw new CodedError('CONFIG_INVALID', lines.join('\n'), { faultClass: 'fatal' });
}
