// Corruptions to plant in a history, and the verification of it.
import { expect } from 'vitest';
import type { ProviderRecord, VerifySources } from '../ports.ts';
import type { VerifyReport } from '../report.ts';
import { type VerifyOptions, verify } from '../verify.ts';
import type { Entry } from './entry.ts';
import type { FixedLog } from './fixed-log.ts';
import { type Ending, History } from './history.ts';

export const AT_ONCE: VerifyOptions = { settleMs: 0 };

/** A history with these endings, its stores filled, handed to `plant` before it is verified. */
export async function verified(
  endings: readonly Ending[],
  plant: (history: History) => void = () => undefined,
  later: (sources: VerifySources & { fixed: FixedLog }, history: History) => void = () => undefined,
  options: VerifyOptions = AT_ONCE,
): Promise<VerifyReport> {
  const history = new History();
  for (const ending of endings) history.tell(ending);
  history.fillStores();
  plant(history);
  const sources = history.sources();
  later(sources, history);
  return verify(sources, options);
}

/** Plants it among transfers in agreement: its codes are found, and each names what it is about. */
export async function expectFound(
  [, ending, plant, codes]: Corruption,
  more: Partial<VerifySources> = {},
): Promise<void> {
  const report = await verified([ending, 'completed', 'returned', 'held'], plant, (sources) =>
    Object.assign(sources, more),
  );
  expect(report.ok).toBe(false);
  for (const code of codes) expect(Object.keys(report.codes)).toContain(code);
  const named = report.findings.filter(({ code }) => codes.includes(code));
  // The transfer is named, unless it is about a sum.
  for (const { code, transferId, position } of named) {
    const ofSums = ['DEBITS_NOT_CREDITS', 'COUNTER_DIFFERS', 'DOCUMENTS_OVER'].includes(code);
    if (!ofSums) expect(transferId ?? position).toBeDefined();
  }
}

export const entryOf = (history: History, topic: string, which = 0): Entry =>
  history.entries.filter((entry) => entry.topic === topic)[which]!;

export const drop =
  (topic: string, which = 0) =>
  (history: History) => {
    history.entries.splice(history.entries.indexOf(entryOf(history, topic, which)), 1);
  };

/** The same record once more, at the end of its partition. */
export const repeat =
  (topic: string, change: (entry: Entry) => void = () => undefined) =>
  (history: History) => {
    const { partition, key, value, bytes, headers } = entryOf(history, topic);
    change(history.append(topic, partition, { key, value: structuredClone(value), bytes, headers: { ...headers } }));
  };

export const change =
  (topic: string, edit: (value: Entry['value'], entry: Entry) => void, which = 0) =>
  (history: History) => {
    const entry = entryOf(history, topic, which);
    entry.value = structuredClone(entry.value);
    edit(entry.value, entry);
  };

export const paid = (history: History, over: Partial<ProviderRecord> = {}) => {
  const { length } = history.provider;
  history.provider.push({ ...history.provider.find(({ kind }) => kind === 'execution')!, seq: length + 1, ...over });
};

export const onlyDocument = <D>(documents: { readonly byId: Map<string, D> }) => [...documents.byId.entries()][0]!;

/** Changes the first document of a store. */
export function edit<D>(documents: { readonly byId: Map<string, D> }, fields: Partial<D>): void {
  const [id, document] = onlyDocument(documents);
  documents.byId.set(id, { ...document, ...fields });
}

export type Plant = (history: History) => void;

/** A corruption, planted in a history that ends like this, and the codes that must be found. */
export type Corruption = readonly [what: string, ending: Ending, plant: Plant, codes: readonly string[]];

export function forget<D>(documents: { readonly byId: Map<string, D> }): void {
  documents.byId.delete(onlyDocument(documents)[0]);
}

/** Takes out whatever the first transfer did after this. */
export function cutAfter(topic: string, which = 0): Plant {
  return (history) => {
    const last = entryOf(history, topic, which);
    const at = history.entries.indexOf(last);
    const tells = topic in { 'payout.updated': 1, 'review.decided': 1, 'transfer.requested': 1 } ? at : at + 1;
    const later = history.entries.filter(({ key }, index) => key === last.key && index > tells);
    for (const entry of later) history.entries.splice(history.entries.indexOf(entry), 1);
  };
}

export function rejectToo(history: History): void {
  const { key, value } = entryOf(history, 'transfer.accepted');
  const other = new History();
  other.tell('intent-rejected');
  const rejected = entryOf(other, 'intent.rejected');
  const { originPosition } = value.instruction;
  history.append('intent.rejected', rejected.partition, {
    key,
    value: { ...rejected.value, originPosition },
    headers: rejected.headers,
  });
}

export function execution(history: History): void {
  const { key: transferId } = history.entries[0]!;
  history.provider.push({
    seq: 99,
    kind: 'execution',
    key: `${transferId}:1`,
    transferId,
    amount: { minor: 5n, currency: 'INR' },
  });
}
