// The partition of a transfer on every chain topic. Chosen once, by intake, and carried in the envelope from then on, so
// that adding partitions later moves no transfer that is already under way.

const SEED = 0x9747b28c;
const M = 0x5bd1e995;

/** murmur2 as Kafka's own default partitioner computes it: producers that use it land on the home partition at once. */
export function murmur2(bytes: Uint8Array): number {
  const { length } = bytes;
  let hash = (SEED ^ length) | 0;
  const whole = length & ~3;
  for (let i = 0; i < whole; i += 4) {
    let k = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    k = Math.imul(k, M);
    k ^= k >>> 24;
    hash = Math.imul(hash, M) ^ Math.imul(k, M);
  }
  const rest = length - whole;
  if (rest === 3) hash ^= bytes[whole + 2]! << 16;
  if (rest >= 2) hash ^= bytes[whole + 1]! << 8;
  if (rest >= 1) hash = Math.imul(hash ^ bytes[whole]!, M);
  hash = Math.imul(hash ^ (hash >>> 13), M);
  return hash ^ (hash >>> 15);
}

/** Home partition of a new transfer among `chainPartitions` partitions (a positive integer). */
export function homePartition(transferId: string, chainPartitions: number): number {
  return (murmur2(Buffer.from(transferId, 'utf8')) & 0x7fffffff) % chainPartitions;
}
