// Does to the world what the schedule says, and writes down what really happened.
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { Done, InjectedFault } from './injected.ts';
import { carryOut, type Members, memberTarget } from './members/members.ts';
import { refuseWrites } from './refusing-redis.ts';
import { describe, type Fault } from './schedule.ts';
import type { Slot } from './slot.ts';
import { API_SLOT, type ServerTarget, type SlotName } from './targets.ts';

export interface InjectorOptions extends Members {
  readonly slots: ReadonlyMap<SlotName, Slot>;
  /** Ms since the run began. */
  readonly now: () => number;
  readonly say: (line: string) => void;
}

/** A failpoint that is not passed within this long is given up, and the process is hit wherever it is. */
const FAILPOINT_TIMEOUT_MS = 6_000;

export class Injector {
  readonly injected: InjectedFault[] = [];
  /** Faults that are on at this moment, with when they began. */
  readonly active = new Map<string, { readonly fault: Fault; readonly fromMs: number }>();
  readonly #options: InjectorOptions;
  readonly #running = new Set<Promise<void>>();
  readonly #turns = new Map<string, Promise<unknown>>();
  readonly failures: string[] = [];

  constructor(options: InjectorOptions) {
    this.#options = options;
  }

  /** Begins a fault; does not wait for its end. */
  inject(id: string, fault: Fault): void {
    const work = this.#inject(id, fault)
      .catch((error: unknown) => {
        this.failures.push(`${id} ${describe(fault)}: ${String(error)}`);
      })
      .finally(() => this.#running.delete(work));
    this.#running.add(work);
  }

  /** Resolves when every fault is over. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  counts(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { counts: names } of this.injected) for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
    return counts;
  }

  async #inject(id: string, fault: Fault): Promise<void> {
    const { now, say } = this.#options;
    const what = describe(fault);
    let fromMs = now();
    const { outcome, counts } = await this.#inTurn(targetOf(fault) ?? id, async () => {
      fromMs = now();
      this.active.set(id, { fault, fromMs });
      say(`${id} ${what}`);
      try {
        return await this.#do(id, fault);
      } finally {
        this.active.delete(id);
      }
    });
    const toMs = now();
    if (outcome !== '') say(`${id} ${outcome} (${((toMs - fromMs) / 1_000).toFixed(1)} s)`);
    this.injected.push({ id, kind: fault.kind, what, fromMs, toMs, outcome, counts });
  }

  /** Faults on one target come one after another. */
  #inTurn<T>(target: string, work: () => Promise<T>): Promise<T> {
    const result = (this.#turns.get(target) ?? Promise.resolve()).then(work);
    this.#turns.set(
      target,
      result.catch(() => undefined),
    );
    return result;
  }

  async #do(id: string, fault: Fault): Promise<Done> {
    switch (fault.kind) {
      case 'kill':
        return this.#kill(fault);
      case 'zombie':
        return this.#zombie(fault);
      case 'server-kill':
        return this.#killServer(fault.server, fault.downMs);
      case 'redis-wipe':
        return this.#wipe();
      case 'redis-refusal': {
        const { urls } = this.#options.world.stack;
        const url = fault.target === 'redisLimits' ? urls.redisLimitsUrl : urls.redisQueueUrl;
        return { outcome: await refuseWrites(url, fault.how, fault.forMs), counts: ['redisRefusals'] };
      }
      case 'provider-kill':
        await this.#options.world.killProvider();
        await sleep(fault.downMs);
        await this.#options.world.restartProvider();
        return { outcome: '', counts: ['providerKills'] };
      case 'network':
        return this.#network(id, fault);
      default:
        return carryOut(this.#options, fault);
    }
  }

