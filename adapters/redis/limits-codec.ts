// What the limits ledger is asked and filled with: short JSON for the script, fields of hashes for a rebuild.

import { countsUntil, isCounted } from '../../domain/limits/windows.ts';
import type { LedgerRecord, LimitOperation, LimitRequest, SettledUse } from '../../processors/limits/ports.ts';
import { requestedUse } from '../../processors/limits/requests.ts';
import type { LimitAction, LimitMetric, LimitUse } from '../../schemas/types.generated.ts';
import type { RecordProofs } from './limits-proofs.ts';

/**
 * What a use states, but for how much is used: rule, subject, window, currency, reserved and limit in minor units; and since the
 * second form of statement: metric, action, member, declared, when it frees, freed by a return.
 */
export type Statement = readonly [
  ...[ruleId: string, subject: string, window: string, currency: string, reserved: string, limit: string],
  ...(
    | []
    | readonly [LimitMetric | null, LimitAction | null, string | null, string | null, number | null, boolean | null]
  ),
];

type Counted = Pick<LimitRequest, 'ruleId' | 'subjectToken' | 'window'>;

/** Name of a counter below the prefix. Tokens and ids hold no colon. */
export const bucketOf = ({ ruleId, subjectToken, window }: Counted): string => `${ruleId}:${subjectToken}:${window}`;

/** Where the generation of a marker `<run id>:<form>.<id>` keeps its records and counters. */
export const prefixOfGeneration = (namespace: string, marker: string): string =>
  `${namespace}:${marker.slice(marker.indexOf(':') + 1)}:`;

/** How a request stands against a transfer: it refuses, it never does, or a person decides. */
const EFFECT = { reject: 'r', shadow: 's', hold: 'h', documents: 'h' } as const;

/** An operation as the script takes it. */
export interface AskedOperation {
  readonly k: LimitOperation['kind'];
  readonly t: string;
  readonly a: number;
  readonly r: readonly object[];
  /** Of a reserve: what the rules state, as text: the script passes it on, and need neither read nor write it again. */
  readonly u?: string;
  /** Of a reserve: name and version of the rules. */
  readonly n?: string;
  /** Of a reserve: proofs that it was reserved, and that it was refused. */
  readonly p?: readonly [reserved: string, refused: string];
  /** Of a settle: state, and the answer that is kept for a reserve that comes again. */
  readonly s?: string;
  readonly o?: string;
}

export function encodeOperation(operation: LimitOperation, proofs: RecordProofs): AskedOperation {
  const { transferId: t, attempt: a } = operation;
  if (operation.kind === 'settle') {
    const { state, uses } = operation;
    return { k: 'settle', t, a, s: state, r: encodeUses(uses), o: answerOf(operation, proofs) };
  }
  const r = operation.requests.map((request) => ({
    ...(isCounted(request.window) ? counterOf(request, request.member) : {}),
    m: request.minor.toString(),
    l: (request.limitMinor - (request.declaredMinor ?? 0n)).toString(),
    x: EFFECT[request.action],
  }));
  const u = JSON.stringify(operation.requests.map((request) => statement(requestedUse(request, 0n))));
  const stated = { transferId: t, attempt: a, stated: u, rules: operation.limitRules ?? '' };
  const p = [proofs.of({ ...stated, kind: 'reserved' }), proofs.of({ ...stated, kind: 'refused' })] as const;
  return { k: 'reserve', t, a, r, u, p, ...(operation.limitRules === undefined ? {} : { n: operation.limitRules }) };
}

/** Name of the counter, member, and until when it matters. */
function counterOf(counted: Counted, member: string | null): { b: string; d?: string; e: number } {
  const until = countsUntil(counted.window);
  return { b: bucketOf(counted), ...(member === null ? {} : { d: member }), e: Number.isFinite(until) ? until : -1 };
}

const encodeUses = (uses: readonly SettledUse[]) =>
  uses
    .filter(({ window }) => isCounted(window))
    .map((use) => ({ ...counterOf(use, use.member), m: use.reservedMinor.toString(), f: use.freedByReturn }));

const statement = (use: Omit<LimitUse, 'usedMinor'>): Statement => [
  ...([use.ruleId, use.subjectToken, use.window, use.currency] as const),
  ...([use.reservedMinor.toString(), use.limitMinor.toString()] as const),
  ...([use.metric, use.action, use.member, use.declaredMinor?.toString() ?? null] as const),
  ...([use.freesAt, use.freedByReturn] as const),
];

/** What a record of a log's event answers to a reserve that comes again. */
function answerOf({ transferId, attempt, state, uses }: LedgerRecord, proofs: RecordProofs): string {
  const proven = { transferId, attempt, rules: '' };
  if (state !== 'open')
    return JSON.stringify({ k: 'ended', s: state, a: attempt, p: proofs.of({ ...proven, kind: state, stated: '' }) });
  const stated = JSON.stringify(uses.map(statement));
  const p = proofs.of({ ...proven, kind: 'reserved', stated });
  const used = JSON.stringify(uses.map((use) => use.usedMinor.toString()));
  return `{"k":"reserved","a":${attempt},"p":"${p}","used":${used},"uses":${stated}}`;
}

/** Fields of a transfer's hash, as the script writes them. */
export function encodeRecord(record: LedgerRecord, proofs: RecordProofs): Record<string, string> {
  const { state, attempt, uses } = record;
  const kept = state === 'released' ? [] : encodeUses(uses);
  return { state, attempt: String(attempt), uses: JSON.stringify(kept), outcome: answerOf(record, proofs) };
}

/** Until when a record of these uses matters, ms since 1970; Infinity: for ever. */
export const recordUntil = ({ uses }: LedgerRecord): number =>
  Math.max(0, ...uses.filter(({ window }) => isCounted(window)).map(({ window }) => countsUntil(window)));
