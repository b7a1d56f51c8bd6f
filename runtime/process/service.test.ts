import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { startHealthServer } from '../../adapters/http/health-server.ts';
import { CodedError } from '../../ports/fault.ts';
import type { Host, HostHealth, HostState } from '../hosts/host.ts';
import { silentLogger } from '../logs-and-metrics/logger.ts';
import { createMetrics } from '../logs-and-metrics/metrics.ts';
import { EXIT, runService, type ServiceOptions } from './service.ts';
import type { Part } from './supervisor.ts';

/** A host that does what the test says. */
class ScriptedHost implements Host {
  readonly name: string;
  readonly failed: Promise<never>;
  state: HostState = 'new';
  fail!: (error: unknown) => void;
  over: Partial<HostHealth> = {};
  stopTakes: Promise<void> = Promise.resolve();
  startFails: Error | undefined;

  constructor(name: string) {
    this.name = name;
    this.failed = new Promise((_, reject) => {
      this.fail = reject;
    });
  }
  async start() {
    if (this.startFails) throw this.startFails;
    this.state = 'running';
  }
  health(): HostHealth {
    return { name: this.name, state: this.state, partitions: [], troubles: [], tables: [], ...this.over };
  }
  async stop() {
    await this.stopTakes;
    this.state = 'stopped';
  }
}

function running(hosts: readonly ScriptedHost[], over: Partial<ServiceOptions> = {}) {
  const abort = new AbortController();
  const ready = Promise.withResolvers<string>();
  const closed: string[] = [];
  const ended = runService({
    name: 'test',
    hosts,
    logger: silentLogger,
    metrics: createMetrics(),
    liveness: { stallAfterMs: 30_000, exitAfterMs: 120_000 },
    drainDeadlineMs: 1_000,
    handleSignals: false,
    signal: abort.signal,
    serveHealth: (source) => startHealthServer(source, { host: '127.0.0.1', port: 0 }),
    resources: [{ name: 'log', close: async () => void closed.push(hosts.map(({ state }) => state).join()) }],
    onReady: (health) => ready.resolve(health!.url),
    ...over,
  });
  return { ended, stop: () => abort.abort(), ready: ready.promise, closed };
}

/** A part that makes a new scripted host each time it is started. */
function partOf(name: string): Part & { readonly lives: ScriptedHost[] } {
  const lives: ScriptedHost[] = [];
  return {
    name,
    consumes: true,
    lives,
    async make() {
      const host = new ScriptedHost(name);
      lives.push(host);
      return { hosts: [host], resources: [] };
    },
  };
}

const get = async (url: string) => {
  const response = await fetch(url);
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};

