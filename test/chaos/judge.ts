// What a run proved, and what it found: the log, the provider's ledger and the stores against the ledger of what was fed.

import { mongoPayoutStore } from '../../adapters/mongo/payouts.ts';
import { positionCounts } from '../../adapters/mongo/position-counts.ts';
import { quotes } from '../../adapters/mongo/quotes.ts';
import { verifyStores } from '../../adapters/mongo/verify-stores.ts';
import { verifyWebhooks } from '../../adapters/mongo/verify-webhooks.ts';
import { providerLedger } from '../../adapters/payout-providers/ledger.ts';
import { limitsClient, ready } from '../../adapters/redis/limits-client.ts';
import { verifyLimits } from '../../adapters/redis/verify-limits.ts';
import type { Payout } from '../../payouts/payout.ts';
import { FAILPOINTS } from '../../runtime/failpoints.ts';
import { limitRules } from '../../services/configured-rules.ts';
import type { Connections } from '../../services/connections.ts';
import { loggedLaws } from '../../services/logged-laws.ts';
import { EVENTS, TRANSFERS } from '../../services/process-parts/sinks.ts';
import { type LedgerSummary, readLedger, summarise, type TransferSummary } from '../../simulator/ledger.ts';
import { contracts } from '../../topics/catalogue.ts';
import { keptQuotes } from '../../verify/checks/quotes.ts';
import type { VerifyReport } from '../../verify/report.ts';
import { verify } from '../../verify/verify.ts';
import type { ChaosBooks } from './books.ts';
import { type Doings, tellsOf, unreported } from './expected-findings.ts';

import { type Feeder, type Multiset, readIntents } from './feeder.ts';
import type { InjectedFault } from './injected.ts';

import { badBatchesIn, checkBadBatches } from './members/bad-batches.ts';
import { misexportedInLog } from './members/exported.ts';
import { checkForgeries, forgedIn, type TableSeen } from './members/forgery-check.ts';
import { misquotedInLog, type Naming } from './members/quoted.ts';
import { wrongPrices } from './members/rate-sources.ts';
import { isOfRemade, type Remade } from './members/remade-topic.ts';
import type { Forbidden } from './members/tampered-payouts.ts';
import { type Hearing, misheard, ownRows } from './members/webhooks.ts';
import type { Operator } from './operator.ts';
import type { SlotExit } from './slot.ts';
import type { Tail } from './tail.ts';

export type FindingKind =
  /** An input that nothing accounts for. */
  | 'lost'
  /** The provider executed a transfer more than once, or one that must not be paid. */
  | 'paidTwice'
  | 'paidWrongly'
  /** `corridor verify` found something wrong. */
  | 'invariantsBroken'
  /** An input that came to another end than it must, or to more than one. */
  | 'wrongEnd'
  /** A dead letter that was not fed malformed. */
  | 'deadLetter'
  /** What was forged came to something, or was not told as one dead letter of each of its readers. */
  | 'forgery'
  /** A topic that was made again did not stop who reads it, or the cure did not go as it is documented. */
  | 'remade'
  /** A batch that nobody can read is not one dead letter that names it. */
  | 'badBatch'
  /** A payout case that no injected fault explains, or too many that are explained. */
  | 'unexplainedCase'
  /** A place between two side effects where nothing was tested. */
  | 'failpointNeverHit'
  /** A process ended although no fault ended it. */
  | 'processEnded'
  /** When all was healed: a process that never got ready again, a consumer that did not get to its end, a drain cut off. */
  | 'notDrained'
  /** A producer was not told what became of its transfers, or was told something else. */
  | 'webhook'
  /** A row for analysts is not in the exported files once, or something else is there. */
  | 'exported'
  /** The API broke, a replay over HTTP came to no end, or the audit log is not whole. */
  | 'desk'
  /** The harness could not do what the schedule says. */
  | 'harness';

export interface Finding {
  readonly kind: FindingKind;
  readonly subject: string;
  readonly detail: string;
}

