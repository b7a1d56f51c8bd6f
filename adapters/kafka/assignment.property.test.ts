import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Assignment, assignPartitions, type Member } from './assignment.ts';

const member = (memberId: string, held: readonly number[] = [], topics: readonly string[] = ['a', 'b']): Member => ({
  memberId,
  topics,
  held,
});
const counts = (partitions: number) =>
  new Map([
    ['a', partitions],
    ['b', partitions],
  ]);
/** Partition numbers by member, and the same for the next generation's `held`. */
const shares = (assignment: Assignment, topic = 'a') =>
  new Map([...assignment].map(([memberId, byTopic]) => [memberId, byTopic[topic] ?? []]));
const rejoin = (assignment: Assignment, ids: readonly string[]) =>
  ids.map((memberId) => member(memberId, assignment.get(memberId)?.['a'] ?? []));

const ids = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 9 });
const partitions = fc.integer({ min: 1, max: 40 });
const held = fc.array(fc.nat(50), { maxLength: 20 });

describe('assignment', () => {
  test('gives every partition to one member, the same for all topics, in equal shares', () => {
    fc.assert(
      fc.property(ids, partitions, fc.infiniteStream(held), (names, count, holdings) => {
        const members = names.map((name) => member(name, holdings.next().value as number[]));
        const assignment = assignPartitions(members, counts(count));
        const all = [...shares(assignment).values()].flat().sort((one, other) => one - other);
        expect(all).toEqual(Array.from({ length: count }, (_, index) => index));
        expect(shares(assignment, 'b')).toEqual(shares(assignment, 'a'));
        const sizes = [...shares(assignment).values()].map(({ length }) => length);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
        expect(assignment.size).toBe(names.length);
      }),
    );
  });

  test('changes nothing when the members stay the same', () => {
    fc.assert(
      fc.property(ids, partitions, (names, count) => {
        const first = assignPartitions(
          names.map((name) => member(name)),
          counts(count),
        );
        expect(assignPartitions(rejoin(first, names), counts(count))).toEqual(first);
      }),
    );
  });

  test('moves no more than the share of the member that came or left', () => {
    fc.assert(
      fc.property(ids, partitions, fc.boolean(), (names, count, comes) => {
        const others = names.slice(1);
        if (others.length === 0) return;
        const [before, after] = comes ? [others, names] : [names, others];
        const first = assignPartitions(
          before.map((name) => member(name)),
          counts(count),
        );
        const second = assignPartitions(rejoin(first, after), counts(count));
        const ownerIn = (assignment: Assignment, partition: number) =>
          [...assignment].find(([, byTopic]) => byTopic['a']?.includes(partition))?.[0];
        const moved = Array.from({ length: count }, (_, index) => index).filter(
          (partition) => ownerIn(first, partition) !== ownerIn(second, partition),
        );
        expect(moved.length).toBeLessThanOrEqual(Math.ceil(count / Math.min(before.length, after.length)));
      }),
    );
  });

  test('lets members beyond the partitions stand by', () => {
    const assignment = assignPartitions([member('x'), member('y'), member('z')], counts(2));
    expect([...shares(assignment).values()].map(({ length }) => length).sort()).toEqual([0, 1, 1]);
  });

  test('gives a topic only to members that read it, during a roll-out', () => {
    const old = member('old', [0, 1, 2, 3], ['a']);
    const fresh = member('new', [], ['a', 'c']);
    const assignment = assignPartitions(
      [old, fresh],
      new Map([
        ['a', 4],
        ['c', 4],
      ]),
    );
    expect(assignment.get('old')?.['c']).toBeUndefined();
    expect(assignment.get('new')?.['c']).toEqual([0, 1, 2, 3]);
    expect(assignment.get('old')?.['a']).toEqual([0, 1]);
  });

  test('leaves out a topic that nobody reads', () => {
    const assignment = assignPartitions(
      [member('x', [], ['a'])],
      new Map([
        ['a', 1],
        ['c', 1],
      ]),
    );
    expect(assignment.get('x')).toEqual({ a: [0] });
  });
});
