import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as api from './api.ts';
import { faultPlan } from './injected-faults.ts';
import { allScenarios, scenarioOf } from './scenarios.ts';

const page = readFileSync(new URL('../docs/simulator.md', import.meta.url), 'utf8');

describe('docs/simulator.md', () => {
  const schemas = {
    submitPayoutRequest: api.submitPayoutRequest,
    payoutView: api.payoutView,
    errorBody: api.errorBody,
  };
  const examples = [...page.matchAll(/<!-- example: (\w+) -->\n```json\n(.*?)```/gs)];

  it('has an example for each body', () => {
    expect(new Set(examples.map(([, name]) => name))).toEqual(new Set(Object.keys(schemas)));
  });

  it.each(examples.map(([, name, json]) => [name, json]))('has a valid example of %s', (name, json) => {
    const schema = schemas[name as keyof typeof schemas].strict();
    const parsed = schema.safeParse(JSON.parse(json ?? ''));
    expect(parsed.error?.issues ?? []).toEqual([]);
  });

  it('names every scenario, error code and kind of fault', () => {
    const section = (title: string) => page.split(`## ${title}`)[1]?.split('\n## ')[0] ?? '';
    for (const [suffix, { polls }] of allScenarios()) {
      if (polls === undefined || polls === 1 || polls === 9)
        expect(section('Outcomes chosen by data')).toContain(suffix);
    }
    for (const code of api.errorCode.options) expect(section('API, version 1')).toContain(`\`${code}\``);
    for (const { shape } of faultPlan.shape.rules.unwrap().element.options)
      expect(section('Faults')).toContain(`\`${shape.kind.value}\``);
  });

  it('has a fault plan that is valid', () => {
    const json = /```json\n(\{\n {2}"rules".*?)```/s.exec(page)?.[1] ?? '';
    expect(faultPlan.safeParse(JSON.parse(json)).error?.issues ?? []).toEqual([]);
  });
});

it('an account is known by its last six digits, and an ordinary one is just paid', () => {
  expect(scenarioOf('GB33 BUKB 2015 9099 0104')).toEqual({ outcome: 'FAIL', reasonCode: 'AC04' });
  expect(scenarioOf('50100012345678')).toEqual({ outcome: 'PAY' });
  expect(scenarioOf('104')).toEqual({ outcome: 'PAY' });
});
