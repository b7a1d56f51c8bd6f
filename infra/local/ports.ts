import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { StackError } from './fault.ts';

/** The ports of a stack with `fixedPorts`, and of docker-compose.kafka.yml; each can be moved by the variable named. */
export const DEFAULT_PORTS = {
  'kafka-1': { port: 19092, variable: 'CORRIDOR_KAFKA_PORT' },
  'kafka-2': { port: 19093, variable: 'CORRIDOR_KAFKA_2_PORT' },
  'kafka-3': { port: 19094, variable: 'CORRIDOR_KAFKA_3_PORT' },
  registry: { port: 18081, variable: 'CORRIDOR_REGISTRY_PORT' },
  mongo: { port: 27117, variable: 'CORRIDOR_MONGO_PORT' },
  redisLimits: { port: 16379, variable: 'CORRIDOR_REDIS_LIMITS_PORT' },
  redisQueue: { port: 16380, variable: 'CORRIDOR_REDIS_QUEUE_PORT' },
} as const;

/**
 * Below what Linux and macOS give to outgoing connections. In that range a client that keeps reconnecting to a server
 * that is down can be given the server's own port, connect to itself, and keep the server from coming back.
 */
const FREE_RANGE = { from: 20_000, to: 32_000 };

/**
 * Finds `count` different free ports of 127.0.0.1. Another program could take one before it is used; the server that
 * wanted it then fails to start and says so.
 */
export async function freePorts(count: number): Promise<number[]> {
  const found = new Set<number>();
  for (let tries = 0; found.size < count; tries++) {
    if (tries > 1_000) {
      throw new StackError(
        'PORT_IN_USE',
        'No free port was found.',
        'End some of the servers that run on this machine.',
      );
    }
    const port = randomInt(FREE_RANGE.from, FREE_RANGE.to);
    if (!found.has(port) && (await isPortFree(port))) found.add(port);
  }
  return [...found];
}

export async function isPortFree(port: number): Promise<boolean> {
  try {
    const server = await listen(port);
    await new Promise((resolve) => server.close(resolve));
    return true;
  } catch {
    return false;
  }
}

/** The documented port of a server, or the one that the environment sets instead; it must be free. */
export async function fixedPort(server: keyof typeof DEFAULT_PORTS, env: NodeJS.ProcessEnv): Promise<number> {
  const { port: documented, variable } = DEFAULT_PORTS[server];
  const set = env[variable];
  const port = set === undefined || set === '' ? documented : Number(set);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new StackError('BAD_SETTING', `${variable}=${set} is not a port.`, 'Set it to a number from 1 to 65535.');
  }
  if (await isPortFree(port)) return port;
  throw portInUse(server, port);
}

export function portInUse(server: string, port: number): StackError {
  const variable = DEFAULT_PORTS[server as keyof typeof DEFAULT_PORTS]?.variable;
  return new StackError(
    'PORT_IN_USE',
    `Port ${port} is wanted for ${server}, and another program has it.`,
    `Stop that program (\`lsof -i :${port}\` names it)${variable ? `, or set ${variable} to a free port` : ''}.`,
  );
}

function listen(port: number) {
  return new Promise<ReturnType<typeof createServer>>((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}
