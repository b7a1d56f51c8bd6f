// Which rules are in force: a digest of corridors, limits, screening terms and producers.
import { hash } from 'node:crypto';
import type { Config } from '../../runtime/config/config.ts';
import { producerTerms } from '../configured-producers.ts';
import { corridors, limitRuleSet, transferRules } from '../configured-rules.ts';
import { termsOf } from '../screening.ts';

/** 16 hexadecimal digits. @throws CodedError when a file cannot be used */
export function rulesHash(config: Config): string {
  // Producers count where there are any, so that a digest of before is what it was.
  const producers = config.producers.file === undefined ? [] : [producerTerms(config)];
  const ofTransfers = transferRules(config);
  const rules = [
    ...[corridors(config), limitRuleSet(config), termsOf(config), ...producers],
    ...(ofTransfers === undefined ? [] : [ofTransfers]),
  ];
  return hash('sha256', JSON.stringify(rules, asText), 'hex').slice(0, 16);
}

const asText = (_key: string, value: unknown): unknown => {
  if (typeof value === 'bigint') return value.toString();
  return value instanceof Set || value instanceof Map ? [...value] : value;
};
