/** How fast the engine decides, on one core, each name once, no result kept. */
import { readParty, type ScreeningIndex, screenParty } from '../../screening/engine/index.ts';

export interface Speed {
  readonly names: number;
  /** From processor time: comparable also when the machine is busy with something else. */
  readonly namesPerCpuSecond: number;
  readonly namesPerWallSecond: number;
  /** Per name, wall time, in microseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly hits: number;
}

const WARM_UP = 4000;

/** Screens each name once and times it from the party record to the decision. */
export function measure(index: ScreeningIndex, schema: string, names: readonly string[]): Speed {
  const parties = names.map((name) => readParty(schema, { name }));
  const warmUp = parties.slice(0, Math.min(WARM_UP, parties.length / 4));
  for (const party of warmUp) screenParty(index, party);
  const timed = parties.slice(warmUp.length);
  const latencies = new Float64Array(timed.length);
  let hits = 0;
  const cpu = process.cpuUsage();
  const start = performance.now();
  let before = start;
  timed.forEach((party, at) => {
    hits += screenParty(index, party).hits.length;
    const now = performance.now();
    latencies[at] = now - before;
    before = now;
  });
  const wallMs = before - start;
  const used = process.cpuUsage(cpu);
  const cpuMs = (used.user + used.system) / 1000;
  latencies.sort();
  const quantile = (share: number): number => latencies[Math.floor(share * (latencies.length - 1))]! * 1000;
  return {
    names: timed.length,
    namesPerCpuSecond: Math.round((timed.length / cpuMs) * 1000),
    namesPerWallSecond: Math.round((timed.length / wallMs) * 1000),
    p50: Math.round(quantile(0.5)),
    p99: Math.round(quantile(0.99)),
    hits,
  };
}
