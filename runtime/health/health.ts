// What a process says of itself: liveness by progress, parts that stand, dependencies that are waited for, every partition.

import type { HealthSource } from '../../ports/health.ts';
import type { Host, HostHealth, StoppedPart } from '../hosts/host.ts';
import type { Metrics } from '../logs-and-metrics/metrics.ts';
import type { Supervisor } from '../process/supervisor.ts';
import { assess, type LivenessLimits } from './liveness.ts';

/** A process as its health sees it. */
export interface Running {
  readonly options: { readonly hosts: readonly Host[]; readonly liveness: LivenessLimits; readonly metrics: Metrics };
  readonly supervisors: readonly Supervisor[];
  /** False until the parts may be started. */
  areMade: boolean;
}

/** Every host of the process as it is now, and a stand-in for each part that has none. */
export function healthsOf({ options, supervisors, areMade }: Running): readonly HostHealth[] {
  const parts = areMade ? supervisors.flatMap((supervisor) => supervisor.healths()) : [];
  return [...options.hosts.map((host) => host.health()), ...parts];
}

const standingIn = ({ supervisors }: Running): readonly StoppedPart[] =>
  supervisors.flatMap((supervisor) => supervisor.standing() ?? []);

/** For the health server. Ready: every part runs, or waits for a declared reason. Live: some part still works. */
export function healthOf(running: Running): HealthSource {
  const { options, supervisors } = running;
  const judge = () => {
    const healths = healthsOf(running);
    const verdict = assess(healths, options.liveness, performance.now());
    return { healths, verdict: { ...verdict, ready: verdict.ready && running.areMade }, standing: standingIn(running) };
  };
  const works = () => {
    if (options.hosts.some((host) => host.health().state === 'failed')) return false;
    return supervisors.length === 0 || standingIn(running).length < supervisors.length;
  };
  return {
    live() {
      const { verdict } = judge();
      const ok = verdict.exit === undefined && works();
      return { ok, body: { live: ok, reason: verdict.exit?.detail } };
    },
    ready() {
      const { healths, verdict, standing } = judge();
      const body = { ready: verdict.ready, standing, ...summary(healths, standing), stalled: verdict.stalled };
      return { ok: verdict.ready, body };
    },
    all() {
      const { healths, verdict, standing } = judge();
      const live = verdict.exit === undefined;
      const body = { live, ready: verdict.ready, standing, ...summary(healths, standing) };
      return { ok: verdict.ready && live, body: { ...body, ...parts(healths, verdict.stalled) } };
    },
    async metrics() {
      refresh(running, options.metrics);
      return { contentType: options.metrics.registry.contentType, text: await options.metrics.registry.metrics() };
    },
  };
}

function summary(healths: readonly HostHealth[], standing: readonly StoppedPart[]) {
  const waitingFor = [...new Set(healths.flatMap(({ troubles }) => troubles.map(({ dependency }) => dependency)))];
  const alarms = healths.flatMap((health) => health.alarms ?? []);
  return { degraded: waitingFor.length > 0 || standing.length > 0 || alarms.length > 0, waitingFor, alarms };
}

function parts(healths: readonly HostHealth[], stalled: readonly unknown[]) {
  return {
    stalled,
    hosts: healths.map(({ name, state, partitions, troubles, tables, underWay }) => ({
      name,
      state,
      lag: partitions.reduce((sum, { lag }) => sum + lag, 0),
      troubles,
      tables,
      underWay,
      paused: partitions.flatMap(({ topic, partition, lag, paused }) =>
        paused ? [{ topic, partition, lag, code: paused.code, detail: paused.detail }] : [],
      ),
    })),
  };
}

function refresh(running: Running, metrics: Metrics): void {
  metrics.lag.reset();
  metrics.pausedPartitions.reset();
  metrics.underWay.reset();
  for (const supervisor of running.supervisors) {
    metrics.hostStanding.set({ consumer: supervisor.part.name }, supervisor.standing() ? 1 : 0);
  }
  for (const { name, partitions, tables, underWay = {} } of healthsOf(running)) {
    for (const table of tables) metrics.tableSkipped.set({ consumer: name, topic: table.name }, table.undecodable);
    for (const [waits_for, count] of Object.entries(underWay)) {
      metrics.underWay.set({ consumer: name, waits_for }, count);
    }
    for (const { topic, lag, paused } of partitions) {
      metrics.lag.inc({ consumer: name, topic }, Math.max(0, lag));
      if (paused) metrics.pausedPartitions.inc({ consumer: name, code: paused.code });
    }
  }
}
