// The status of an installation in one answer: its processes and their parts, how far each consumer is behind, what is stuck and
// how much money that is, what waits for people. What does not answer is a line of it, and fails nothing else.
import type { Missing } from '../queries/gaps.ts';
import { Gaps } from '../queries/gaps.ts';
import type { Tally } from '../queries/tally.ts';
import type { StuckBoard } from '../stuck/board.ts';
import type { ConsumerLag } from './lags.ts';
import type { AskedProcess, HealthReports, VerifyCheckpoint } from './ports.ts';

export type StatusSource = 'CONSUMERS' | 'CASES' | 'CHECKPOINT' | 'STUCK';

/** Open cases of all kinds. */
export interface OpenCases extends Tally {
  /** When the first is due, ms since 1970; null: none is open. */
  readonly firstDueAt: number | null;
  /** False: a kind of case could not be read, or there are more than are looked at. */
  readonly complete: boolean;
}

export interface StatusSources {
  readonly health: HealthReports;
  readonly lags: () => Promise<readonly ConsumerLag[]>;
  readonly stuck: () => Promise<StuckBoard>;
  readonly cases: () => Promise<OpenCases>;
  /** Absent: nobody has said where checkpoints are. */
  readonly checkpoint?: () => Promise<VerifyCheckpoint>;
}

export interface StatusQuery {
  /** Base URLs of the health servers of all processes. */
  readonly processes: readonly string[];
  /** ms since 1970 */
  readonly now: number;
}

export interface Problem {
  /** A process, a part, a consumer, or a dependency. */
  readonly what: string;
  readonly code: string;
  readonly detail: string;
  /** ms since 1970; null: not known. */
  readonly since: number | null;
}

export interface Status {
  /** ms since 1970 */
  readonly at: number;
  readonly processes: readonly AskedProcess[];
  readonly consumers: readonly ConsumerLag[];
  readonly stuck: StuckBoard | null;
  readonly cases: OpenCases | null;
  readonly checkpoint: VerifyCheckpoint | null;
  /** What does not run as it should. What waits for people is not counted. */
  readonly problems: readonly Problem[];
  readonly complete: boolean;
  readonly missing: readonly Missing<StatusSource>[];
}

/** Asks everything side by side. Rejects only for what is no coded error. */
export async function statusOf(sources: StatusSources, { processes, now }: StatusQuery): Promise<Status> {
  const gaps = new Gaps<StatusSource>();
  const [asked, consumers, stuck, cases, checkpoint] = await Promise.all([
    Promise.all(processes.map((url) => ask(sources.health, url))),
    gaps.read('CONSUMERS', [], sources.lags),
    gaps.read('STUCK', null, sources.stuck),
    gaps.read('CASES', null, sources.cases),
    sources.checkpoint ? gaps.read('CHECKPOINT', null, sources.checkpoint) : null,
  ]);
  const isWhole = (stuck?.complete ?? false) && (cases?.complete ?? false);
  return {
    ...{ at: now, processes: asked, consumers, stuck, cases, checkpoint },
    problems: [...asked.flatMap(problemsOf), ...consumers.flatMap(withoutOffsets)],
    complete: gaps.missing.length === 0 && isWhole,
    missing: gaps.missing,
  };
}

/** How a script is told: 0, everything runs and could be read; 2, something does not run, or could not be asked. */
export const exitCodeOf = ({ problems, missing }: Pick<Status, 'problems' | 'missing'>): 0 | 2 =>
  problems.length === 0 && missing.length === 0 ? 0 : 2;

async function ask(health: HealthReports, url: string): Promise<AskedProcess> {
  const gaps = new Gaps<'HEALTH'>();
  const report = await gaps.read('HEALTH', null, () => health.of(url));
  if (report) return { url, report, fault: null };
  const [{ code, detail } = { code: 'PROCESS_UNREACHABLE' as const, detail: '' }] = gaps.missing;
  return { url, report: null, fault: { code, detail } };
}

/** Pure. */
export function problemsOf({ url, report, fault }: AskedProcess): readonly Problem[] {
  if (!report) return [{ what: url, ...fault, since: null }];
  const stops = report.standing.map(({ name, code, detail, toDo, since }) => ({
    ...{ what: name, code, since },
    detail: toDo === '' ? detail : `${detail}; ${toDo}`,
  }));
  const standing = new Set(report.standing.map(({ name }) => name));
  const troubles = report.parts.flatMap(({ name, troubles: met }) =>
    met.map(({ dependency, code, detail, since }) => ({
      what: `${name} waits for ${dependency}`,
      code,
      detail,
      since,
    })),
  );
  const failed = report.parts
    .filter(({ name, state }) => state === 'failed' && !standing.has(name))
    .map(({ name, state }) => ({ what: name, code: 'PART_FAILED', detail: `it is ${state}`, since: null }));
  const named = [...stops, ...oncePerName(troubles), ...failed];
  if (named.length > 0 || (report.live && report.ready)) return named;
  const detail = report.live ? 'it is not ready: something starts, or makes no progress' : 'it makes no progress';
  return [{ what: url, code: 'PROCESS_NOT_READY', detail, since: null }];
}

/** A dependency is one problem of a part, however many partitions wait for it. */
function oncePerName(problems: readonly Problem[]): readonly Problem[] {
  const first = new Map<string, Problem>();
  for (const problem of problems) {
    const key = `${problem.what} ${problem.code}`;
    const known = first.get(key);
    if (known === undefined || (problem.since ?? 0) < (known.since ?? 0)) first.set(key, problem);
  }
  return [...first.values()];
}

const withoutOffsets = ({ consumer, withoutOffset }: ConsumerLag): readonly Problem[] =>
  withoutOffset === 0
    ? []
    : [
        {
          what: consumer,
          code: 'OFFSET_MISSING',
          detail: `${withoutOffset} partitions have no offset of its group: see \`corridor topics plan\``,
          since: null,
        },
      ];
