import { describe, expect, it } from 'vitest';
import { isSamePosition, parseOrigin } from './origin-position.ts';

const ID = '0123456789abcdef0123456789abcdef';
const OTHER = 'fedcba9876543210fedcba9876543210';
const HOUR = 3_600_000;

describe('a stored position', () => {
  const topic = 'transfer.requested';
  it.each([
    [`${ID}:0:5`, `${ID}:0:5`, 0, true],
    [`${ID}:0:5`, `${ID}:0:6`, 0, false],
    [`${ID}:0:5`, `${ID}:1:5`, 0, false],
    [`${ID}:0:5`, `${OTHER}:0:5`, 0, false],
    // By name on one side: what was written before positions had ids.
    [`${topic}:0:5`, `${ID}:0:5`, 0, true],
    [`${ID}:0:5`, `${topic}:0:5`, 0, true],
    [`${topic}:0:5`, `${ID}:0:6`, 0, false],
    ['another.topic:0:5', `${ID}:0:5`, 0, false],
    // Stored an hour before the record came to be: it is of an earlier topic of that name.
    [`${topic}:0:5`, `${ID}:0:5`, HOUR, false],
    [`${topic}:0:5`, `${topic}:0:5`, HOUR, true],
    ['no position', `${ID}:0:5`, 0, false],
  ])('%s and a record at %s, appended %d ms later: the same is %s', (position, at, appendedAt, same) => {
    expect(isSamePosition({ position, storedAt: 0 }, { topic, position: at, appendedAt })).toBe(same);
  });

  it('names its topic by id or by name', () => {
    expect(parseOrigin(`${ID}:3:7`)).toEqual({ topicId: ID, partition: 3, offset: 7 });
    expect(parseOrigin('transfer.requested:3:7')?.topicId).toBe(topic);
  });
});
