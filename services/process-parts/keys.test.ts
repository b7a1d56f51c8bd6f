import { describe, expect, it } from 'vitest';
import { testRings } from '../../test/kit/rings.ts';
import type { Issuer } from '../../topics/contract.ts';
import { EVERYTHING, type ProcessParts, requireKeys } from './part-selection.ts';

const NONE: ProcessParts = {
  processors: [],
  sinks: [],
  payouts: false,
  cases: false,
  rescreening: false,
  replays: false,
  audit: false,
  webhooks: false,
};
const NEEDED: readonly [string, Partial<ProcessParts>, readonly Issuer[]][] = [
  ['intake', { processors: ['intake'] }, ['stages', 'operators']],
  ['screening', { processors: ['screening'] }, ['stages', 'operators']],
  ['fx-pricing', { processors: ['fx-pricing'] }, ['stages', 'operators', 'feeds']],
  ['limits', { processors: ['limits'] }, ['stages', 'operators']],
  ['payout-dispatch', { processors: ['payout-dispatch'] }, ['stages', 'operators']],
  ['settlement', { processors: ['settlement'] }, ['stages', 'operators', 'executor']],
  ['the executor', { payouts: true }, ['stages', 'executor', 'operators']],
  ['the sink of cases', { sinks: ['cases'] }, ['stages']],
  ['projections', { sinks: ['events', 'transfer-view'] }, []],
  ['the relay of cases', { cases: true }, ['operators']],
  ['replays of dead letters', { replays: true }, ['stages', 'operators']],
  ['the sequencer of the audit log', { audit: true }, ['audit']],
  ['screening of known customers', { rescreening: true }, ['stages', 'operators']],
  ['everything', EVERYTHING, ['stages', 'operators', 'executor', 'feeds', 'audit']],
];

describe('the keys of a process', () => {
  it.each(NEEDED)('%s needs no more and no less', (_, parts, issuers) => {
    const enough = Object.fromEntries(issuers.map((issuer) => [issuer, testRings[issuer]]));
    requireKeys({ ...NONE, ...parts }, enough);
    for (const issuer of issuers) {
      expect(() => requireKeys({ ...NONE, ...parts }, { ...enough, [issuer]: undefined })).toThrow(
        /^CORRIDOR_(STAGE|OPERATOR|EXECUTOR|FEED|AUDIT)_KEYS is not set/,
      );
    }
  });
});
