// What an installation is for, and the switches that only a development or test installation may use.
import { CodedError } from './fault.ts';

export const ENVIRONMENTS = ['production', 'development', 'test'] as const;

type Env = Readonly<Record<string, string | undefined>>;

/** Variables that take guarantees away or plant faults. `loadConfig` refuses each of them in production. */
export const UNSAFE_VARIABLES = [
  'CORRIDOR_AUTH_LOCAL_KEY_FILE',
  'CORRIDOR_FAILPOINTS',
  'CORRIDOR_FAILPOINTS_FILE',
  'CORRIDOR_FAILPOINT_LOG',
  'CORRIDOR_KAFKAJS_PATCHES',
  'CORRIDOR_UNSAFE',
  'CORRIDOR_UNSAFE_FOR_TESTS',
] as const;

/** Whether CORRIDOR_ENV says `development` or `test`. Unset or empty, it is production. */
export function isForTrials(env: Env): boolean {
  return env['CORRIDOR_ENV'] === 'development' || env['CORRIDOR_ENV'] === 'test';
}

/** The variables above that are set in an environment where they must not be. */
export function forbiddenVariables(env: Env): readonly string[] {
  return isForTrials(env) ? [] : UNSAFE_VARIABLES.filter((name) => (env[name] ?? '') !== '');
}

/**
 * Refuses what is for trials alone.
 * @throws CodedError UNSAFE_REFUSED (fatal) unless CORRIDOR_ENV is development or test
 */
export function refuseOutsideTrials(env: Env, what: string): void {
  if (isForTrials(env)) return;
  throw new CodedError(
    'UNSAFE_REFUSED',
    `${what} is for trials only, and CORRIDOR_ENV is neither development nor test: unset it`,
    { faultClass: 'fatal' },
  );
}