  async #kill({ slot: name, failpoint, nth }: Fault & { kind: 'kill' }): Promise<Done> {
    const slot = this.#options.slots.get(name)!;
    if (failpoint === undefined) {
      // Sometimes before it is ready: starting is work too.
      await slot.alive();
      await slot.kill();
      return { outcome: '', counts: [name === API_SLOT ? 'apiKills' : 'kills'] };
    }
    await slot.ready();
    if (await slot.atFailpoint(`${failpoint}=kill@${nth}`, 'kill', FAILPOINT_TIMEOUT_MS)) {
      return { outcome: `died at ${failpoint}`, counts: ['kills', 'killsAtFailpoints'] };
    }
    await slot.kill();
    return { outcome: `${failpoint} did not come by: killed at random`, counts: ['kills'] };
  }

  async #zombie({ slot: name, forMs, failpoint, nth }: Fault & { kind: 'zombie' }): Promise<Done> {
    const slot = this.#options.slots.get(name)!;
    await slot.ready();
    const pid = slot.pid;
    const rule = `${failpoint}=stop@${nth}`;
    const held = failpoint !== undefined && (await slot.atFailpoint(rule, 'stop', FAILPOINT_TIMEOUT_MS));
    if (!held) slot.signal('SIGSTOP');
    await sleep(forMs);
    const same = slot.pid === pid;
    slot.signal('SIGCONT');
    const where = held ? `held at ${failpoint}` : failpoint ? `${failpoint} did not come by: held at random` : '';
    if (!same) return { outcome: `${where}; it was gone meanwhile`, counts: [] };
    return { outcome: where, counts: held ? ['zombies', 'zombiesAtFailpoints'] : ['zombies'] };
  }

  async #killServer(server: ServerTarget, downMs: number): Promise<Done> {
    const { stack } = this.#options.world;
    await stack.kill(server);
    await sleep(downMs);
    await stack.restart(server);
    return { outcome: 'back', counts: [server.startsWith('kafka') ? 'brokerRestarts' : `${server}Kills`] };
  }

  async #wipe(): Promise<Done> {
    const redis = new Redis(this.#options.world.stack.urls.redisLimitsUrl, { maxRetriesPerRequest: 20 });
    try {
      const keys = await redis.dbsize();
      await redis.flushall('SYNC');
      return { outcome: `${keys} keys are gone`, counts: ['redisWipes'] };
    } finally {
      redis.disconnect();
    }
  }

  async #network(id: string, fault: Fault & { kind: 'network' }): Promise<Done> {
    const { target, how, forMs, ms, hole, share } = fault;
    const proxies = this.#options.world.proxies(target);
    const before = proxies.reduce((sum, proxy) => sum + proxy.connectionsHit, 0);
    for (const [index, proxy] of proxies.entries()) {
      proxy.misbehave({
        how,
        ...(ms === undefined ? {} : { ms }),
        ...(hole === undefined ? {} : { hole }),
        ...(share < 1 ? { hits: (connection) => drawn(`${id} ${index} ${connection}`) < share } : {}),
      });
    }
    await sleep(forMs);
    for (const proxy of proxies) proxy.behave();
    const hit = proxies.reduce((sum, proxy) => sum + proxy.connectionsHit, 0) - before;
    const counts = hit > 0 ? ['networkFaults', `network.${how}`] : [];
    return { outcome: `${hit} connections hit`, counts };
  }
}

const targetOf = (fault: Fault): string | undefined => {
  switch (fault.kind) {
    case 'kill':
    case 'zombie':
      return fault.slot;
    case 'server-kill':
      // Never two brokers at once: with three of them, two must be in sync.
      return fault.server.startsWith('kafka') ? 'kafka' : fault.server;
    case 'redis-wipe':
      return 'redisLimits';
    case 'redis-refusal':
      return fault.target;
    case 'provider-kill':
      return 'the provider';
    case 'network':
      return `network ${fault.target}`;
    default:
      return memberTarget(fault);
  }
};

/** In [0, 1), by the text alone. */
const drawn = (text: string) => createHash('sha256').update(text).digest().readUInt32BE() / 2 ** 32;
