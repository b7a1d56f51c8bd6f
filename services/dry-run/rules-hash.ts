// Which rules are in force: a digest of corridors, limits, screening terms, producers and terms of prices.
import { hash } from 'node:crypto';
import type { Config } from '../../runtime/config/config.ts';
import { producerTerms } from '../configured-producers.ts';
import { corridors, limitRuleSet, transferRules } from '../configured-rules.ts';
import { termsOf } from '../screening.ts';
import { configuredTerms } from '../terms.ts';

/** 16 hexadecimal digits. @throws CodedError when a file cannot be used */
export function rulesHash(config: Config): string {
  // Producers count where there are any, so that a digest of before is what it was.
  const producers = config.producers.file === undefined ? [] : [producerTerms(config)];
  const ofTransfers = transferRules(config);
  const rules = [
    ...[corridors(config), limitRuleSet(config), termsOf(config), ...producers],
    ...(ofTransfers === undefined ? [] : [ofTransfers]),
    // Without a file they are what the corridors say.
    ...(config.transfers.termsFile === undefined ? [] : [configuredTerms(config)]),
  ];
  return hash('sha256', JSON.stringify(rules, asText), 'hex').slice(0, 16);
}

const asText = (_key: string, value: unknown): unknown => {
  if (typeof value === 'bigint') return value.toString();
  return value instanceof Set || value instanceof Map ? [...value] : value;
};
