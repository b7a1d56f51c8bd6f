// The report of a day as one HTML page that asks for nothing else: figures, charts, and a table under each chart. Pure. What comes
// from records is text, and stays text: it is escaped, and no script but ours runs (Content-Security-Policy by hash).
import { createHash } from 'node:crypto';
import type { DayFigures, ReasonRow } from './day-fold.ts';
import { HOURS } from './day-fold.ts';
import type { DayReport } from './read-day.ts';

/** The library that draws, as it is shipped. */
export interface ChartLibrary {
  readonly script: string;
  readonly style: string;
}

/** Corridors that have a line of their own. */
const MAX_LINES = 8;
/** Rows of a table that are shown. */
const MAX_ROWS = 200;

type Cell = string | number | bigint | null;

export function dayPage(report: DayReport, library: ChartLibrary): string {
  const { figures } = report;
  const styles = [library.style, STYLE];
  const scripts = [library.script, SCRIPT];
  const policy = [
    "default-src 'none'",
    `style-src ${styles.map(hashOf).join(' ')}`,
    `script-src ${scripts.map(hashOf).join(' ')}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${escaped(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Corridor, ${escaped(report.day)}</title>
${styles.map((style) => `<style>${style}</style>`).join('\n')}
</head>
<body>
<header>
<h1>Transfers of ${escaped(report.day)} <small>UTC</small></h1>
<p class="state ${report.isFinal ? 'final' : 'open'}">${escaped(stateOf(report))}</p>
${tiles(figures)}
</header>
<main>
${figures.rows + figures.refused.length + figures.duplicates.length === 0 ? '<p>Nothing was recorded on this day.</p>' : sections(figures)}
</main>
<footer>${provenance(report)}</footer>
<script type="application/json" id="charts">${JSON.stringify(chartsOf(figures)).replaceAll('<', '\\u003c')}</script>
${scripts.map((script) => `<script>${script}</script>`).join('\n')}
</body>
</html>
`;
}

function stateOf({ isWhole, isFinal, completeUntil }: DayReport): string {
  if (!isWhole) return 'Not whole: the log no longer has all of this day.';
  if (isFinal) return 'Final: no row of a transfer comes to this day any more.';
  if (completeUntil === null) return 'Not final: no watermark says until when the rows are complete.';
  return `Not final: complete until ${instant(completeUntil)}.`;
}

function tiles({ hours, volume, returns, duplicates, refused, funnel }: DayFigures): string {
  const sum = (counts: readonly number[]) => counts.reduce((total, each) => total + each, 0);
  const all: readonly (readonly [string, Cell])[] = [
    ['accepted', sum(hours.accepted)],
    ['completed', sum(volume.map(({ transfers }) => transfers))],
    ['declined', sum(hours.rejected)],
    ['held', funnel.find(({ state }) => state === 'HELD')?.transfers ?? 0],
    ['returned', sum(returns.map(({ returned }) => returned))],
    ['reasons of refused intents', sum(refused.map(({ intents }) => intents))],
    ['repeated intents', sum(duplicates.map(({ repeats }) => repeats))],
  ];
  const tile = ([name, value]: readonly [string, Cell]) => `<div><dt>${name}</dt><dd>${shown(value)}</dd></div>`;
  return `<dl class="tiles">${all.map(tile).join('')}</dl>`;
}

const sections = (figures: DayFigures): string => [...courses(figures), ...totals(figures)].join('\n');

/** What has a course through the day. */
function courses(figures: DayFigures): readonly string[] {
  const { hours } = figures;
  const lines = corridorLines(figures);
  const perHour = (columns: readonly (readonly [string, readonly Cell[]])[]) =>
    table(
      ['hour', ...columns.map(([name]) => name)],
      Array.from({ length: HOURS }, (_, hour) => [clock(hour), ...columns.map(([, values]) => values[hour]!)]),
    );
  const seconds = (times: readonly (number | null)[]) =>
    times.map((ms) => (ms === null ? null : decimals(BigInt(Math.round(ms)), 3)));
  return [
    section('Through the day', 'Transfers per hour, by when the broker took the row.', {
      chart: 'flow',
      table: perHour([
        ['accepted', hours.accepted],
        ['completed', hours.completed],
        ['declined', hours.rejected],
      ]),
    }),
    section('Completed, by corridor', 'Transfers per hour.', {
      chart: 'corridors',
      table: perHour(lines.map(({ name, completed }) => [name, completed])),
    }),
    section(
      'Time to the payment',
      'Seconds from the first row to the payment, of transfers that began on the day: median and 95th percentile.',
      {
        chart: 'times',
        table: perHour([
          ['median, s', seconds(hours.p50Ms)],
          ['95th percentile, s', seconds(hours.p95Ms)],
        ]),
      },
    ),
  ];
}

/** What the day came to. */
function totals(figures: DayFigures): readonly string[] {
  return [
    section(
      'Volume and revenue',
      'Completed transfers. Revenue is fees and margin, in the source currency; currencies are never added.',
      {
        table: table(
          ['corridor', 'currency', 'transfers', 'debited', 'fees', 'margin', 'revenue'],
          figures.volume.map(({ corridorId, currency, exponent, transfers, ...sums }) => [
            ...[corridorId, currency, transfers, decimals(sums.debitMinor, exponent)],
            ...[sums.feesMinor, sums.marginMinor, sums.revenueMinor].map((minor) => decimals(minor, exponent)),
          ]),
        ),
      },
    ),
    section('States', 'How many transfers came to each state, at least once.', {
      table: barTable(
        'state',
        figures.funnel.map(({ state, transfers }) => [state, transfers]),
      ),
    }),
    section('Time in each state', 'Milliseconds, of what left the state on the day.', {
      table: table(
        ['state', 'times', 'median, ms', '95th percentile, ms'],
        figures.stays.map(({ state, times, p50Ms, p95Ms }) => [state, times, p50Ms, p95Ms]),
      ),
    }),
    section('Declined', 'Accepted transfers that were declined, by stage and reason; one may have several.', {
      table: reasons(figures.declined),
    }),
    section('Held', 'Holds, by stage and reason; one may have several.', { table: reasons(figures.holds) }),
    section('Stopped by a dead letter', 'By stage and error code.', { table: reasons(figures.stopped) }),
    section('Refused intents', 'Intents that never became a transfer, by reason; one may have several.', {
      table: table(
        ['corridor', 'producer', 'reason', 'intents'],
        figures.refused.map(({ corridorId, producerId, code, intents }) => [corridorId, producerId, code, intents]),
      ),
    }),
    section('Returned', 'Payments that came back, in the target currency.', {
      table: table(
        ['corridor', 'currency', 'returned', 'amount'],
        figures.returns.map(({ corridorId, currency, exponent, returned, returnedMinor }) => [
          ...[corridorId, currency, returned, decimals(returnedMinor, exponent)],
        ]),
      ),
    }),
    section('Repeated intents', 'Who sends the same intent again.', {
      table: table(
        ['producer', 'repeats', 'transfers'],
        figures.duplicates.map(({ producerId, repeats, transfers }) => [producerId, repeats, transfers]),
      ),
    }),
  ];
}

const reasons = (rows: readonly ReasonRow[]): string =>
  table(
    ['stage', 'reason', 'transfers'],
    rows.map(({ stage, code, transfers }) => [stage, code, transfers]),
  );

function section(
  title: string,
  says: string,
  { chart, table: rows }: { readonly chart?: string; readonly table: string },
): string {
  const drawn =
    chart === undefined
      ? ''
      : `<div class="chart" data-chart="${chart}" role="img" aria-label="${escaped(title)}: the table has the figures"></div>`;
  const shownRows = chart === undefined ? rows : `<details><summary>Figures</summary>${rows}</details>`;
  return `<section><h2>${escaped(title)}</h2><p>${escaped(says)}</p>${drawn}${shownRows}</section>`;
}

function table(heads: readonly string[], rows: readonly (readonly Cell[])[]): string {
  if (rows.length === 0) return '<p class="none">None.</p>';
  const head = heads.map((name) => `<th scope="col">${escaped(name)}</th>`).join('');
  const body = rows.slice(0, MAX_ROWS).map((cells) => `<tr>${cells.map(cell).join('')}</tr>`);
  const more = rows.length > MAX_ROWS ? `<p class="none">${rows.length - MAX_ROWS} rows more are not shown.</p>` : '';
  return `<div class="scroll"><table><thead><tr>${head}</tr></thead><tbody>${body.join('')}</tbody></table></div>${more}`;
}

/** Counts with a bar each. */
function barTable(head: string, rows: readonly (readonly [string, number])[]): string {
  const most = Math.max(1, ...rows.map(([, count]) => count));
  const bars = rows.map(
    ([name, count]) =>
      `<tr>${cell(name)}${cell(count)}<td><svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"><rect width="${((count / most) * 100).toFixed(2)}" height="8"/></svg></td></tr>`,
  );
  if (rows.length === 0) return '<p class="none">None.</p>';
  return `<div class="scroll"><table><thead><tr><th scope="col">${escaped(head)}</th><th scope="col">transfers</th><th></th></tr></thead><tbody>${bars.join('')}</tbody></table></div>`;
}

const cell = (value: Cell): string => {
  const isNumber = typeof value !== 'string' && value !== null;
  return `<td${isNumber || /^-?\d+(\.\d+)?$/.test(String(value)) ? ' class="number"' : ''}>${shown(value)}</td>`;
};

const shown = (value: Cell): string => (value === null ? '–' : escaped(String(value)));

/** Minor units as units, all digits; an unknown exponent leaves minor units. */
export function decimals(minor: bigint, exponent: number | null): string {
  if (exponent === null || exponent === 0) return String(minor);
  const digits = String(minor < 0n ? -minor : minor).padStart(exponent + 1, '0');
  const at = digits.length - exponent;
  return `${minor < 0n ? '-' : ''}${digits.slice(0, at)}.${digits.slice(at)}`;
}

interface Line {
  readonly name: string;
  readonly completed: readonly number[];
}

/** The corridors with the most, and all others together. */
function corridorLines({ corridors }: DayFigures): readonly Line[] {
  const line = (one: (typeof corridors)[number]): Line => ({
    name: one.corridorId ?? 'none',
    completed: one.completed,
  });
  if (corridors.length <= MAX_LINES) return corridors.map(line);
  const others = corridors.slice(MAX_LINES - 1);
  const completed = Array.from({ length: HOURS }, (_, hour) =>
    others.reduce((sum, each) => sum + each.completed[hour]!, 0),
  );
  return [...corridors.slice(0, MAX_LINES - 1).map(line), { name: `${others.length} others`, completed }];
}

/** What the script draws: hours since midnight, then values by line. */
function chartsOf(figures: DayFigures) {
  const { hours } = figures;
  const inSeconds = (times: readonly (number | null)[]) => times.map((ms) => (ms === null ? null : ms / 1_000));
  return {
    flow: [
      { name: 'accepted', values: hours.accepted },
      { name: 'completed', values: hours.completed },
      { name: 'declined', values: hours.rejected },
    ],
    corridors: corridorLines(figures).map(({ name, completed: values }) => ({ name, values })),
    times: [
      { name: 'median, s', values: inSeconds(hours.p50Ms) },
      { name: '95th percentile, s', values: inSeconds(hours.p95Ms) },
    ],
  };
}

function provenance({ madeAt, read, unproven, unreadable, figures }: DayReport): string {
  const versions = figures.contractVersions.length === 0 ? 'none' : figures.contractVersions.join(', ');
  const facts = [
    `Made at ${instant(madeAt)} from ${figures.rows} rows of transfers, contract version ${versions}.`,
    unproven === null
      ? 'Nobody looked whether the records are sealed, for want of the key.'
      : `${unproven} records without a seal were left out.`,
    `${unreadable} records could not be read.`,
  ];
  const ranges = read.filter(({ from, to }) => to > from);
  const offsets = table(
    ['topic', 'partition', 'from offset', 'to offset'],
    ranges.map(({ topic, partition, from, to }) => [topic, partition, from, to]),
  );
  return `<p>${escaped(facts.join(' '))}</p><details><summary>What was read</summary>${offsets}</details>`;
}

const instant = (at: number): string => new Date(at).toISOString();
const clock = (hour: number): string => `${String(hour).padStart(2, '0')}:00`;

const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const escaped = (text: string): string => text.replace(/[&<>"']/g, (each) => ENTITIES[each]!);

const STYLE = `
:root { color-scheme: light dark; --ink: #1c2430; --quiet: #5b6675; --line: #d9dee5; --paper: #fff; --good: #1a7f4b; --wait: #a15c00; --bar: #3b6fb6; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaf0; --quiet: #9aa6b5; --line: #353d48; --paper: #14181e; --good: #57c98a; --wait: #e0a44a; --bar: #6f9fe0; } }
body { margin: 0 auto; max-width: 70rem; padding: 1.5rem; font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
h1 { font-size: 1.6rem; margin: 0; } h1 small { color: var(--quiet); font-weight: 400; font-size: 1rem; }
h2 { font-size: 1.15rem; margin: 2.2rem 0 0; } section > p { color: var(--quiet); margin: .2rem 0 .6rem; }
.state { font-weight: 600; margin: .3rem 0 1rem; } .final { color: var(--good); } .open { color: var(--wait); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: .6rem; margin: 0; }
.tiles div { border: 1px solid var(--line); border-radius: .4rem; padding: .5rem .7rem; }
.tiles dt { color: var(--quiet); font-size: .85rem; } .tiles dd { margin: 0; font-size: 1.4rem; font-variant-numeric: tabular-nums; }
.chart { width: 100%; min-height: 260px; } .scroll { overflow-x: auto; }
.u-legend { font-size: .85rem; color: var(--ink); }
table { border-collapse: collapse; font-size: .92rem; } th, td { text-align: left; padding: .25rem .9rem .25rem 0; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { color: var(--quiet); font-weight: 600; } .number { text-align: right; font-variant-numeric: tabular-nums; }
.bar { width: 12rem; height: .6rem; display: block; } .bar rect { fill: var(--bar); }
.none { color: var(--quiet); } summary { cursor: pointer; color: var(--quiet); }
footer { margin-top: 2.5rem; border-top: 1px solid var(--line); color: var(--quiet); font-size: .88rem; }
`;

/** Draws each chart as wide as its place. */
const SCRIPT = `
(() => {
  const charts = JSON.parse(document.getElementById('charts').textContent);
  const colours = ['#3b6fb6', '#1a9c6b', '#c8553d', '#8a5fbf', '#b58900', '#2a9db0', '#c04a8a', '#6b7785'];
  const ink = getComputedStyle(document.documentElement).getPropertyValue('--quiet').trim();
  const line = getComputedStyle(document.documentElement).getPropertyValue('--line').trim();
  const hours = Array.from({ length: 24 }, (_, hour) => hour);
  for (const place of document.querySelectorAll('[data-chart]')) {
    const lines = charts[place.dataset.chart];
    if (lines.length === 0) continue;
    const axis = { stroke: ink, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 } };
    const series = lines.map(({ name }, at) => ({
      label: name, stroke: colours[at % colours.length], width: 2, spanGaps: false, points: { show: true, size: 5 },
    }));
    const plot = new uPlot({
      width: place.clientWidth, height: 260,
      scales: { x: { time: false, range: [0, 23] }, y: { range: (_, low, high) => [0, Math.max(1, high * 1.05)] } },
      axes: [
        { ...axis, values: (_, all) => all.map((hour) => Number.isInteger(hour) ? String(hour).padStart(2, '0') + ':00' : '') },
        { ...axis, size: 60 },
      ],
      series: [{ label: 'hour (UTC)', value: (_, hour) => hour === null ? '–' : String(hour).padStart(2, '0') + ':00' }, ...series],
    }, [hours, ...lines.map(({ values }) => values)], place);
    new ResizeObserver(() => plot.setSize({ width: place.clientWidth, height: 260 })).observe(place);
  }
  document.documentElement.dataset.drawn = 'yes';
})();
`;
