/**
 * Outcomes chosen by data, as in real providers' sandboxes: the last six digits of the beneficiary's account decide how
 * its payouts end, so whoever feeds transfers knows the end of each before it starts. docs/simulator.md holds the table.
 */

/** How a payout ends once it is accepted, or that it is not accepted at all. */
export interface Scenario {
  readonly outcome: 'PAY' | 'FAIL' | 'RETURN' | 'REFUSE' | 'STALL';
  /** Settled in the answer to the submit instead of later. */
  readonly atOnce?: boolean;
  /** Settled by the n-th query that finds the payout instead of by time. */
  readonly polls?: number;
  /** ISO 20022 code; with FAIL, RETURN and REFUSE. */
  readonly reasonCode?: string;
}

/** Any account without a magic ending: accepted, paid after the configured delay. */
const DEFAULT: Scenario = { outcome: 'PAY' };

const BY_SUFFIX: ReadonlyMap<string, Scenario> = new Map<string, Scenario>([
  ['990000', { outcome: 'PAY', atOnce: true }],
  ...[1, 2, 3, 4, 5, 6, 7, 8, 9].map((polls): [string, Scenario] => [`99001${polls}`, { outcome: 'PAY', polls }]),
  ['990101', { outcome: 'FAIL', reasonCode: 'AC01' }],
  ['990104', { outcome: 'FAIL', reasonCode: 'AC04' }],
  ['990106', { outcome: 'FAIL', reasonCode: 'AC06' }],
  ['990111', { outcome: 'FAIL', reasonCode: 'AG01' }],
  ['990124', { outcome: 'FAIL', reasonCode: 'AM04' }],
  ['990201', { outcome: 'REFUSE', reasonCode: 'AC01' }],
  ['990204', { outcome: 'REFUSE', reasonCode: 'AC04' }],
  ['990206', { outcome: 'REFUSE', reasonCode: 'AC06' }],
  ['990211', { outcome: 'REFUSE', reasonCode: 'AG01' }],
  ['990304', { outcome: 'RETURN', reasonCode: 'AC04' }],
  ['990306', { outcome: 'RETURN', reasonCode: 'AC06' }],
  ['990307', { outcome: 'RETURN', reasonCode: 'MD07' }],
  ['990400', { outcome: 'STALL' }],
]);

/**
 * @param account IBAN or domestic account number; blanks don't count.
 * @returns how payouts to this account end.
 */
export function scenarioOf(account: string): Scenario {
  return BY_SUFFIX.get(account.replaceAll(' ', '').slice(-6)) ?? DEFAULT;
}

/** Every magic ending with its scenario, for the documentation test. */
export function allScenarios(): ReadonlyMap<string, Scenario> {
  return BY_SUFFIX;
}
