// A payout as an ISO 20022 message, from the log: what payout dispatch has asked for last. Personal data.

import { instructionOf, openParties } from '../../payouts/instruction.ts';
import { addressFaults, pacs008 } from '../../payouts/iso20022/pacs-008.ts';
import type { Codec } from '../../ports/codec.ts';
import { CodedError } from '../../ports/fault.ts';
import type { Log, LogRecord, PartitionRange } from '../../ports/log.ts';
import { hasRing, type Rings, sealFlaw } from '../../ports/seals.ts';
import type { PayoutRequested } from '../../schemas/types.generated.ts';
import { homePartition } from '../../topics/home-partition.ts';

const TOPIC = 'payout.requested';
const DAY_CHARACTERS = 10;

export interface MessageSources {
  readonly log: Pick<Log, 'reader'>;
  readonly codec: Codec;
  /** With those of the stages, what payout dispatch has not sealed was never asked for; without, nothing is proven. */
  readonly keys: Rings;
  /** Partitions of the topics of the chain. */
  readonly chainPartitions: number;
}

/** BICs of the two sides, and when the message is made, ms since 1970. */
export interface MessageSides {
  readonly from: string;
  readonly to: string;
  readonly now: number;
}

export interface PayoutMessage {
  readonly xml: string;
  /** What the addresses lack for CBPR+; empty: nothing. */
  readonly faults: readonly string[];
}

/**
 * @throws CodedError TRANSFER_UNKNOWN when no payout was asked for, PARTIES_SEALED when nobody here can open the parties
 */
export async function payoutMessage(sources: MessageSources, id: string, sides: MessageSides): Promise<PayoutMessage> {
  const requested = await lastRequestOf(sources, id);
  if (!requested) throw new CodedError('TRANSFER_UNKNOWN', `the log holds no payout that was asked for ${id}`);
  return messageOf(requested, sides);
}

/** The message of one request. Pure. */
export function messageOf(requested: PayoutRequested, { from, to, now }: MessageSides): PayoutMessage {
  const parties = openParties(requested);
  if (!parties) throw new CodedError('PARTIES_SEALED', 'the parties of this transfer are sealed');
  const { envelope, price } = requested;
  // The key of an attempt does not travel in the message; the UETR is one for all of them.
  const attempt = { key: `${envelope.transferId}:${envelope.attempt}`, expiresAt: price.expiresAt };
  const instruction = instructionOf(requested, parties, attempt);
  const settlementDate = new Date(now).toISOString().slice(0, DAY_CHARACTERS);
  const terms = { from, to, createdAt: now, settlementDate, instructed: price.principal, rate: price.customerRate };
  return { xml: pacs008(instruction, terms), faults: addressFaults(instruction) };
}

/** Whether who asked for a payout can be proven here. */
export const isChecked = (keys: Rings): boolean => hasRing(keys, 'stages');

async function lastRequestOf(sources: MessageSources, id: string): Promise<PayoutRequested | undefined> {
  await sources.codec.load([TOPIC]);
  const ranges = await sources.log.reader().offsets([TOPIC]);
  const home = homePartition(id, sources.chainPartitions);
  // Partitions may have been added since: the others are read only when the home of the id holds nothing.
  const found = await requestsIn(
    ranges.filter(({ partition }) => partition === home),
    sources,
    id,
  );
  if (found) return found;
  return requestsIn(
    ranges.filter(({ partition }) => partition !== home),
    sources,
    id,
  );
}

async function requestsIn(
  ranges: readonly PartitionRange[],
  { log, codec, keys }: MessageSources,
  id: string,
): Promise<PayoutRequested | undefined> {
  let last: PayoutRequested | undefined;
  await log.reader().read(ranges, async ({ records }) => {
    const ofId = records.filter(({ key, unreadable }) => !unreadable && key?.toString('utf8') === id);
    const isBelieved = (record: LogRecord) => !isChecked(keys) || sealFlaw(keys, TOPIC, record) === undefined;
    const proven = ofId.filter(isBelieved).map(({ value }) => value);
    for (const result of proven.length === 0 ? [] : await codec.decode(TOPIC, proven)) {
      if (!result.ok) throw new CodedError(result.code, `${TOPIC}: ${result.detail}`);
      if (!last || result.value.envelope.sequence > last.envelope.sequence) last = result.value;
    }
  });
  return last;
}