export interface Evidence {
  readonly connections: Connections;
  readonly providerLedger: string;
  readonly books: ChaosBooks;
  readonly feeder: Feeder;
  readonly tail: Tail;
  readonly operator: Operator;
  /** What the API should not have done, and what the audit log lacks. */
  readonly deskFailures?: readonly string[];
  /** Under which names the provider must have paid nobody. */
  readonly forbidden: Forbidden;
  /** What the endpoints of producers took. */
  readonly hearings?: readonly Hearing[];
  /** Files for analysts, and why the last export failed, if it did. */
  readonly exported?: { readonly folder: string; readonly failed?: string };
  /** Transfers that name quotes. */
  readonly quoted?: ReadonlyMap<string, Naming>;
  /** Where the topic of intents was made again before the faults began. */
  readonly remade?: Remade;
  /** Tables of the processes that ran at the end. */
  readonly tables: readonly TableSeen[];
  readonly reached: ReadonlySet<string>;
  /** Whether one that was not passed is a finding. */
  readonly allFailpoints: boolean;
  readonly exits: readonly SlotExit[];
  readonly injected: readonly InjectedFault[];
  /** Wall clock, ms, at which `fromMs` of the faults is 0. */
  readonly startedAt: number;
  /** What was still to be done when nothing moved any more. */
  readonly notDrained: readonly string[];
  /** What the harness itself could not do. */
  readonly failures: readonly string[];
  readonly say: (line: string) => void;
}

export interface Verdict {
  readonly ok: boolean;
  readonly counts: Readonly<Record<FindingKind, number>>;
  /** The first of each kind; `counts` holds all. */
  readonly findings: readonly Finding[];
  readonly cases: { readonly opened: number; readonly explained: number; readonly open: number };
  readonly provider: Readonly<Record<string, number>>;
  readonly verify: Pick<VerifyReport, 'ok' | 'checks' | 'codes' | 'totals' | 'elapsedMs'> | undefined;
  readonly failpointsReached: number;
}

const KEPT = 25;
/** Findings of verify that are looked at one by one, of each code. */
const MAX_REPORTED = 20_000;
/** At most this share of the transfers may end in a payout case, even if faults explain them. */
const MAX_CASES_SHARE = 0.01;

export class Findings {
  readonly counts: Record<FindingKind, number> = {
    lost: 0,
    paidTwice: 0,
    paidWrongly: 0,
    invariantsBroken: 0,
    wrongEnd: 0,
    deadLetter: 0,
    forgery: 0,
    remade: 0,
    badBatch: 0,
    unexplainedCase: 0,
    failpointNeverHit: 0,
    processEnded: 0,
    notDrained: 0,
    webhook: 0,
    exported: 0,
    desk: 0,
    harness: 0,
  };
  readonly kept: Finding[] = [];

  add(kind: FindingKind, subject: string, detail: string, count = 1): void {
    this.counts[kind] += count;
    if (this.kept.filter((one) => one.kind === kind).length < KEPT) this.kept.push({ kind, subject, detail });
  }
}

