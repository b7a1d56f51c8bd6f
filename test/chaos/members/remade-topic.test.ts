import { describe, expect, it } from 'vitest';
import type { End } from '../../../samples/fed-record.ts';
import { insteadOf, isOfRemade } from './remade-topic.ts';

describe('what takes the place of what stood on a topic that was made again', () => {
  const taken = ['a', 'b', 'a', 'bad', 'rubbish', 'c'].map((key) => ({ key, value: Buffer.from(key) }));
  const ENDS: Readonly<Record<string, readonly End[]>> = {
    a: ['COMPLETED'],
    b: ['HELD'],
    c: ['RETURNED'],
    bad: ['INTENT_REJECTED'],
    rubbish: [],
  };

  it('is the same again, where a transfer was made, and something of the same kind where one was refused', () => {
    const instead = insteadOf(taken, ({ key }) => ENDS[key]!);
    expect(instead).toEqual(['again', 'again', 'good', 'invalid', 'good', 'good']);
  });

  it('is new at one in three of the transfers, so that what is lost by its position shows', () => {
    const transfers = Array.from({ length: 9 }, (_, i) => ({ key: `t${i}`, value: null }));
    const instead = insteadOf(transfers, () => ['COMPLETED']);
    expect(instead.filter((kind) => kind === 'again')).toHaveLength(6);
    expect(instead.filter((kind) => kind === 'good')).toHaveLength(3);
  });
});

describe('a stage that stands', () => {
  const line = (fields: object) =>
    JSON.stringify({
      level: 'error',
      time: '2026-01-01T00:00:10.000Z',
      stage: 'intake',
      code: 'OFFSET_OF_ANOTHER_TOPIC',
      ...fields,
    });
  const at = (second: number) => Date.parse('2026-01-01T00:00:00.000Z') + 1_000 * second;
  const remade = { fromMs: at(5), toMs: at(20) };

  it('is what must be where its topic was made again, at that time', () => {
    expect(isOfRemade(line({}), remade)).toBe(true);
    expect(isOfRemade(line({ code: 'OFFSET_MISSING' }), remade)).toBe(true);
  });

  it.each([
    ['another stage', { stage: 'screening' }],
    ['another fault', { code: 'DLQ_BREAKER_OPEN' }],
    ['before', { time: '2026-01-01T00:00:01.000Z' }],
    ['after the cure', { time: '2026-01-01T00:00:21.000Z' }],
    ['no time', { time: 'yesterday' }],
  ])('is a finding otherwise: %s', (_, fields) => {
    expect(isOfRemade(line(fields), remade)).toBe(false);
  });
});
