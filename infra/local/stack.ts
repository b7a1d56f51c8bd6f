// The local stack: everything that Corridor connects to, started, found, stopped and removed.

import { isAlive } from '../../ports/process-identity.ts';
import { makeDirectory } from './artifacts.ts';
import { docker } from './docker.ts';
import { type Overrides, overrides, probeOverrides } from './external.ts';
import { StackError } from './fault.ts';
import { withLock } from './files.ts';
import { OwnStack } from './own-stack.ts';
import { endProcesses } from './processes.ts';
import { awaitOwner, deadServers, kindOf, revive } from './revive.ts';
import { kafkaUuid } from './servers/kafka-cluster.ts';
import { type RunningState, StateDir } from './state.ts';
import { type LocalStack, SERVER_KINDS, type ServerKind, type ServerName, type StackOptions } from './types.ts';
import { isRunning, StackView } from './view.ts';

export { DEFAULT_STATE_DIR } from './artifacts.ts';
export { stackEnvironment } from './external.ts';
export { StackError } from './fault.ts';
export type { LocalStack, Runner, ServerInfo, ServerKind, ServerName, StackOptions, StackUrls } from './types.ts';

/** What an owner asked to stop may take: it drains first. */
const OWNER_GRACE_MS = 60_000;

/**
 * Starts the servers that no URL in the environment replaces, and waits until each answers in its own protocol. A stack
 * that already runs in the same state folder is used instead (`owned` is then false), and what is dead in it is started
 * again. Data of an earlier run are kept.
 * Throws StackError, whose `cure` says what to do.
 */
export async function startStack(options: StackOptions): Promise<LocalStack> {
  const progress = options.onProgress ?? (() => undefined);
  const state = new StateDir(options.stateDir);
  const env = options.env ?? process.env;
  const kinds = options.kinds ?? SERVER_KINDS;
  const external = overrides(env, kinds);
  await probeOverrides(external, progress);

  makeDirectory(state.dir);
  return withLock(
    state.lock,
    async () => {
      const settings = state.open({ format: 1, brokers: options.brokers ?? 1, clusterId: kafkaUuid() });
      const running = state.running();
      const start = { options, state, settings, env, progress };
      if (running && isRunning(running)) {
        const view = useRunning(state, running, kinds, external);
        const dead = await deadServers(running);
        if (dead.size === 0) return view;
        if (running.lifetime === 'process') await awaitOwner(state, progress);
        else await revive(start, running, dead);
        return useRunning(state, state.running() ?? running, kinds, external);
      }
      await endLeftovers(state, progress);
      return OwnStack.start({ ...start, kinds, external });
    },
    { onWait: () => progress(`Another process is starting the stack in ${state.dir}: waiting for it`) },
  );
}

/**
 * Ends a server of the stack that runs in this state folder, in good order, and has it back with its data and its port: by its
 * owner where one runs it, here where it is detached (there all brokers, if it is one of three). Resolves when everything
 * answers again.
 * @throws StackError NOT_RUNNING when nothing runs, or not this server
 */
export async function restartServer(options: StackOptions, target: ServerKind | ServerName): Promise<LocalStack> {
  const state = new StateDir(options.stateDir);
  const running = state.running();
  if (!running || !isRunning(running))
    throw new StackError(
      'NOT_RUNNING',
      `No stack runs in ${state.dir}.`,
      'Start it with `npm start` or `corridor up`.',
    );
  const isMeant = ({ name }: { readonly name: string }) => name === target || kindOf(name) === target;
  const servers = running.servers.filter(isMeant);
  const containers = running.containers.filter(isMeant);
  if (servers.length + containers.length === 0) {
    const known = [...running.servers, ...running.containers].map(({ name }) => name).join(', ');
    throw new StackError('NOT_RUNNING', `${target} is no server of this stack.`, `Name one of: ${known}.`);
  }
  options.onProgress?.(`Ending ${[...servers, ...containers].map(({ name }) => name).join(', ')}`);
  if (containers.length > 0) await docker('restart', ...containers.map(({ id }) => id));
  await endProcesses(servers, 15_000);
  return startStack({ ...options, brokers: running.urls.kafkaBrokers.length === 3 ? 3 : 1 });
}

/** The stack that runs in this state folder, whoever started it; null if none does. */
export function attachStack(stateDir: string): LocalStack | null {
  const state = new StateDir(stateDir);
  const running = state.running();
  return running && isRunning(running) ? new StackView(state, running, {}) : null;
}

/**
 * Stops the stack of this state folder, whoever started it: an owner that still runs is asked to end (it drains first),
 * and what is left is ended. Resolves with false when nothing ran.
 */
export async function stopStack(stateDir: string): Promise<boolean> {
  const state = new StateDir(stateDir);
  const running = state.running();
  if (!running) return false;
  const { owner, lifetime } = running;
  const ran = isAlive(owner) || running.servers.some(isAlive);
  if (lifetime === 'process' && owner.pid !== process.pid && isAlive(owner)) {
    await endProcesses([owner], OWNER_GRACE_MS);
  }
  await endServers(running);
  state.clearRunning();
  return ran;
}

/** Stops the stack of this state folder and removes the folder: data, logs and downloaded servers. */
export async function wipe(stateDir: string): Promise<void> {
  const state = new StateDir(stateDir);
  try {
    await stopStack(stateDir);
  } catch (error) {
    // A state that cannot be read is one of the reasons to wipe.
    if (!(error instanceof StackError && error.code === 'STATE_CORRUPT')) throw error;
  }
  if (readProvider(state) === 'containers') await (await import('./container-stack.ts')).removeVolumes(state.dir);
  state.remove();
}

/** A view of the stack that runs, if it has what is wanted; servers that our environment replaces need not be in it. */
function useRunning(
  state: StateDir,
  running: RunningState,
  kinds: readonly ServerKind[],
  external: Overrides,
): LocalStack {
  const missing = kinds.filter((kind) => !running.providers[kind] && !external.kinds.includes(kind));
  if (missing.length === 0) return new StackView(state, running, external.urls);
  throw new StackError(
    'STATE_MISMATCH',
    `The stack that runs in ${state.dir} has no ${missing.join(', ')}.`,
    `End process ${running.owner.pid}, which runs it, or use another state folder.`,
  );
}

function readProvider(state: StateDir): string | undefined {
  try {
    return state.runner();
  } catch {
    return undefined;
  }
}

/** Ends what a crashed owner left running; its guard is most often at it already. */
async function endLeftovers(state: StateDir, progress: (line: string) => void): Promise<void> {
  const running = state.running();
  if (!running) return;
  const left = running.servers.filter(isAlive);
  if (left.length > 0) progress(`Ending ${left.map(({ name }) => name).join(', ')}, left by an earlier run`);
  await endServers(running);
  state.clearRunning();
}

async function endServers(running: RunningState): Promise<void> {
  await endProcesses(running.servers, 15_000);
  if (running.containers.length === 0) return;
  await docker('rm', '--force', ...running.containers.map(({ id }) => id));
}