export async function judge(evidence: Evidence): Promise<Verdict> {
  const { connections, feeder, tail, operator, remade, reached, exits, failures, say } = evidence;
  const found = new Findings();
  for (const what of evidence.notDrained) found.add('notDrained', 'pipeline', what);
  for (const failure of failures) found.add('harness', 'schedule', failure);
  for (const failure of operator.failures) found.add('paidWrongly', 'operator', failure);
  for (const failure of evidence.deskFailures ?? []) found.add('desk', 'api', failure);
  for (const failure of remade?.failures ?? []) found.add('remade', 'intake', failure);
  if (remade) checkInputs(remade.fed, remade.inLog, found);
  checkInputs(feeder.fed, await readIntents(connections.log), found);
  const forged = await forgedIn(connections.log);
  for (const { subject, detail } of checkForgeries(forged, tail.forgedLetters, evidence.tables, operator.tampered)) {
    found.add('forgery', subject, detail);
  }
  for (const { subject, detail } of checkBadBatches(await badBatchesIn(connections.log), tail.batchLetters)) {
    found.add('badBatch', subject, detail);
  }
  const prices = [
    ...(await wrongPrices(connections)),
    ...(await misquotedInLog(connections, evidence.quoted ?? new Map())),
  ];
  for (const { subject, detail } of prices) found.add('paidWrongly', subject, detail);
  if (evidence.hearings) {
    const rows = await ownRows(connections);
    for (const { subject, detail } of misheard(rows, evidence.hearings)) found.add('webhook', subject, detail);
  }
  if (evidence.exported) {
    const { folder, failed } = evidence.exported;
    if (failed !== undefined) found.add('exported', 'analytics export', failed);
    const wrong = await misexportedInLog(connections, folder);
    for (const { subject, detail } of wrong) found.add('exported', subject, detail);
  }
  const ledger = await summarise(readLedger(evidence.providerLedger));
  const cases = await checkCases(evidence, ledger, found);
  checkEnds(evidence, cases.inCase, found);
  checkProvider(evidence, ledger, cases.inCase, found);
  await checkForbidden(evidence, found);
  checkDeadLetters(evidence, found);
  const missed = evidence.allFailpoints ? FAILPOINTS.filter((name) => !reached.has(name)) : [];
  for (const name of missed) {
    found.add('failpointNeverHit', name, 'no process ever passed it: nothing is known about it');
  }
  for (const exit of exits) {
    for (const line of exit.stood) {
      if (remade && isOfRemade(line, remade)) continue;
      found.add('processEnded', exit.slot, `a part of life ${exit.life} stood: ${line}`);
    }
    if (exit.meant || isMissingDependency(exit, evidence)) continue;
    const how = exit.signal ?? `code ${exit.code}`;
    found.add('processEnded', exit.slot, `life ${exit.life} ended by itself (${how}): ${exit.reason}`);
  }
  say('Verifying the log, the stores and the provider against each other');
  const doings = { forged, forgedLetters: tail.forgedLetters, tampered: operator.tampered };
  const report = await verified(evidence, doings, found);
  const counts = found.counts;
  return {
    ok: Object.values(counts).every((count) => count === 0),
    counts,
    findings: found.kept,
    cases: { opened: cases.opened, explained: cases.explained, open: cases.inCase.size },
    provider: Object.fromEntries(ledger.counts),
    verify: report && {
      ok: report.ok,
      checks: report.checks,
      codes: report.codes,
      totals: report.totals,
      elapsedMs: report.elapsedMs,
    },
    failpointsReached: FAILPOINTS.filter((name) => reached.has(name)).length,
  };
}

/** After a fault a server may take so long to be itself again, ms. */
const AFTERMATH_MS = 30_000;

/** A process that cannot begin because a fault holds a dependency ends, says which, and is started again. */
export function isMissingDependency(exit: SlotExit, { injected }: Pick<Evidence, 'injected'>): boolean {
  if (exit.ready || exit.code !== 1 || !/\([A-Z_]*UNAVAILABLE\)/.test(exit.reason)) return false;
  return injected.some(({ kind, fromMs, toMs }) => {
    const holds = kind === 'server-kill' || kind === 'network';
    return holds && fromMs <= exit.atMs && exit.atMs <= toMs + AFTERMATH_MS;
  });
}

/** The log holds exactly what the ledger of the feed says. */
function checkInputs(fed: Multiset, inLog: Multiset, found: Findings): void {
  for (const [id, count] of fed) {
    const there = inLog.get(id) ?? 0;
    if (there < count)
      found.add('lost', id.split(' ')[0]!, `fed ${count} times and acknowledged; the log holds ${there}`);
    if (there > count) found.add('harness', id.split(' ')[0]!, `fed ${count} times; the log holds ${there}`);
  }
  for (const id of inLog.keys()) if (!fed.has(id)) found.add('harness', id, 'stands in the log and was never fed');
}

