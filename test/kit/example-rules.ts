// The set of examples that is shipped, as it is read.
import { readFileSync } from 'node:fs';
import { strictJson } from '../../domain/text/strict-json.ts';
import { type TransferRules, transferRulesFrom } from '../../processors/intake/rules/rule-set.ts';

const FILE = new URL('../../processors/intake/rules/example-rules.json', import.meta.url);

export const exampleRulesText = (): string => readFileSync(FILE, 'utf8');
export const exampleRules = (): TransferRules => transferRulesFrom(strictJson(exampleRulesText()));
