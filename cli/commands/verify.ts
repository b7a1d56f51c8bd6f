// `corridor verify`: proves from the log and the provider's ledger that no money was lost or paid twice.
import { SingleBar } from 'cli-progress';
import type { Command } from 'commander';
import { approvedDecisions, approvedSkips } from '../../adapters/mongo/approvals.ts';
import { positionCounts } from '../../adapters/mongo/position-counts.ts';
import { quotes } from '../../adapters/mongo/quotes.ts';
import { sealedDocuments } from '../../adapters/mongo/sealed-documents.ts';
import { verifyStores } from '../../adapters/mongo/verify-stores.ts';
import { verifyWebhooks } from '../../adapters/mongo/verify-webhooks.ts';
import { providerLedger } from '../../adapters/payout-providers/ledger.ts';
import { limitsClient, ready } from '../../adapters/redis/limits-client.ts';
import { limitsNamespace } from '../../adapters/redis/limits-generation.ts';
import { verifyLimits } from '../../adapters/redis/verify-limits.ts';
import { currencyOf } from '../../domain/money/currencies.ts';
import { requireRings, ringOf } from '../../ports/seals.ts';
import { createTable } from '../../runtime/hosts/table.ts';
import { limitRules } from '../../services/configured-rules.ts';
import type { Connections } from '../../services/connections.ts';
import { knownTerms } from '../../services/known-terms.ts';
import { loggedLaws } from '../../services/logged-laws.ts';
import { EVENTS, TRANSFERS } from '../../services/process-parts/sinks.ts';
import { contracts } from '../../topics/catalogue.ts';
import { keptQuotes } from '../../verify/checks/quotes.ts';
import type { SealedDocuments, VerifySources } from '../../verify/ports.ts';
import type { Finding, VerifyReport } from '../../verify/report.ts';
import { CHAIN_TOPICS } from '../../verify/topics.ts';
import { type VerifyOptions, type VerifyProgress, verify } from '../../verify/verify.ts';
import { withConnections } from '../connections.ts';
import { count, formatMinor, print, printRows, toJson, withJson } from '../output.ts';

interface Options {
  readonly providerLedger?: string | false;
  readonly stores: boolean;
  readonly limits: boolean;
  readonly from?: string;
  readonly checkpoint?: string;
  readonly waitQuiet?: number | true;
  readonly findings: number;
  readonly maxTransfers: number;
  readonly json?: boolean;
}

const DEFAULT_QUIET_SECONDS = 5;
const QUIET_TIMEOUT_MS = 600_000;

export function registerVerify(program: Command): void {
  withJson(program.command('verify'))
    .description('prove from the log and the provider’s ledger that no money was lost or paid twice; exits 1 if not')
    .option('--provider-ledger <file or url>', 'the provider’s own ledger; default: CORRIDOR_PROVIDER_URL')
    .option('--no-provider-ledger', 'say nothing about what was really paid')
    .option('--no-stores', 'do not compare what MongoDB holds')
    .option('--no-limits', 'do not compare what Redis holds')
    .option('--wait-quiet [seconds]', `begin when nothing was written for this long (${DEFAULT_QUIET_SECONDS})`, count)
    .option('--from <file>', 'go on from this checkpoint')
    .option('--checkpoint <file>', 'write a checkpoint here, if nothing is wrong')
    .option('--findings <n>', 'how many findings of each kind to name; all are counted', count, 20)
    .option('--max-transfers <n>', 'transfers held in memory at a time, about 3 kB each', count, 100_000)
    .addHelpText(
      'after',
      `
Examples:
  corridor verify
  corridor verify --wait-quiet 10 --json > report.json
  corridor verify --provider-ledger executions.ndjson --checkpoint today.ndjson --from yesterday.ndjson

What each check proves, and what each code means: docs/verify.md`,
    )
    .action((options: Options) =>
      withConnections(async (connections) => {
        const bar = progressBar();
        const { sources, close } = await sourcesOf(connections, options);
        try {
          const report = await verify(sources, optionsOf(connections, options, bar.show));
          bar.stop();
          if (options.json) console.log(toJson(report));
          else printReport(report);
          if (!report.ok) process.exitCode = 1;
        } finally {
          bar.stop();
          close();
        }
      }),
    );
}

async function sourcesOf(
  connections: Connections,
  options: Options,
): Promise<{ readonly sources: VerifySources; readonly close: () => void }> {
  const { log, codec, config } = connections;
  const names = Object.values(contracts).map(({ name }) => name);
  requireRings(config.keys, CHAIN_TOPICS);
  await codec.load(names);
  const redis = options.limits ? limitsClient({ url: config.redis.limitsUrl }) : undefined;
  if (redis) await ready(redis);
  const ledger = options.providerLedger === false ? undefined : (options.providerLedger ?? config.provider.url);
  const sources: VerifySources = {
    log,
    codec,
    app: config.appName,
    limitRules: limitRules(config),
    terms: await knownTerms(connections),
    laws: await loggedLaws(connections),
    rings: config.keys,
    keys: config.keys,
    ...(options.stores
      ? {
          stores: verifyStores({ db: await connections.db(), events: EVENTS, transfers: TRANSFERS }),
          sealed: await sealedIn(connections),
          quotes: keptQuotes(quotes(await connections.db()), ringOf(config.keys, 'stages')),
          positionCount: positionCounts(await connections.db()).find,
          webhooks: verifyWebhooks(await connections.db(), config.webhooks.keys),
          approvedSkips: approvedSkips(await connections.db(), config.keys.operators),
          approvedDecisions: approvedDecisions(await connections.db(), config.keys.operators),
        }
      : {}),
    ...(redis ? { limits: verifyLimits(redis, limitsNamespace(config.appName)) } : {}),
    ...(ledger === undefined ? {} : { provider: providerLedger(ledger) }),
  };
  return { sources, close: () => redis?.disconnect() };
}

