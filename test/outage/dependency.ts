// What can be away, how it is taken away and given back, and whose health must name it.
import type { NetworkTarget, ServerTarget } from '../chaos/targets.ts';
import type { World } from '../chaos/world.ts';

export type DependencyName = 'kafka' | 'mongo' | 'redis-limits' | 'redis-queue' | 'registry' | 'provider';
/**
 * `kill`: the server is killed, and started again. `freeze`: it is held (SIGSTOP), with its connections open, and
 * continued. `hole`: it runs, and no byte gets through in either direction.
 */
export type Way = 'kill' | 'freeze' | 'hole';
/** Processes of a run: `chain` runs the processors, `back` sinks, payouts and cases; `late` is a `back` that is
 * started in the middle of the outage. */
export type Process = 'chain' | 'back' | 'late';

export interface Dependency {
  /** As health names it. */
  readonly name: DependencyName;
  readonly target: NetworkTarget;
  readonly server: ServerTarget | undefined;
  /** Processes that meet it, and so must name it. Whoever needs it only to start is not among them. */
  readonly metBy: readonly Process[];
  /** New transfers come to their ends meanwhile. */
  readonly transfersGoOn: boolean;
}

export const DEPENDENCIES: readonly Dependency[] = [
  { name: 'kafka', target: 'kafka', server: 'kafka-1', metBy: ['chain', 'back', 'late'], transfersGoOn: false },
  {
    name: 'mongo',
    target: 'mongo',
    server: 'mongo',
    metBy: ['chain', 'back'],
    transfersGoOn: false,
  },
  {
    name: 'redis-limits',
    target: 'redisLimits',
    server: 'redisLimits',
    metBy: ['chain'],
    transfersGoOn: false,
  },
  // The sweeper pays what the timer would have.
  { name: 'redis-queue', target: 'redisQueue', server: 'redisQueue', metBy: ['back', 'late'], transfersGoOn: true },
  // Whoever knows its schemas needs it no more.
  { name: 'registry', target: 'registry', server: 'registry', metBy: ['late'], transfersGoOn: true },
  { name: 'provider', target: 'provider', server: undefined, metBy: ['back'], transfersGoOn: false },
];

/** Takes it away. */
export async function takeAway(world: World, { server, target }: Dependency, way: Way): Promise<void> {
  if (way === 'hole') {
    for (const proxy of world.proxies(target)) proxy.misbehave({ how: 'half-open' });
    return;
  }
  if (server === undefined) return world.killProvider();
  await (way === 'freeze' ? world.stack.freeze(server) : world.stack.kill(server));
}

/** Gives it back; resolves when it answers. */
export async function giveBack(world: World, { server, target }: Dependency, way: Way): Promise<void> {
  if (way === 'hole') {
    for (const proxy of world.proxies(target)) proxy.behave();
    return;
  }
  if (server === undefined) return world.restartProvider();
  await (way === 'freeze' ? world.stack.thaw(server) : world.stack.restart(server));
}
