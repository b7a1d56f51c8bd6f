// The configuration and the connections of a command that a person types.
import { type Config, loadConfig } from '../runtime/config/config.ts';
import { Connections, type ConnectionsOptions } from '../services/connections.ts';
import { keysGiven } from '../services/process-parts/part-keys.ts';
import { commandEnvironment } from './dev/environment.ts';

/**
 * The configuration of a command: the environment, with a running local stack filling in its URLs. Of keys it needs those that it
 * uses, and says so when it has not got one.
 */
export function commandConfig(): Config {
  const env = commandEnvironment();
  return loadConfig(env, keysGiven(env));
}

/** Runs a command with connections, and closes them whatever happens. */
export async function withConnections<T>(
  use: (connections: Connections) => Promise<T>,
  options: ConnectionsOptions = {},
): Promise<T> {
  const connections = new Connections(commandConfig(), 'corridor-cli', options);
  try {
    return await use(connections);
  } finally {
    await connections.close();
  }
}
