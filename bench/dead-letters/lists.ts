// How long the lists of operators take.
import { letterGroups } from '../../operations/dead-letters/groups.ts';
import { listLetters } from '../../operations/dead-letters/letters.ts';
import type { DeadLetters, LetterFilter } from '../../operations/dead-letters/ports.ts';
import { load } from '../report.ts';
import { OWNER } from './letters.ts';

export interface LookCost {
  readonly what: string;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly aimMs: number;
  readonly load: number;
}

const PAGE = 50;
const GROUPS_AIM_MS = 300;
const PAGE_AIM_MS = 100;

/** Each asked so often, one after the other, after as many that do not count. */
export async function lookCosts(store: DeadLetters, looks: number): Promise<readonly LookCost[]> {
  const { groups } = await letterGroups(store, { now: Date.now() });
  const largest = groups.toSorted((a, b) => b.letters - a.letters)[0]!;
  const second = await listLetters(store, { group: largest.id }, PAGE);
  const pages: readonly (readonly [string, LetterFilter])[] = [
    ['page of all letters', {}],
    ['page of what is parked', { states: ['PARKED'] }],
    [`page of the largest group (${largest.letters.toLocaleString('en')})`, { group: largest.id }],
    ['page of one owner', { owner: OWNER }],
    ['page of one corridor, parked', { corridor: 'GB-IN', states: ['PARKED'] }],
    ['letters of one transfer', { transferId: 'T-17' }],
  ];
  const costs = [await costOf('groups', GROUPS_AIM_MS, looks, () => letterGroups(store, { now: Date.now() }))];
  for (const [what, filter] of pages) {
    costs.push(await costOf(what, PAGE_AIM_MS, looks, () => listLetters(store, filter, PAGE)));
  }
  const next = () => listLetters(store, { group: largest.id }, PAGE, second.next);
  costs.push(await costOf('the page behind it', PAGE_AIM_MS, looks, next));
  return costs;
}

async function costOf(what: string, aimMs: number, looks: number, ask: () => Promise<unknown>): Promise<LookCost> {
  const took: number[] = [];
  for (let look = 0; look < 2 * looks; look++) {
    const began = performance.now();
    await ask();
    if (look >= looks) took.push(performance.now() - began);
  }
  took.sort((one, other) => one - other);
  const at = (share: number) => Number(took[Math.floor((took.length - 1) * share)]!.toFixed(1));
  return { what, p50Ms: at(0.5), p95Ms: at(0.95), aimMs, load: load() };
}
