// A run's report for people; programs read the JSON.
import { printRows } from '../../cli/output.ts';
import type { RunReport } from './run.ts';

export function printReport(report: RunReport): void {
  const { fed, faults, verdict, providerFaults, elapsedMs, drainMs } = report;
  const rows = (counts: Readonly<Record<string, number>>) =>
    Object.entries(counts).map(([what, count]) => ({ what, count }));
  console.log('');
  printRows(rows(fed), ['what', 'count']);
  console.log('');
  printRows([...rows(faults), { what: 'providerFaults', count: sum(providerFaults) }], ['what', 'count']);
  console.log('');
  printRows(rows(verdict.counts), ['what', 'count']);
  console.log('');
  for (const { kind, subject, detail } of verdict.findings) console.log(`${kind}: ${subject}: ${detail}`);
  const { opened, explained } = verdict.cases;
  console.log(
    `payout cases ${opened} (${explained} explained by faults), failpoints reached ${verdict.failpointsReached}`,
  );
  const { verify } = verdict;
  console.log(
    verify
      ? `verify: ${verify.ok ? 'nothing is wrong' : JSON.stringify(verify.codes)} (${seconds(verify.elapsedMs)})`
      : 'verify: not made',
  );
  console.log(`took ${seconds(elapsedMs)}, ${seconds(drainMs)} of it to drain`);
  if (report.logs) console.log(`data and logs: ${report.logs}`);
  const negative = report.negative ? `, without its guarantee (${report.negative})` : '';
  console.log(`${report.ok ? 'OK' : 'FINDINGS'}: profile ${report.profile}, seed ${report.seed}${negative}`);
}

const sum = (counts: Readonly<Record<string, number>>) => Object.values(counts).reduce((a, b) => a + b, 0);
const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;
