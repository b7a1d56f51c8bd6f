import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { CORRIDORS } from '../../domain/corridors/corridor-table.ts';
import { LIMIT_RULES, LIMIT_SUBJECTS } from '../../domain/limits/limit-rules.ts';
import { loadConfig } from '../../runtime/config/config.ts';
import { corridorBookOf, corridors, limitRules } from '../../services/configured-rules.ts';
import { writeLaw } from './law.ts';

it('is read as it is meant: every subject but the float of a provider, every window, two sources for each rate', () => {
  const dir = mkdtempSync(path.join(tmpdir(), 'corridor-law-'));
  try {
    const config = loadConfig({ CORRIDOR_ENV: 'development', ...writeLaw(dir) });
    const rules = limitRules(config);
    expect(rules.slice(0, LIMIT_RULES.length)).toEqual(LIMIT_RULES);
    expect(new Set(rules.map(({ subject }) => subject))).toEqual(
      new Set(LIMIT_SUBJECTS.filter((subject) => subject !== 'provider')),
    );
    expect(new Set(rules.map(({ window }) => window.kind))).toEqual(new Set(['calendar', 'rolling', 'lifetime']));
    // What no rate of a price leads to a person decides, and nothing that is fed waits for one because of its amount.
    const counted = corridors(config).map(({ source, target }) => new Set([source.currency, target.currency]));
    for (const { ruleId, metric, where } of rules) {
      if (metric.kind !== 'amount' || where.sourceCurrencies) continue;
      expect(
        counted.every((currencies) => currencies.has(metric.currency)),
        ruleId,
      ).toBe(true);
    }
    expect(corridors(config).map(({ id }) => id)).toEqual(CORRIDORS.map(({ id }) => id));
    expect(corridors(config).map(({ rates }) => rates.quorum)).toEqual(CORRIDORS.map(() => 2));
    expect(corridorBookOf(config)).toBeDefined();
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
