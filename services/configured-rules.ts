// Corridors and limit rules: those built in, or the ones of a file. Minor units in a file are strings of digits.
import { readFileSync } from 'node:fs';
import { CORRIDORS } from '../domain/corridors/corridor-table.ts';
import type { Corridor } from '../domain/corridors/corridors.ts';
import { checkLimitRules, LIMIT_RULES, type LimitRule } from '../domain/limits/limit-rules.ts';
import { strictJson, strictText } from '../domain/text/strict-json.ts';
import { type CasePolicy, casePolicyFrom } from '../operations/cases/inbox/policy.ts';
import { CodedError } from '../ports/fault.ts';
import type { Config } from '../runtime/config/config.ts';

/** The corridors in force. `corridorBook` checks them. */
export function corridors({ transfers }: Config): readonly Corridor[] {
  return transfers.corridorsFile ? (readTerms(transfers.corridorsFile) as Corridor[]) : CORRIDORS;
}

/** The limit rules in force, checked. */
export function limitRules({ transfers }: Config): readonly LimitRule[] {
  return checkLimitRules(transfers.limitsFile ? (readTerms(transfers.limitsFile) as LimitRule[]) : LIMIT_RULES);
}

/** What is asked of people who work on cases. @throws CodedError TERMS_UNREADABLE */
export function casePolicy({ cases }: Config): CasePolicy {
  if (!cases.policyFile) return casePolicyFrom({});
  return read(cases.policyFile, (text) => casePolicyFrom(strictJson(text)));
}

/** Minor units of money, at whatever depth, as bigints. */
function withAmounts(terms: unknown): unknown {
  return JSON.parse(JSON.stringify(terms), (key, value: unknown) =>
    key.endsWith('Minor') && typeof value === 'string' ? BigInt(value) : value,
  );
}

function readTerms(file: string): unknown {
  return read(file, (text) => {
    const terms: unknown = withAmounts(strictJson(text));
    if (Array.isArray(terms)) return terms;
    throw new Error('it must hold an array');
  });
}

function read<T>(file: string, parse: (text: string) => T): T {
  try {
    return parse(strictText(readFileSync(file)));
  } catch (error) {
    throw new CodedError('TERMS_UNREADABLE', `${file} cannot be used: ${(error as Error).message}`, {
      faultClass: 'fatal',
    });
  }
}