/** What people decided, compared with what the log says. */
async function sealedIn(connections: Connections): Promise<SealedDocuments> {
  const { log, codec, config } = connections;
  const activations = createTable({ topic: 'screening.list-activated', log, codec, rings: config.keys });
  const revocations = createTable({ topic: 'screening.exception-revoked', log, codec, rings: config.keys });
  const tables = [activations, revocations];
  try {
    await Promise.all(tables.map((table) => table.start()));
    const inLog = {
      activations: new Map([...activations.entries()].map(([source, { list }]) => [source, list])),
      revoked: new Set([...revocations.entries()].map(([id]) => id)),
    };
    return sealedDocuments({ db: await connections.db(), operators: config.keys.operators, inLog });
  } finally {
    await Promise.all(tables.map((table) => table.stop()));
  }
}

function optionsOf(
  { config }: Connections,
  options: Options,
  onProgress: (progress: VerifyProgress) => void,
): VerifyOptions {
  const { from, checkpoint, waitQuiet, findings, maxTransfers } = options;
  const forMs = (waitQuiet === true ? DEFAULT_QUIET_SECONDS : (waitQuiet ?? 0)) * 1_000;
  return {
    findingsPerCode: findings,
    maxTransfersHeld: maxTransfers,
    settleMs: config.kafka.transactionTimeoutMs,
    onProgress,
    ...(from === undefined ? {} : { from }),
    ...(checkpoint === undefined ? {} : { checkpoint }),
    ...(waitQuiet === undefined ? {} : { waitQuiet: { forMs, timeoutMs: QUIET_TIMEOUT_MS } }),
  };
}

/** A bar on standard error: what is being read, and how much of it. */
function progressBar() {
  const format = 'verifying {phase} [{bar}] {value}/{total} records';
  const bar = new SingleBar({
    stream: process.stderr,
    clearOnComplete: true,
    noTTYOutput: true,
    notTTYSchedule: 5_000,
    format,
  });
  let started = false;
  return {
    show: ({ phase, records, of }: VerifyProgress) => {
      if (started) bar.setTotal(of);
      else bar.start(of, records, { phase });
      started = true;
      bar.update(records, { phase });
    },
    stop: () => started && bar.stop(),
  };
}

function printReport(report: VerifyReport): void {
  const { totals, cut, findings } = report;
  printRows(report.checks.map(resultRow), ['check', 'result', 'errors', 'warnings']);
  print('');
  printRows(moneyRows(report), ['currency', 'debited', 'fees', 'taxes', 'credited', 'executed', 'returned', 'open']);
  print('');
  const { inputsBy } = totals;
  const parts = (counts: Readonly<Record<string, number>>) =>
    Object.entries(counts)
      .filter(([, number]) => number > 0)
      .map(([name, number]) => `${number} ${name}`)
      .join(', ') || 'none';
  print(`inputs     ${totals.inputs}: ${parts(inputsBy)}`);
  print(`transfers  ${totals.transfers}: ${parts(totals.byState)}`);
  print(`in flight  ${totals.inFlight}`);
  print(`provider   ${totals.provider.executions} executions, ${totals.provider.returns} returns`);
  const read = Object.values(totals.records).reduce((sum, number) => sum + number, 0);
  const seconds = (report.elapsedMs / 1_000).toFixed(1);
  const memory = Math.round(report.peakRssBytes / 2 ** 20);
  print(`read       ${read} records up to ${new Date(cut.takenAt).toISOString()} in ${seconds} s, ${memory} MiB`);
  if (findings.length > 0) {
    print('');
    printRows(findings.map(findingRow), ['severity', 'code', 'transfer', 'position', 'detail']);
  }
  print('');
  print(report.ok ? 'verified: nothing is wrong' : `NOT VERIFIED: ${summary(report.codes)}`);
}

function resultRow({ check, errors, warnings, skipped }: VerifyReport['checks'][number]) {
  if (skipped !== undefined) return { check, result: `skipped: ${skipped}`, errors, warnings };
  return { check, result: errors > 0 ? 'WRONG' : 'ok', errors, warnings };
}

function moneyRows({ totals }: VerifyReport) {
  return Object.entries(totals.currencies).map(([currency, amounts]) => {
    const exponent = currencyOf(currency)?.exponent ?? 0;
    const show = (minor: bigint) => formatMinor(minor, exponent, currency);
    const { debited, fees, taxes, credited, executed, returned, open } = amounts;
    return {
      currency,
      debited: show(debited),
      fees: show(fees),
      taxes: show(taxes),
      credited: show(credited),
      executed: show(executed),
      returned: show(returned),
      open: show(open),
    };
  });
}

const findingRow = ({ severity, code, transferId, position, detail }: Finding) => ({
  severity,
  code,
  transfer: transferId ?? '-',
  position: position ?? '-',
  detail,
});

const summary = (codes: VerifyReport['codes']) =>
  Object.entries(codes)
    .map(([code, number]) => `${number} ${code}`)
    .join(', ');
