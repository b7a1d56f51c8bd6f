// The risky acts: what each is, who may ask for it and let it through, and how long that holds. One table.
import { hash } from 'node:crypto';
import type { Action } from '../access/table.ts';

interface ActTerms {
  readonly does: string;
  /** A row of the table of rights, which who asks and who approves must both hold. */
  readonly right: Action;
  /** How long it may be approved and begun, ms. */
  readonly validMs: number;
  /** It can always wait for a second person: no broken glass lets it through. */
  readonly neverAlone?: true;
}

const HOUR_MS = 3_600_000;

/** Acts that need a second person. A name is part of what is sealed: never change one. */
export const APPROVAL_ACTS = {
  'dead-letters.replay': { does: 'replay dead letters', right: 'replays.run', validMs: 4 * HOUR_MS },
  'dead-letters.discard': { does: 'discard dead letters', right: 'letters.discard', validMs: 4 * HOUR_MS },
  'records.skip': {
    does: 'skip a record that its consumer cannot get past',
    right: 'records.skip',
    validMs: 4 * HOUR_MS,
  },
  'control.resume': { does: 'resume what was paused', right: 'control.resume', validMs: HOUR_MS },
  'provider.on': { does: 'let payouts go to a provider again', right: 'control.resume', validMs: HOUR_MS },
  'cases.decide': { does: 'decide a hold or a case of a customer', right: 'cases.decide', validMs: 24 * HOUR_MS },
  'payouts.resolve': { does: 'close a case of a payout by hand', right: 'payouts.resolve', validMs: 24 * HOUR_MS },
  'payouts.state': {
    does: 'settle a payout by what the provider states in writing',
    right: 'payouts.resolve',
    validMs: 24 * HOUR_MS,
    neverAlone: true,
  },
  'lists.activate': {
    does: 'put a list version in force',
    right: 'lists.activate',
    validMs: 24 * HOUR_MS,
    neverAlone: true,
  },
  'exceptions.grant': {
    does: 'let a counterparty pass for a listed entity',
    right: 'exceptions.grant',
    validMs: 72 * HOUR_MS,
    neverAlone: true,
  },
  'policy.activate': {
    does: 'put a version of a policy in force',
    right: 'policies.propose',
    validMs: 24 * HOUR_MS,
    neverAlone: true,
  },
  'rates.accept-jump': {
    does: 'accept that a rate has jumped',
    right: 'rates.accept',
    validMs: HOUR_MS,
    neverAlone: true,
  },
} as const satisfies Readonly<Record<string, ActTerms>>;

export type Act = keyof typeof APPROVAL_ACTS;
export const ACTS = Object.keys(APPROVAL_ACTS) as readonly Act[];

export const termsOfAct = (act: Act): ActTerms => APPROVAL_ACTS[act];

/** JSON in one form: keys sorted, amounts as text. Two values that say the same are the same text. */
export const canonicalJson = (value: unknown): string =>
  JSON.stringify(value, (_key, inner: unknown) => {
    if (typeof inner === 'bigint') return inner.toString();
    if (inner === null || typeof inner !== 'object' || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  });

/** The hash of all that is approved, where the approval itself carries what is to be done. */
export const hashOfAct = (act: Act, subject: string, content: string): string =>
  hash('sha256', `corridor-act-1\n${JSON.stringify([act, subject, content])}`, 'hex');
