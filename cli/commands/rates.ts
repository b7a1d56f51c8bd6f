// `corridor rates`: what corridors go by, and rates that jumped.
import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { userInfo } from 'node:os';
import type { Command } from 'commander';
import type { Corridor } from '../../domain/corridors/corridors.ts';
import { pairName } from '../../domain/pricing/jumps.ts';
import { personWithKeys } from '../../operations/access/principal.ts';
import { checkSource, ratesOfEcb } from '../../operations/rates/import.ts';
import { askToAcceptJump } from '../../operations/rates/jumps.ts';
import { ageInWords, sourcesOf, waitsFor } from '../../operations/rates/standing.ts';
import { CodedError } from '../../ports/fault.ts';
import { ringOf } from '../../ports/seals.ts';
import type { Route } from '../../processors/fx-pricing/routes.ts';
import type { AcceptedRate, FxRate } from '../../schemas/types.generated.ts';
import { openApprovals } from '../../services/approvals.ts';
import { corridorBookOf } from '../../services/configured-rules.ts';
import type { Connections } from '../../services/connections.ts';
import { publishRates, rateLog, ratePublisher, ratesNow } from '../../services/rates.ts';
import { withConnections } from '../connections.ts';
import { print, printRows, withJson } from '../output.ts';
import { publishLines } from '../rate-lines.ts';
import { FROM_HELP, lastNamed } from '../shapes/rates.ts';
import { registerRatesWatch } from './rates-watch.ts';

type Format = 'ecb' | 'ndjson';

interface ImportOptions {
  readonly format: string;
  readonly source?: string;
}

function formatNamed(text: string): Format {
  if (text === 'ecb' || text === 'ndjson') return text;
  throw new CodedError('OPTION_INVALID', '--format is ecb or ndjson');
}

const IMPORT_HELP = `
What is not newer than what the log has of that source is left out, so the same file again writes nothing. A file of the ECB is
taken whole or not at all; of lines, one that is wrong is named, the others are taken, and the exit code is 1.

A line: {"base":"GBP","quote":"INR","rate":"125.2579","observedAt":"2026-10-30T15:00:00Z"}. The rate is text.

Examples:
  curl -sf https://www.ecb.europa.eu/stats/eurofxref/eurofxref.zip | corridor rates import --format ecb
  my-bank-feed | corridor rates import --format ndjson --source bank`;

interface AcceptOptions {
  readonly rate: string;
  readonly from?: string;
  readonly reason: string;
  readonly by: string;
}

export function registerRates(program: Command): void {
  const rates = program.command('rates').description('rates that corridors go by, and those that jumped');

  withJson(rates.command('show'))
    .description(
      'what each corridor would price by now, what each source says and how old it is, and what is waited for',
    )
    .addHelpText('after', '\nIt needs the keys of feeds and stages.\n\nExample:\n  corridor rates show')
    .action(({ json }: { json?: boolean }) =>
      withConnections(async (connections) => {
        const { routes, accepted, rates: known } = await ratesNow(connections);
        const rows = routes.flatMap((each) => rowsOf(each, accepted, known, Date.now()));
        const columns = ['corridor', 'state', 'pair', 'rate', 'source', 'observed', 'agreed', 'before'] as const;
        printRows(rows, json ? columns : [...columns, 'sources', 'waits'], json === true);
      }),
    );

  rates
    .command('import')
    .argument('[file]', 'a file; without one, standard input')
    .description('write rates into the log: a file of the ECB, or lines of JSON')
    .requiredOption('--format <format>', 'ecb (CSV, zip or XML, its latest day) or ndjson (one rate a line)')
    .option('--source <name>', 'under which name; a key of CORRIDOR_FEED_KEYS must speak for it. Default: ecb')
    .addHelpText('after', IMPORT_HELP)
    .action((file: string | undefined, { format, source = 'ecb' }: ImportOptions) =>
      withConnections((connections) => importRates(connections, file, formatNamed(format), source)),
    );

  registerRatesWatch(rates);

  rates
    .command('accept')
    .argument('<corridor>', 'such as GB-IN')
    .argument('<pair>', 'such as GBP/INR: as the rate is quoted')
    .description('ask to accept that a rate has jumped; another person lets it through')
    .requiredOption('--rate <decimal>', 'the rate that it jumped to, as `corridor rates show` has it')
    .option('--from <rate@version>', FROM_HELP)
    .requiredOption('--reason <text>', 'why it is right; stands in the log for ever, so no personal data')
    .option('--by <operator>', 'who asks', userInfo().username)
    .addHelpText(
      'after',
      `
Transfers of the pair go on while its rate is about this one, for an hour at most. Look elsewhere first: did the market move?

Example:
  corridor rates accept GB-IN GBP/INR --rate 131.2 --reason "central bank's decision of 10:00, seen at two banks"`,
    )
    .action((corridor: string, pair: string, { rate, from, reason, by }: AcceptOptions) =>
      withConnections(async (connections) => {
        const { store } = await openApprovals(connections);
        const corridors = corridorBookOf(connections.config);
        const stores = { log: rateLog(connections), approvals: store, corridors };
        const asked = {
          id: randomUUID(),
          corridor,
          pair,
          rate,
          from: lastNamed(from),
          by: personWithKeys(by),
          reason,
          at: new Date(),
        };
        const approval = await askToAcceptJump(stores, asked, ringOf(connections.config.keys, 'operators'));
        print(`${approval.summary}. Another person lets it through until ${approval.expiresAt.toISOString()}:`);
        print(`  corridor approvals approve ${approval._id} --reason "…"`);
      }),
    );
}

