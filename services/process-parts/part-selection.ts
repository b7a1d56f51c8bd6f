// Which parts of the pipeline a process runs, by name.

import { CodedError } from '../../ports/fault.ts';
import { type Rings, ringOf } from '../../ports/seals.ts';
import type { Edges } from '../../processors/contract.ts';
import { ANALYTICS, analyticsConsumers, consumers, topology } from '../../processors/topology.ts';
import { transferLifecycle } from '../../topics/boundary.ts';
import { contractOf } from '../../topics/catalogue.ts';
import type { Issuer } from '../../topics/contract.ts';

export const PROCESSOR_NAMES = Object.keys(topology) as (keyof typeof topology)[];
export const SINK_NAMES = ['events', 'transfer-view', 'cases', 'dead-letters', 'webhooks'] as const;
export type SinkName = (typeof SINK_NAMES)[number];
export type ProcessorName = keyof typeof topology;

/** The parts of one process. */
export interface ProcessParts {
  readonly processors: readonly ProcessorName[];
  readonly sinks: readonly SinkName[];
  /** The payout executor, with its outbox relay. */
  readonly payouts: boolean;
  /** Relays decisions of cases, and rejects lapsed ones. */
  readonly cases: boolean;
  /** Screens known customers again when another list version is in force. */
  readonly rescreening: boolean;
  /** Runs replays of dead letters. */
  readonly replays: boolean;
  /** The sequencer of the audit log, and its index. */
  readonly audit: boolean;
  /** Sends webhooks to producers. */
  readonly webhooks: boolean;
  /** Writes the grains for analysts. */
  readonly analytics: boolean;
  /** Exports what analysts read, as files: of a process that was asked for it. */
  readonly exports: boolean;
}

/** A sink that is no consumer: its place is in the manifest of what it has written. */
const FILES = 'parquet';

export const EVERYTHING: ProcessParts = {
  processors: PROCESSOR_NAMES,
  sinks: SINK_NAMES,
  payouts: true,
  cases: true,
  rescreening: true,
  replays: true,
  audit: true,
  webhooks: true,
  analytics: true,
  // Where to is for whoever installs it to say.
  exports: false,
};

interface PartsOptions {
  readonly processors?: string;
  readonly sinks?: string;
  readonly payouts?: boolean;
  readonly cases?: boolean;
  readonly rescreening?: boolean;
  readonly replays?: boolean;
  readonly audit?: boolean;
  readonly webhooks?: boolean;
  readonly analytics?: boolean;
}

/** Parts by the options of `corridor run`; without any, everything. Lists are comma-separated; `all` and `none` work. */
export function partsFrom(options: PartsOptions): ProcessParts {
  const { processors, sinks, payouts, cases, rescreening, replays, audit, webhooks, analytics } = options;
  const others = [payouts, cases, rescreening, replays, audit, webhooks, analytics];
  const none = processors === undefined && sinks === undefined && !others.includes(true);
  if (none) return EVERYTHING;
  return {
    processors: chosen('processor', processors ?? 'none', PROCESSOR_NAMES),
    sinks: chosen('sink', sinks ?? 'none', [...SINK_NAMES, FILES] as const).filter((name) => name !== FILES),
    exports: sinks?.split(',').some((name) => name.trim() === FILES) ?? false,
    payouts: payouts ?? false,
    cases: cases ?? false,
    rescreening: rescreening ?? false,
    replays: replays ?? false,
    audit: audit ?? false,
    webhooks: webhooks ?? false,
    analytics: analytics ?? false,
  };
}

function chosen<T extends string>(what: string, list: string, known: readonly T[]): readonly T[] {
  if (list === 'all') return known;
  if (list === 'none') return [];
  return list.split(',').map((name) => {
    const found = known.find((candidate) => candidate === name.trim());
    if (found) return found;
    throw new CodedError('PART_UNKNOWN', `there is no ${what} named "${name}"; there are: ${known.join(', ')}`, {
      faultClass: 'fatal',
    });
  });
}

/** All whose records these parts make or believe. Pure. */
export function issuersOf({
  processors,
  sinks,
  payouts,
  cases,
  rescreening,
  replays,
  audit,
  analytics,
}: ProcessParts): readonly Issuer[] {
  const edges = [
    ...processors.map((name): Edges => topology[name]),
    ...sinks.map((name): Edges => (name === 'dead-letters' ? NO_CONTRACTS : consumers[`sink-${name}`])),
    ...(payouts ? [consumers['payout-executor'] as Edges] : []),
    ...(analytics ? [analyticsConsumers[ANALYTICS] as Edges] : []),
    // A dry run asks every stage as it is, and writes nothing.
    ...(replays ? PROCESSOR_NAMES.map((name): Edges => ({ ...topology[name], writes: [] })) : []),
  ];
  const topics = edges.flatMap(({ reads, writes, follows = [] }) => [...reads, ...writes, ...follows]);
  const others = [
    // Beside their outputs: each transition, and each mark of a dead letter.
    ...(processors.length > 0 || payouts ? [transferLifecycle.name] : []),
    ...(cases ? ['review.decided'] : []),
    // Each letter that is sent, each skip that is settled and each case of a payout that is closed has an entry there.
    ...(audit || replays || payouts ? ['audit.entries'] : []),
    ...(rescreening ? ['screening.list-activated', 'transfer.accepted', 'transfer.screened'] : []),
  ];
  const sealed = [...topics.map(({ name }) => name), ...others].flatMap((name) => contractOf(name)?.sealedBy ?? []);
  // Stages seal what they put aside, and believe what operators put back; so does who puts it back.
  const recovery: readonly Issuer[] = processors.length > 0 || replays ? ['stages', 'operators'] : [];
  return [...new Set([...sealed, ...recovery, ...(sinks.includes('dead-letters') ? (['stages'] as const) : [])])];
}

/** Throws CONFIG_INVALID, naming the variable, unless this process has the keys of all whose records its parts make or believe. */
export function requireKeys(parts: ProcessParts, rings: Rings): void {
  for (const issuer of issuersOf(parts)) ringOf(rings, issuer);
}

/** The index of dead letters reads what others have put aside. */
const NO_CONTRACTS: Edges = { reads: [], writes: [] };

/** Every consumer that puts records aside. */
export const CONSUMER_NAMES = [...PROCESSOR_NAMES, ...Object.keys(consumers)];
