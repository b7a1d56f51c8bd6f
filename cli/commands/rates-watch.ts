// `corridor rates watch`: sources of rates, asked at their own pace, and lines from a pipe as they come.
import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { rateSourceClient } from '../../adapters/http/rate-source.ts';
import { checkSource } from '../../operations/rates/import.ts';
import { type RateSource, rateSourcesOf } from '../../operations/rates/sources.ts';
import { type Look, type WatchPorts, watchOnce, watchSources } from '../../operations/rates/watch.ts';
import { systemClock } from '../../ports/clock.ts';
import { CodedError } from '../../ports/fault.ts';
import type { Connections } from '../../services/connections.ts';
import { type RatePublisher, ratePublisher } from '../../services/rates.ts';
import { withConnections } from '../connections.ts';
import { print, printError, toJsonLine } from '../output.ts';
import { publishLines } from '../rate-lines.ts';

interface Options {
  readonly once?: boolean;
  readonly stdin?: string;
  readonly json?: boolean;
}

const HELP = `
The file names each source, where it is asked, how often, and where in its answer pair, rate and time stand:

  { "sources": [
    { "kind": "ecb", "source": "ecb", "everyMs": 900000,
      "url": "https://www.ecb.europa.eu/stats/eurofxref/eurofxref-daily.xml" },
    { "kind": "json", "source": "bank", "everyMs": 5000, "url": "https://rates.bank.example/v1/latest",
      "headers": { "x-api-key": { "env": "BANK_RATES_KEY" } },
      "pairs": ["GBP/INR"],
      "mapping": { "items": "/quotes",
                   "pair": { "symbol": { "at": "/symbol" }, "separator": "/" },
                   "rate": "/mid",
                   "observedAt": { "at": "/time", "as": "iso" } } } ] }

A source that fails is asked again, sooner at first and then ever less often; the others go on. Docs: docs/corridors.md

Examples:
  corridor rates watch sources.json
  corridor rates watch sources.json --once
  my-bank-feed | corridor rates watch --stdin bank`;

export function registerRatesWatch(rates: Command): void {
  rates
    .command('watch')
    .argument('[file]', 'the sources that are asked')
    .description('write rates into the log as their sources tell them, until it is stopped')
    .option('--once', 'ask each source once; exits 1 when one fails')
    .option('--stdin <source>', 'lines of JSON from standard input too, under this name')
    .option('--json', 'one line of JSON for each look')
    .addHelpText('after', HELP)
    .action((file: string | undefined, options: Options) =>
      withConnections((connections) => watch(connections, file, options)),
    );
}

async function watch(connections: Connections, file: string | undefined, options: Options): Promise<void> {
  const { stdin, once, json } = options;
  if (file === undefined && stdin === undefined)
    throw new CodedError('OPTION_INVALID', 'name a file of sources, or --stdin SOURCE');
  if (once && stdin !== undefined)
    throw new CodedError('OPTION_INVALID', '--once asks sources; it does not go with a pipe');
  if (stdin !== undefined) checkSource(stdin);
  const sources = file === undefined ? [] : rateSourcesOf(await readFile(file));
  const takesHttp = connections.config.environment !== 'production';
  const client = rateSourceClient(sources, { takesHttp, env: process.env });
  const names = [...sources.map(({ source }) => source), ...(stdin === undefined ? [] : [stdin])];
  const publisher = await ratePublisher(connections, [...new Set(names)]);
  const stopping = new AbortController();
  const stop = () => {
    stopping.abort();
    process.stdin.destroy();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);
  const ports: WatchPorts = {
    ...{ ask: client.ask, publish: publisher.publish, now: Date.now, random: Math.random },
    sleep: (ms, signal) => systemClock.sleep(ms, signal),
    report: (look) => report(look, json === true),
  };
  try {
    if (once) {
      if (!(await watchOnce(sources, ports))) process.exitCode = 1;
      return;
    }
    await Promise.all([
      watchSources(sources, ports, stopping.signal),
      takeLines(stdin, publisher, sources, stopping.signal),
    ]);
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.removeListener(signal, stop);
    await client.close();
    await publisher.close();
  }
}

/** Until standard input ends. Where nothing else is watched, that is the end. */
async function takeLines(
  source: string | undefined,
  publisher: RatePublisher,
  others: readonly RateSource[],
  signal: AbortSignal,
): Promise<void> {
  if (source === undefined) return;
  const taken = await publishLines(process.stdin, source, publisher).catch((error: unknown) => {
    // Closed by us.
    if (signal.aborted) return undefined;
    throw error;
  });
  if (taken === undefined) return;
  const { read, wrong, written } = taken;
  print(`${written} of ${read} rates of ${source} written, ${wrong} wrong: standard input has ended`);
  if (wrong > 0 && others.length === 0) process.exitCode = 1;
}

function report(look: Look, asJson: boolean): void {
  if (asJson) {
    print(toJsonLine(look));
    return;
  }
  const next = `again in ${Math.ceil(look.nextMs / 1_000)} s`;
  switch (look.kind) {
    case 'unchanged':
      print(`${look.source}: unchanged, ${next}`);
      return;
    case 'read':
      print(
        `${look.source}: ${look.written} of ${look.of} written, of ${new Date(look.observedAt).toISOString()}, SHA-256 ${look.rawHash}, ${next}`,
      );
      return;
    case 'failed':
      printError(
        `${look.source}: ${look.detail} (${look.code}), failed ${look.failures} times in a row${look.isOpen ? ', left alone for longer' : ''}, ${next}`,
      );
  }
}