async function checkCases(
  { connections, injected, startedAt, books, feeder }: Evidence,
  ledger: LedgerSummary,
  found: Findings,
): Promise<{ readonly inCase: ReadonlySet<string>; readonly opened: number; readonly explained: number }> {
  const withCases = await payoutsWithCases(connections);
  const inCase = new Set<string>();
  const wrongTimeSince = (at: number) =>
    injected.some(({ kind, fromMs }) => kind === 'provider-clock' && startedAt + fromMs <= at);
  let explained = 0;
  let opened = 0;
  for (const { payoutId, cases } of withCases) {
    if (books.endOf(payoutId) === undefined) continue;
    for (const { code, openedAt, closedAt } of cases) {
      opened++;
      // A clock in doubt is told, and holds nobody back.
      if (closedAt === null && code !== 'PROVIDER_CLOCK') inCase.add(payoutId);
      const faults = ledger.byTransfer.get(payoutId)?.faults ?? [];
      const around = injected.filter(
        ({ fromMs, toMs }) => startedAt + fromMs <= openedAt && openedAt <= startedAt + toMs + 60_000,
      );
      const why = faults[0]
        ? `provider ${faults[0].kind} ${faults[0].id}`
        : around[0] && `${around[0].id} ${around[0].what}`;
      const summary = ledger.byTransfer.get(payoutId);
      const isExplained =
        (code === 'NO_PROOF' && why !== undefined) ||
        (code === 'PROVIDER_CLOCK' && wrongTimeSince(openedAt)) ||
        (code === 'ATTEMPTS_DIED' && summary !== undefined && diedOfFaults(summary));
      if (isExplained) explained++;
      else
        found.add(
          'unexplainedCase',
          payoutId,
          `${code} at ${new Date(openedAt).toISOString()}; no injected fault explains it`,
        );
    }
  }
  const most = MAX_CASES_SHARE * (feeder.counts['transfers'] ?? 0);
  if (opened > most) found.add('unexplainedCase', 'all', `${opened} payout cases are more than 1 % of the transfers`);
  return { inCase, opened, explained };
}

/** Nothing of it was paid, and the provider was made to fail more than once for it: what is left to ask is a person. */
export const diedOfFaults = ({ faults, executions }: Pick<TransferSummary, 'faults' | 'executions'>): boolean =>
  executions === 0 && faults.length > 1;

async function payoutsWithCases(connections: Connections): Promise<readonly Payout[]> {
  const db = await connections.db();
  const ids = await db
    .collection<{ _id: string }>('payouts')
    .find({ 'cases.0': { $exists: true } }, { projection: { _id: 1 } })
    .toArray();
  return mongoPayoutStore(db).load(ids.map(({ _id }) => _id));
}

function checkEnds({ books }: Evidence, inCase: ReadonlySet<string>, found: Findings): void {
  const { mismatches, unaccounted } = books.balance();
  for (const { account, kinds, expected, actual, state } of mismatches) {
    if (inCase.has(account)) continue;
    const said = `${kinds.join(', ')}: expected ${JSON.stringify(expected)}, is ${JSON.stringify(actual)}, last state ${state ?? 'none'}`;
    const sum = (ends: Partial<Record<string, number>>) =>
      Object.values(ends).reduce<number>((a, b) => a + (b ?? 0), 0);
    const missing = sum(expected) - sum(actual);
    if (missing > 0) found.add('lost', account, said, missing);
    else found.add('wrongEnd', account, said);
  }
  // The books name only the first of them.
  const unnamed = unaccounted - inCase.size - found.counts.lost;
  if (unnamed > 0) found.add('lost', 'more', `${unnamed} inputs more are not accounted for`, unnamed);
}

