import { expect, it } from 'vitest';
import type { LogRecord } from '../../ports/log.ts';
import { sealed } from '../../ports/seals.ts';
import { topology } from '../../processors/topology.ts';
import { testRings } from '../../test/kit/rings.ts';
import type { TopicName } from '../../topics/catalogue.ts';
import { formatCause, sourceOf } from '../../topics/cause.ts';
import { evidenceTopics, raiseProven } from './proven-progress.ts';

const writes = topology.intake.writes.map(({ name }) => name as TopicName);
const producing = { owner: 'intake', writes, rings: testRings };

it('looks for proof where nobody but the stage can seal: never in what sinks can seal too', () => {
  expect(evidenceTopics(producing)).toEqual(['transfer.accepted', 'intake.retry.5s', 'intake.retry.60s', 'intake.dlq']);
});

it('takes no record for proof that lifecycle’s key alone has sealed', () => {
  const cause = formatCause({ source: sourceOf('intake', 'T'), partition: 0, offset: 41, nth: 0 });
  const made = (rings: typeof testRings): LogRecord => {
    const record = { topic: 'transfer.accepted', partition: 0, key: 'k', value: Buffer.from('v'), headers: {} };
    const { headers } = sealed(rings, record, cause);
    const read = Object.entries(headers).map(([name, text]) => [name, Buffer.from(text as string)]);
    return { ...record, offset: 0, timestamp: 0, key: Buffer.from('k'), headers: Object.fromEntries(read) };
  };
  const proven = new Map<string, number>();
  raiseProven(proven, [made({ ...testRings, stages: testRings.lifecycle })], producing);
  expect(proven.size).toBe(0);
  raiseProven(proven, [made(testRings)], producing);
  expect([...proven.values()]).toEqual([41]);
});
