// A stack that runs, with servers in it that do not: found out by looking, and brought back on their ports, with their data.

import { isAlive } from '../../ports/process-identity.ts';
import type { Overrides } from './external.ts';
import { StackError } from './fault.ts';
import { OwnStack, type OwnStackOptions } from './own-stack.ts';
import { probeKafka, probeMongo, probeRedis, probeRegistry, until } from './probes.ts';
import { endProcesses } from './processes.ts';
import type { RunningState, StateDir } from './state.ts';
import type { ServerKind } from './types.ts';

/** A server that lives and does not answer for so long is as good as dead; a busy machine has time enough. */
const ANSWER_WITHIN_MS = 30_000;
const GRACE_MS = 15_000;
const NOTHING_EXTERNAL: Overrides = { kinds: [], urls: {} };

/** The kind of a server, by its name. */
export const kindOf = (server: string): ServerKind => (server.startsWith('kafka') ? 'kafka' : server) as ServerKind;

/** The servers of a stack that do not answer, by what is the matter with them. */
export async function deadServers(running: RunningState): Promise<ReadonlyMap<ServerKind, string>> {
  const dead = new Map<ServerKind, string>();
  for (const server of running.servers) if (!isAlive(server)) dead.set(kindOf(server.name), `${server.name} had ended`);
  const ours = Object.entries(running.providers).flatMap(([kind, by]) =>
    by === 'external' ? [] : [kind as ServerKind],
  );
  await Promise.all(
    ours.map(async (kind) => {
      if (dead.has(kind)) return;
      const answered = until(AbortSignal.timeout(ANSWER_WITHIN_MS), () => probe(kind, running));
      await answered.catch(() => dead.set(kind, `${kind} did not answer`));
    }),
  );
  return dead;
}

function probe(kind: ServerKind, { urls }: RunningState): Promise<void> {
  if (kind === 'kafka') return probeKafka(urls.kafkaBrokers, urls.kafkaBrokers.length);
  if (kind === 'registry') return probeRegistry(urls.registryUrl);
  if (kind === 'mongo') return probeMongo(urls.mongoUri);
  return probeRedis(kind === 'redisLimits' ? urls.redisLimitsUrl : urls.redisQueueUrl);
}

/** Starts the dead servers of a detached stack again, and leaves the others alone. */
export async function revive(
  start: Omit<OwnStackOptions, 'kinds' | 'external' | 'beside'>,
  running: RunningState,
  dead: ReadonlyMap<ServerKind, string>,
): Promise<void> {
  start.progress(`${[...dead.values()].join(', ')}: starting again`);
  const isDead = ({ name }: { readonly name: string }) => dead.has(kindOf(name));
  await endProcesses(running.servers.filter(isDead), GRACE_MS);
  const beside = { ...running, servers: running.servers.filter((server) => !isDead(server)) };
  start.state.setRunning(beside);
  const options = { ...start.options, lifetime: 'detached' as const, runner: 'processes' as const };
  await OwnStack.start({ ...start, options, kinds: [...dead.keys()], external: NOTHING_EXTERNAL, beside });
}

/** Waits until whoever runs the stack has brought its dead servers back. Throws StackError SERVER_FAILED. */
export async function awaitOwner(state: StateDir, progress: (line: string) => void): Promise<void> {
  let reported = '';
  const look = async () => {
    const running = state.running();
    if (!running) throw new StackError('NOT_RUNNING', 'The stack has ended meanwhile.', 'Start it again.');
    const dead = await deadServers(running);
    if (dead.size === 0) return;
    const words = [...dead.values()].join(', ');
    if (words !== reported) progress(`${words}: waiting for process ${running.owner.pid}, which runs the stack`);
    reported = words;
    throw new StackError(
      'SERVER_FAILED',
      `${words}, and process ${running.owner.pid}, which runs the stack, has not brought it back.`,
      'End that process and start again.',
    );
  };
  await until(AbortSignal.timeout(ANSWER_WITHIN_MS), look);
}
