// Where commands find the servers: the environment first, then the local stack that runs in the state folder.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { attachStack, DEFAULT_STATE_DIR, type StackUrls, stackEnvironment } from '../../infra/local/stack.ts';

/** State folder of the local stack: CORRIDOR_STATE_DIR, or `.corridor` in the checkout. */
export const stateDir = () => process.env['CORRIDOR_STATE_DIR'] ?? DEFAULT_STATE_DIR;

/** The key of the local issuer of tokens, which the API of a local run trusts. */
export const localKeyFile = (state: string): string => path.join(state, 'local-issuer.json');

/** Where `npm start` says which health servers its processes have, as a value of CORRIDOR_HEALTH_URLS. */
export const healthFile = (state: string): string => path.join(state, 'health-urls');

/** Where `npm start` says at which URL its issuer of tokens can be signed in to. */
export const issuerFile = (state: string): string => path.join(state, 'issuer-url');

/**
 * The environment that commands read their configuration from. What is set there wins; the URLs of a running local
 * stack fill in the rest, so that `corridor …` beside `npm start` needs no settings.
 */
export function commandEnvironment(): NodeJS.ProcessEnv {
  const stack = attachStack(stateDir());
  if (!stack || isElsewhere(process.env, stack.urls)) return process.env;
  const said = {
    ...saidIn(healthFile(stateDir()), 'CORRIDOR_HEALTH_URLS'),
    ...saidIn(issuerFile(stateDir()), 'CORRIDOR_LOGIN_ISSUER'),
  };
  return { ...said, ...withStack(process.env, stack.urls, localKeyFile(stateDir())) };
}

const saidIn = (file: string, name: string): Record<string, string> =>
  existsSync(file) ? { [name]: readFileSync(file, 'utf8').trim() } : {};

/**
 * An environment whose gaps are filled with a running stack. One that points elsewhere stays as it is: that a local stack
 * happens to run makes it no development installation, and no command works on servers of both.
 */
export function withStack(env: NodeJS.ProcessEnv, urls: StackUrls, keyFile: string): NodeJS.ProcessEnv {
  if (isElsewhere(env, urls)) return env;
  const development = { CORRIDOR_ENV: 'development', CORRIDOR_AUTH_LOCAL_KEY_FILE: keyFile };
  return { ...development, ...stackEnvironment(urls), ...env };
}

/** It says that it is of production, or names a server that the stack does not have. */
function isElsewhere(env: NodeJS.ProcessEnv, urls: StackUrls): boolean {
  if (env['CORRIDOR_ENV'] === 'production') return true;
  return Object.entries(stackEnvironment(urls)).some(([name, url]) => (env[name] ?? '') !== '' && env[name] !== url);
}
