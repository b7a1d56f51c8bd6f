// A dead letter is decided again once, however often it is replayed: the replay that is handled first claims the letter for
// the place where it stands in the log. It may run again there (its process died before the commit); any other record, a
// copy of it or the replay of a second operator, finds the claim and changes nothing.
import { formatOrigin } from '../../domain/transfers/origin-position.ts';
import type { ReplayClaim, ReplayClaims } from '../../ports/replay-claims.ts';
import { letterOfReplay } from '../../topics/dead-letter-id.ts';
import { headerText, RECOVERY_HEADER } from '../../topics/headers.ts';
import type { InboundRecord, Refusal } from '../hosts/inbound-records.ts';

export interface ReplayTerms {
  readonly owner: string;
  readonly claims: ReplayClaims;
  /** Wall clock, ms. */
  readonly now: number;
}

/**
 * Drops what was replayed before, and what does not say which letter it replays: the letter stays where it is. One round
 * trip for a batch.
 *
 * @throws CodedError MONGO_UNAVAILABLE
 */
export async function withoutRepeatedReplays(
  inboundRecords: readonly InboundRecord[],
  terms: ReplayTerms,
): Promise<readonly InboundRecord[]> {
  const replays = inboundRecords.map((inbound) => (isProven(inbound) ? replayOf(inbound, terms) : undefined));
  const wanted = new Map<string, ReplayClaim>();
  for (const { claim } of replays.filter((replay) => replay !== undefined)) {
    if (claim && !wanted.has(claim.deadLetterId)) wanted.set(claim.deadLetterId, claim);
  }
  const standing = wanted.size > 0 ? await terms.claims.claim([...wanted.values()]) : [];
  const positions = new Map(standing.map(({ deadLetterId: id, position }) => [id, position]));
  return inboundRecords.map((inbound, index) => {
    const replay = replays[index];
    if (replay === undefined) return inbound;
    if (replay.claim === undefined) return { ...inbound, received: undefined, refusal: UNIDENTIFIED };
    const { deadLetterId: id, position } = replay.claim;
    return positions.get(id) === position ? inbound : { ...inbound, received: undefined, refusal: repeated(id) };
  });
}

/** Its seal was right, and it names a source: what is not even that is put aside by itself. */
const isProven = ({ record, refusal }: InboundRecord): boolean =>
  !record.unreadable && refusal?.kind !== 'unproven' && refusal?.kind !== 'stop' && refusal?.code !== 'SOURCE_UNKNOWN';

interface Replay {
  /** Undefined: it names no letter. */
  readonly claim: ReplayClaim | undefined;
}

function replayOf({ record, topicId, source }: InboundRecord, { owner, now }: ReplayTerms): Replay {
  const letter = letterOfReplay(record.headers, { owner, source });
  if (letter === undefined) return { claim: undefined };
  const { partition, offset, headers } = record;
  const replayId = headerText(headers, RECOVERY_HEADER.replayId)!.slice(0, MAX_REPLAY_ID_CHARACTERS);
  const position = formatOrigin({ topicId, partition, offset });
  return { claim: { deadLetterId: letter.claimed, owner, replayId, position, claimedAt: now } };
}

const MAX_REPLAY_ID_CHARACTERS = 200;

const UNIDENTIFIED: Refusal = {
  kind: 'dropped',
  code: 'REPLAY_UNIDENTIFIED',
  detail: 'a replay keeps the dlq-id of its dead letter, raises its replay-count by one, and has a replay-id',
};

const repeated = (id: string): Refusal => ({
  kind: 'dropped',
  code: 'REPLAY_REPEATED',
  detail: `dead letter ${id} was replayed before: what became of it is in the log`,
});
