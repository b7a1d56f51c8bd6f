// Where commands find the servers: the environment first, then the local stack that runs in the state folder.
import { attachStack, DEFAULT_STATE_DIR, stackEnvironment } from '../infra/local/stack.ts';

/** State folder of the local stack: CORRIDOR_STATE_DIR, or `.corridor` in the checkout. */
export const stateDir = () => process.env['CORRIDOR_STATE_DIR'] ?? DEFAULT_STATE_DIR;

/**
 * The environment that commands read their configuration from. What is set there wins; the URLs of a running local
 * stack fill in the rest, so that `corridor …` beside `npm start` needs no settings.
 */
export function commandEnvironment(): NodeJS.ProcessEnv {
  const stack = attachStack(stateDir());
  return stack ? { CORRIDOR_ENV: 'development', ...stackEnvironment(stack.urls), ...process.env } : process.env;
}
