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
  if (!stack) return process.env;
  const said = {
    ...saidIn(healthFile(stateDir()), 'CORRIDOR_HEALTH_URLS'),
    ...saidIn(issuerFile(stateDir()), 'CORRIDOR_LOGIN_ISSUER'),
  };
  return { ...said, ...withStack(process.env, stack.urls, localKeyFile(stateDir())) };
}

const saidIn = (file: string, name: string): Record<string, string> =>
  existsSync(file) ? { [name]: readFileSync(file, 'utf8').trim() } : {};

/**
 * An environment whose gaps are filled with a running stack. One that names a server of its own points elsewhere: that
 * a local stack happens to run makes it no development installation.
 */
export function withStack(env: NodeJS.ProcessEnv, urls: StackUrls, keyFile: string): NodeJS.ProcessEnv {
  const ofStack = stackEnvironment(urls);
  const elsewhere = Object.entries(ofStack).some(([name, url]) => (env[name] ?? '') !== '' && env[name] !== url);
  const development = { CORRIDOR_ENV: 'development', CORRIDOR_AUTH_LOCAL_KEY_FILE: keyFile };
  return { ...(elsewhere ? {} : development), ...ofStack, ...env };
}