const MAX_FILE_BYTES = 16 * 1024 * 1024;

async function importRates(
  connections: Connections,
  file: string | undefined,
  format: Format,
  source: string,
): Promise<void> {
  checkSource(source);
  const input = file === undefined ? process.stdin : createReadStream(file);
  if (format === 'ecb') {
    const { rates, rawHash } = ratesOfEcb(await bytesOf(input), { source, now: Date.now() });
    const written = await publishRates(connections, source, rates);
    const [first] = rates;
    const observed = first ? new Date(first.observedAt).toISOString() : 'nothing';
    print(`${written.length} of ${rates.length} rates written, of ${observed}, from a file with SHA-256 ${rawHash}`);
    return;
  }
  const publisher = await ratePublisher(connections, [source]);
  const { read, wrong, written } = await publishLines(input, source, publisher).finally(() => publisher.close());
  print(`${written} of ${read} rates written, ${wrong} wrong`);
  if (wrong > 0) process.exitCode = 1;
}

async function bytesOf(input: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of input) {
    size += part.length;
    if (size > MAX_FILE_BYTES) throw new CodedError('RATE_FILE_WRONG', 'it is larger than any file of rates');
    parts.push(part);
  }
  return Buffer.concat(parts);
}

interface Row {
  readonly corridor: string;
  readonly state: string;
  readonly pair?: string;
  readonly rate?: string;
  readonly source?: string;
  readonly observed?: Date;
  readonly agreed?: string | null;
  readonly before?: string | null;
  /** What each source says of the pair. */
  readonly sources: readonly string[];
  readonly waits: string | null;
}

function rowsOf(
  { corridor, route }: { readonly corridor: Corridor; readonly route: Route },
  accepted: ReadonlyMap<string, AcceptedRate>,
  rates: readonly FxRate[],
  now: number,
): readonly Row[] {
  const { id, source, target } = corridor;
  const common = { corridor: id, waits: waitsFor(route, corridor) ?? null };
  const said = (pair: string) =>
    sourcesOf(pair, corridor, rates, now).map(
      (each) => `${each.source} ${each.pair} ${each.rate} ${ageInWords(each.ageMs)} ${each.state}`,
    );
  if (route.kind === 'none') {
    const pair = `${source.currency}/${target.currency}`;
    return [{ ...common, state: 'MISSING', pair, sources: said(pair) }];
  }
  const state = route.kind === 'fresh' ? 'OK' : route.kind.toUpperCase();
  const legs = route.kind === 'fresh' ? route.legs : route.kind === 'jumped' ? [route.leg] : [];
  if (legs.length === 0) {
    const pair = 'pair' in route ? route.pair : `${source.currency}/${target.currency}`;
    return [{ ...common, state, pair, sources: said(pair) }];
  }
  return legs.map((leg) => {
    const before = accepted.get(`${id}/${pairName(leg)}`);
    const pair = `${leg.base}/${leg.quote}`;
    return {
      ...{ ...common, state, pair, rate: leg.rate, source: leg.source },
      observed: new Date(leg.observedAt),
      agreed: leg.agreement?.sources.join(', ') ?? null,
      before: before ? `${before.base}/${before.quote} ${before.rate} (version ${before.version})` : null,
      sources: said(pair),
    };
  });
}
