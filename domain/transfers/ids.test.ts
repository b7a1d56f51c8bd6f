import { v5 } from 'uuid';
import { describe, expect, it } from 'vitest';
import { firstEnvelope, nextEnvelope } from './envelope.ts';
import { deterministicId, eventIdOf, holdIdOf, intentDuplicationId, intentRejectionId } from './event-id.ts';
import { formatOrigin, parseOrigin } from './origin-position.ts';

describe('ids', () => {
  it.each([
    '',
    'transfer.accepted\nabc\n1\n1',
    'Ünïcode \u{1f4b8}',
    'x'.repeat(5_000),
    '\u20ac'.repeat(165),
    '\u20ac'.repeat(166),
  ])('are UUIDv5: %#', (name) => {
    expect(deterministicId(name)).toBe(v5(name, '7d9a1d1c-0c8b-4f0e-9b5e-6b6e2f3a4c51'));
  });

  it('are frozen: an id of the past must come out the same for ever', () => {
    expect(eventIdOf('transfer.accepted', '5f0c8f0e-3c1a-4a1e-9f63-2d9a0c1b7e11', 1, 1)).toBe(
      '18b92e76-f8eb-52c7-ad66-cb410e79286d',
    );
    expect(holdIdOf('5f0c8f0e-3c1a-4a1e-9f63-2d9a0c1b7e11', 2)).toBe('9968a178-15e9-5db9-830c-becbe7f6cac9');
  });

  it('differ by topic, transfer, attempt, sequence and kind', () => {
    const ids = [
      eventIdOf('a', 't', 1, 1),
      eventIdOf('b', 't', 1, 1),
      eventIdOf('a', 'u', 1, 1),
      eventIdOf('a', 't', 2, 1),
      eventIdOf('a', 't', 1, 2),
      holdIdOf('t', 1),
      intentRejectionId('t:0:1'),
      intentDuplicationId('t:0:1'),
    ];
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe('envelopes', () => {
  const first = firstEnvelope('transfer.accepted', {
    transferId: 't-00000001',
    causationId: 'p',
    occurredAt: 5,
    homePartition: 2,
  });

  it('start at one and rise by one', () => {
    const next = nextEnvelope(first, { topic: 'transfer.screened', causationId: first.eventId, occurredAt: 6 });
    expect(first).toMatchObject({ sequence: 1, attempt: 1, homePartition: 2 });
    expect(next).toEqual({
      eventId: eventIdOf('transfer.screened', 't-00000001', 1, 2),
      transferId: 't-00000001',
      sequence: 2,
      attempt: 1,
      causationId: first.eventId,
      occurredAt: 6,
      homePartition: 2,
    });
  });
});

describe('origin positions', () => {
  it('read back what was written, also when the topic id holds colons', () => {
    for (const topicId of ['Zk9-_aQ', 'a:b']) {
      const position = { topicId, partition: 11, offset: 9_007_199_254_740_991 };
      expect(parseOrigin(formatOrigin(position))).toEqual(position);
    }
    for (const text of ['', 'a:1', 'a:b:1', 'a:1:-1']) expect(parseOrigin(text)).toBeUndefined();
  });
});
