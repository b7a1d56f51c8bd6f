// Who gets which partitions: partition p of all of a consumer's topics goes to the same member, members hold as many
// partitions as their share, and they keep what they had.

export interface Member {
  readonly memberId: string;
  /** Topics this member reads; members differ while a new version is being rolled out. */
  readonly topics: readonly string[];
  /** Partition numbers that it held in the last generation. */
  readonly held: readonly number[];
}

/** Partitions by topic, by member. Members without any are in it too: they stand by. */
export type Assignment = ReadonlyMap<string, Readonly<Record<string, readonly number[]>>>;

/**
 * Shares partition numbers out over the members. `partitionCounts` gives each topic's number of partitions; partition p of
 * a topic that the owner of p does not read goes to a member that does.
 */
export function assignPartitions(members: readonly Member[], partitionCounts: ReadonlyMap<string, number>): Assignment {
  const sorted = [...members].sort((one, other) => (one.memberId < other.memberId ? -1 : 1));
  const owners = ownersOf(sorted, Math.max(0, ...partitionCounts.values()));
  const assignment = new Map<string, Record<string, number[]>>(sorted.map(({ memberId }) => [memberId, {}]));
  for (const [topic, count] of [...partitionCounts].sort()) {
    const readers = sorted.filter(({ topics }) => topics.includes(topic));
    if (readers.length === 0) continue;
    for (let partition = 0; partition < count; partition++) {
      const owner = owners[partition]!;
      const reader = owner.topics.includes(topic) ? owner : readers[partition % readers.length]!;
      const byTopic = assignment.get(reader.memberId)!;
      byTopic[topic] ??= [];
      byTopic[topic].push(partition);
    }
  }
  return assignment;
}

/** The member that owns each partition number: what members hold stays, up to their share; the rest fills them up. */
function ownersOf(members: readonly Member[], partitions: number): Member[] {
  const owners: (Member | undefined)[] = new Array(partitions).fill(undefined);
  const share = Math.floor(partitions / members.length);
  let larger = partitions % members.length; // members that get one more than the share
  const counts = new Map<Member, number>(members.map((member) => [member, 0]));
  // Those who hold most keep the larger shares, so that the fewest partitions move.
  const byHeld = [...members].sort((one, other) => other.held.length - one.held.length);
  const room = new Map<Member, number>(byHeld.map((member) => [member, share + (larger-- > 0 ? 1 : 0)]));
  for (const member of byHeld) {
    for (const partition of member.held) {
      if (partition >= partitions || owners[partition] !== undefined) continue;
      if (counts.get(member)! >= room.get(member)!) break;
      owners[partition] = member;
      counts.set(member, counts.get(member)! + 1);
    }
  }
  for (let partition = 0; partition < partitions; partition++) {
    if (owners[partition] !== undefined) continue;
    const member = members.find((candidate) => counts.get(candidate)! < room.get(candidate)!)!;
    owners[partition] = member;
    counts.set(member, counts.get(member)! + 1);
  }
  return owners as Member[];
}