/** The provider's own ledger, its protection against duplicates off, against what was fed. */
function checkProvider({ books }: Evidence, ledger: LedgerSummary, inCase: ReadonlySet<string>, found: Findings): void {
  for (const id of ledger.executedTwice) {
    const { executionsByKey, submitsByKey } = ledger.byTransfer.get(id)!;
    const keys = JSON.stringify({
      executions: Object.fromEntries(executionsByKey),
      submits: Object.fromEntries(submitsByKey),
    });
    found.add('paidTwice', id, `the provider executed it more than once: ${keys}`);
  }
  for (const key of ledger.keysSubmittedTwice) found.add('paidTwice', key, 'this key was submitted twice');
  for (const [id, { executions }] of ledger.byTransfer) {
    const end = books.endOf(id);
    const mayBePaid = end === 'COMPLETED' || end === 'RETURNED';
    if (executions > 0 && !mayBePaid)
      found.add('paidWrongly', id, `the provider executed it, and its end is to be ${end}`);
  }
  for (const [id, end] of books.paidEnds()) {
    if (inCase.has(id) || (ledger.byTransfer.get(id)?.executions ?? 0) > 0) continue;
    found.add('lost', id, `its end is to be ${end}, and the provider never executed it`);
  }
}

/** Whoever is named by what was tampered with got nothing. */
async function checkForbidden({ providerLedger: file, forbidden }: Evidence, found: Findings): Promise<void> {
  for await (const record of readLedger(file)) {
    const digest = record.kind === 'submit' ? record.run?.beneficiaryDigest : undefined;
    if (digest !== undefined && forbidden.has(digest)) {
      found.add(
        'paidWrongly',
        forbidden.get(digest)!,
        'the provider was asked to pay whom somebody wrote into the database',
      );
    }
  }
}

function checkDeadLetters({ tail, feeder, operator }: Evidence, found: Findings): void {
  for (const { topic, key, code, detail } of tail.deadLetters) {
    // The sink ran again, and found another hash in the case than the one that it had written.
    if (topic === 'sink-cases.dlq' && code === 'ID_CONFLICT' && operator.tampered.has(key)) continue;
    found.add('deadLetter', `${topic} ${key}`, `${code}: ${detail}`);
  }
  const more = tail.deadLettersElsewhere - tail.deadLetters.length;
  if (more > 0) found.add('deadLetter', 'more', `${more} dead letters more`, more);
  const fed = feeder.counts['undecodable'] ?? 0;
  if (tail.undecodable !== fed) {
    found.add(
      'deadLetter',
      'intake.dlq',
      `${fed} undecodable records were fed, and ${tail.undecodable} dead letters are there`,
    );
  }
}

async function verified(
  { connections, providerLedger: file }: Evidence,
  doings: Doings,
  found: Findings,
): Promise<VerifyReport | undefined> {
  const { log, codec, config } = connections;
  const redis = limitsClient({ url: config.redis.limitsUrl });
  try {
    await codec.load(Object.values(contracts).map(({ name }) => name));
    await ready(redis);
    const report = await verify(
      {
        log,
        codec,
        app: config.appName,
        limitRules: limitRules(config),
        rings: config.keys,
        keys: config.keys,
        stores: verifyStores({ db: await connections.db(), events: EVENTS, transfers: TRANSFERS }),
        webhooks: verifyWebhooks(await connections.db(), config.webhooks.keys),
        positionCount: positionCounts(await connections.db()).find,
        quotes: keptQuotes(quotes(await connections.db()), config.keys.stages!),
        limits: verifyLimits(redis),
        laws: await loggedLaws(connections),
        provider: providerLedger(file),
      },
      {
        findingsPerCode: MAX_REPORTED,
        settleMs: config.kafka.transactionTimeoutMs,
        waitQuiet: { forMs: 5_000, timeoutMs: 120_000 },
      },
    );
    const errors = report.findings.filter(({ severity }) => severity === 'error');
    const isOurs = tellsOf(doings);
    for (const finding of errors) {
      if (isOurs(finding)) continue;
      const { check, code, transferId, position, detail } = finding;
      found.add('invariantsBroken', transferId ?? position ?? check, `${check} ${code}: ${detail}`);
    }
    const all = report.checks.reduce((sum, check) => sum + check.errors, 0);
    if (all > errors.length) found.add('invariantsBroken', 'more', 'more of the same', all - errors.length);
    for (const what of unreported(doings, errors)) found.add('forgery', 'verify', `it does not tell of ${what}`);
    return report;
  } catch (error) {
    found.add('harness', 'verify', `verification could not be made: ${String(error)}`);
    return undefined;
  } finally {
    redis.disconnect();
  }
}
