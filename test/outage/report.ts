// The report of a run for people: what each outage showed, as a table that stands in the documentation, and what was found.
import type { Process } from './dependency.ts';
import type { HealthSaid } from './health-log.ts';
import type { OutageReport, OutageResult } from './run.ts';

const HOW = { kill: 'killed', freeze: 'held', hole: 'no byte gets through' } as const;

export function printOutages(report: OutageReport): void {
  console.log(`\n${markdown(report)}\n`);
  const { verdict, results, fed, elapsedMs, logs, seed } = report;
  for (const { dependency, way, findings } of results) {
    for (const finding of findings) console.log(`${dependency} (${way}): ${finding}`);
  }
  for (const { kind, subject, detail } of verdict.findings) console.log(`${kind}: ${subject}: ${detail}`);
  console.log(`counts ${JSON.stringify(verdict.counts)}`);
  console.log(`fed ${JSON.stringify(fed)}`);
  console.log(
    `verify: ${verdict.verify?.ok ? 'nothing is wrong' : JSON.stringify(verdict.verify?.codes ?? 'not made')}`,
  );
  if (logs) console.log(`data and logs: ${logs}`);
  console.log(`${report.ok ? 'OK' : 'FINDINGS'}: seed ${seed}, took ${seconds(elapsedMs)}`);
}

/** One row an outage. */
export function markdown({ results }: Pick<OutageReport, 'results'>): string {
  const head = [
    'away',
    'how',
    'for',
    'named by health after',
    'completed meanwhile',
    'backlog',
    'first completed',
    'backlog drained',
    'process started meanwhile ready',
  ];
  const rows = results.map((result) => [
    result.dependency,
    HOW[result.way],
    seconds(result.awayMs),
    named(result),
    String(result.completedMeanwhile),
    String(result.backlog),
    after(result.firstCompletedMs),
    after(result.drainedMs),
    result.lateReadyMs === null ? 'meanwhile' : after(result.lateReadyMs),
  ]);
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function named({ health }: OutageResult): string {
  const said = (Object.entries(health) as [Process, HealthSaid][])
    .filter(([, { namedAfterMs }]) => namedAfterMs !== null)
    .map(([process, { namedAfterMs }]) => `${process} ${seconds(namedAfterMs!)}`);
  return said.length === 0 ? 'nobody' : said.join(', ');
}

const after = (ms: number | null) => (ms === null ? 'not' : seconds(ms));
const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;