describe('a service', () => {
  it('starts all hosts, serves health, and drains before it closes what they used', async () => {
    const hosts = [new ScriptedHost('intake'), new ScriptedHost('limits')];
    const service = running(hosts);
    const url = await service.ready;
    expect(await get(`${url}/health/ready`)).toMatchObject({ status: 200, body: { ready: true } });
    expect(await get(`${url}/health/live`)).toMatchObject({ status: 200, body: { live: true } });
    expect((await get(`${url}/health`)).body).toMatchObject({ hosts: [{ name: 'intake' }, { name: 'limits' }] });
    expect((await get(`${url}/nothing`)).status).toBe(404);
    service.stop();
    expect(await service.ended).toMatchObject({ exitCode: EXIT.ok });
    expect(service.closed).toEqual(['stopped,stopped']);
    await expect(fetch(url)).rejects.toThrow();
  });

  it('makes its parts once the first hosts run, and is ready only then', async () => {
    const [first, second] = [new ScriptedHost('start-up'), new ScriptedHost('limits')];
    const composing = Promise.withResolvers<void>();
    const service = running([first], {
      parts: [
        {
          ...partOf('limits'),
          make: async () => {
            await composing.promise;
            return { hosts: [second], resources: [] };
          },
        },
      ],
      serveHealth: async (source) => {
        const server = await startHealthServer(source, { host: '127.0.0.1', port: 0 });
        const { status, body } = await get(`${server.url}/health/ready`);
        expect({ status, ready: body['ready'] }).toEqual({ status: 503, ready: false });
        expect((await get(`${server.url}/health/live`)).status).toBe(200);
        composing.resolve();
        return server;
      },
    });
    const url = await service.ready;
    expect(await get(`${url}/health`)).toMatchObject({
      status: 200,
      body: { ready: true, hosts: [{ name: 'start-up' }, { name: 'limits' }] },
    });
    second.fail(new CodedError('NEWER_SCHEMA', 'deploy downstream first', { faultClass: 'fatal' }));
    expect(await service.ended).toMatchObject({ exitCode: EXIT.fault, code: 'NEWER_SCHEMA' });
    expect([first.state, second.state]).toEqual(['stopped', 'stopped']);
  });

  it('drains while its first hosts still start, and makes no more', async () => {
    const host = new ScriptedHost('start-up');
    const asked = Promise.withResolvers<void>();
    host.start = async () => {
      host.state = 'starting';
      asked.resolve();
      await new Promise(() => undefined);
    };
    let made = 0;
    const service = running([host], {
      parts: [
        {
          ...partOf('limits'),
          make: async () => {
            made++;
            return { hosts: [], resources: [] };
          },
        },
      ],
    });
    await asked.promise;
    service.stop();
    expect(await service.ended).toMatchObject({ exitCode: EXIT.ok });
    expect(made).toBe(0);
  });

  it('ends, drained, when one host fails', async () => {
    const hosts = [new ScriptedHost('intake'), new ScriptedHost('limits')];
    const service = running(hosts);
    await service.ready;
    hosts[1]!.fail(new CodedError('NEWER_SCHEMA', 'deploy downstream first', { faultClass: 'fatal' }));
    expect(await service.ended).toEqual({
      exitCode: EXIT.fault,
      code: 'NEWER_SCHEMA',
      detail: 'deploy downstream first',
    });
    expect(hosts.map(({ state }) => state)).toEqual(['stopped', 'stopped']);
  });

  it('goes on with the others when one part stops, names it, and starts it again', async () => {
    const [intake, limits] = [partOf('intake'), partOf('limits')];
    const service = running([], { parts: [intake, limits] });
    const url = await service.ready;
    limits.lives[0]!.fail(new CodedError('DLQ_BREAKER_OPEN', 'more than 25 in a row', { faultClass: 'fatal' }));
    const standing = { name: 'limits', code: 'DLQ_BREAKER_OPEN', toDo: expect.stringContaining('limits.dlq') };
    await expect.poll(async () => (await get(`${url}/health/ready`)).body).toMatchObject({ standing: [standing] });
    expect((await get(`${url}/health/ready`)).status).toBe(503);
    expect((await get(`${url}/health/live`)).status).toBe(200);
    expect((await get(`${url}/health`)).body).toMatchObject({
      degraded: true,
      hosts: [
        { name: 'intake', state: 'running' },
        { name: 'limits', state: 'failed' },
      ],
    });
    expect(await (await fetch(`${url}/metrics`)).text()).toContain('corridor_host_standing{consumer="limits"} 1');
    expect(limits.lives[0]!.state).toBe('stopped');
    await expect.poll(() => limits.lives.length, { timeout: 10_000 }).toBe(2);
    await expect.poll(async () => (await get(`${url}/health/ready`)).status).toBe(200);
    expect(intake.lives).toHaveLength(1);
    service.stop();
    expect(await service.ended).toMatchObject({ exitCode: EXIT.ok });
    expect([...intake.lives, ...limits.lives].map(({ state }) => state)).toEqual(['stopped', 'stopped', 'stopped']);
  });

  it('ends when all its parts that consume stand, and not before', async () => {
    const [intake, limits] = [partOf('intake'), partOf('limits')];
    const relay = { ...partOf('case-relay'), consumes: false };
    const service = running([], { parts: [intake, limits, relay] });
    await service.ready;
    intake.lives[0]!.fail(new CodedError('KAFKA_UNAUTHORIZED', 'grant it', { faultClass: 'fatal' }));
    limits.lives[0]!.fail(new CodedError('KAFKA_UNAUTHORIZED', 'grant it', { faultClass: 'fatal' }));
    expect(await service.ended).toMatchObject({ exitCode: EXIT.fault, code: 'KAFKA_UNAUTHORIZED' });
  });

  it('stays, if it is told to, when its only part stands', async () => {
    const limits = partOf('limits');
    const service = running([], { parts: [limits], stays: true });
    await service.ready;
    limits.lives[0]!.fail(new CodedError('NEWER_SCHEMA', 'deploy', { faultClass: 'fatal' }));
    await expect.poll(() => limits.lives.length, { timeout: 10_000 }).toBe(2);
    service.stop();
    expect(await service.ended).toMatchObject({ exitCode: EXIT.ok });
  });

  it('ends when a host cannot start', async () => {
    const host = new ScriptedHost('intake');
    host.startFails = new CodedError('SCHEMA_NOT_REGISTERED', 'push first', { faultClass: 'fatal' });
    expect(await running([host]).ended).toMatchObject({ exitCode: EXIT.fault, code: 'SCHEMA_NOT_REGISTERED' });
  });

  it('names the dependency that it waits for, and stays ready', async () => {
    const host = new ScriptedHost('limits');
    const trouble = {
      dependency: 'redis-limits',
      code: 'REDIS_UNAVAILABLE' as const,
      detail: 'down',
      since: 1,
      topic: 't',
      partition: 0,
      lastMetAt: 0,
    };
    const paused = { code: 'REDIS_UNAVAILABLE', detail: 'down' } as const;
    host.over = {
      troubles: [trouble],
      partitions: [{ topic: 'transfer.priced', partition: 0, position: 0, lag: 5, lastProgressAt: 0, paused }],
      underWay: { publication: 3 },
    };
    const service = running([host]);
    const url = await service.ready;
    const { status, body } = await get(`${url}/health`);
    expect(status).toBe(200);
    expect(body).toMatchObject({ degraded: true, waitingFor: ['redis-limits'] });
    expect(body).toMatchObject({
      hosts: [
        {
          paused: [{ topic: 'transfer.priced', lag: 5, code: 'REDIS_UNAVAILABLE' }],
          underWay: { publication: 3 },
        },
      ],
    });
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toContain('corridor_lag_records{consumer="limits",topic="transfer.priced"} 5');
    expect(metrics).toContain('corridor_under_way{consumer="limits",waits_for="publication"} 3');
    expect(metrics).toContain('corridor_paused_partitions{consumer="limits",code="REDIS_UNAVAILABLE"} 1');
    service.stop();
    await service.ended;
  });

  it('is not ready while a partition stalls, then ends with a code of its own', async () => {
    const host = new ScriptedHost('limits');
    const service = running([host], { liveness: { stallAfterMs: 10, exitAfterMs: 2_000 } });
    const url = await service.ready;
    const lastProgressAt = performance.now() - 100;
    host.over = { partitions: [{ topic: 't', partition: 0, position: 0, lag: 5, lastProgressAt, paused: undefined }] };
    expect(await get(`${url}/health/ready`)).toMatchObject({ status: 503, body: { ready: false } });
    expect(await service.ended).toMatchObject({ exitCode: EXIT.noProgress, code: 'NO_PROGRESS' });
  });

  it('says so when the drain takes too long', async () => {
    const host = new ScriptedHost('limits');
    host.stopTakes = new Promise(() => undefined);
    const service = running([host], { drainDeadlineMs: 10 });
    await service.ready;
    service.stop();
    expect(await service.ended).toMatchObject({ exitCode: EXIT.drainTimedOut, code: 'DRAIN_TIMED_OUT' });
  });

  it('drains on SIGTERM, and is ended at once by a second signal', async () => {
    const root = path.resolve(import.meta.dirname, '../..');
    const script = `
      import { runService } from '${root}/runtime/process/service.ts';
      import { silentLogger } from '${root}/runtime/logs-and-metrics/logger.ts';
      import { createMetrics } from '${root}/runtime/logs-and-metrics/metrics.ts';
      const slow = process.argv[1] === 'slow';
      const host = { name: 'h', failed: new Promise(() => {}), start: async () => {},
        health: () => ({ name: 'h', state: 'running', partitions: [], troubles: [], tables: [] }),
        stop: () => new Promise((resolve) => { console.log('draining'); if (!slow) setTimeout(resolve, 50); }) };
      setInterval(() => {}, 1000);
      const end = await runService({ name: 's', hosts: [host], logger: silentLogger, metrics: createMetrics(),
        liveness: { stallAfterMs: 1e9, exitAfterMs: 2e9 }, drainDeadlineMs: 60_000, onReady: () => console.log('up') });
      process.exit(end.exitCode);`;
    const start = (mode: string) =>
      spawn(process.execPath, ['--input-type=module', '-e', script, mode], { stdio: ['ignore', 'pipe', 'inherit'] });
    const quick = start('quick');
    await once(quick.stdout, 'data');
    quick.kill('SIGTERM');
    expect(await once(quick, 'exit')).toEqual([0, null]);
    const slow = start('slow');
    await once(slow.stdout, 'data');
    slow.kill('SIGINT');
    await once(slow.stdout, 'data');
    slow.kill('SIGINT');
    expect(await once(slow, 'exit')).toEqual([1, null]);
  });
});
