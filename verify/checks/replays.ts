// Each dead letter was decided again once: of two replays of it, something came of one at most, and the first that was handled
// has claimed it. What the payout executor does is no record of the log: there the claims alone tell.

import { formatOrigin, parseOrigin } from '../../domain/transfers/origin-position.ts';
import type { LogRecord } from '../../ports/log.ts';
import type { ReplayClaim } from '../../ports/replay-claims.ts';
import { parseCause, sourceOf } from '../../topics/cause.ts';
import { HEADER, headerText, RECOVERY_HEADER } from '../../topics/headers.ts';
import { replayTopic } from '../../topics/recovery.ts';
import { type Check, needsStores, type Run } from '../check.ts';
import { digest } from '../digest.ts';
import type { FindingCode } from '../finding-codes.ts';
import { replayedLetter } from '../recovery-trail.ts';
import { MARKING } from '../topics.ts';
import { positionOf } from '../transfer.ts';

interface Replay {
  /** Who decides again. */
  readonly owner: string;
  /** What a replay claims: one letter of a record and its copies. */
  readonly letter: string;
  readonly partition: number;
  readonly offset: number;
  readonly transferId: string | undefined;
  /** As the record of the replay names it. */
  readonly replayId: string | undefined;
}

/** The checks of one run: they share the replays, and what names one as its cause. */
export function replayChecks(): readonly Check[] {
  const seen = new Seen();
  return [decidedOnce(seen), claimed(seen), discarded(seen), named(seen)];
}

/** What came of a replay, as one record of a contract topic tells. */
interface Made {
  readonly topic: string;
  readonly code: string | undefined;
  readonly position: string;
  readonly transferId: string | undefined;
}

class Seen {
  readonly known = new Map<string, Replay>();
  /** Places of replays of which something came. */
  readonly effects = new Set<string>();
  /** Places of replays that were put aside unread: they decide nothing, and claim nothing. */
  readonly unread = new Set<string>();
  /** Reasons of those that end their letters, by place. */
  readonly discards = new Map<string, string>();
  readonly made = new Map<string, Made>();
  /** Rejections for the reason that only operators give, and the place of what each was made from. */
  readonly ended: (Made & { readonly cause: string })[] = [];
  /** Places of replays by the event that was made from them, and the replays that rows of the lifecycle name: by `factOf`. */
  readonly eventsOf = new Map<string, string>();
  readonly rowsOf = new Map<string, string>();
  /** Rows that name a replay, or whose event was made from one. */
  readonly rows: (Pick<Made, 'position' | 'transferId'> & {
    readonly place: string | undefined;
    readonly stated: string | null;
  })[] = [];
  #sources: ReadonlySet<string> | undefined;

  /** @returns the place, where it is one of a replay */
  caused(text: string | undefined, places: Set<string>, run: Run): string | undefined {
    const cause = text === undefined ? undefined : parseCause(text);
    if (cause === undefined) return undefined;
    this.#sources ??= new Set([...MARKING].map((owner) => sourceOf(owner, topicIdOf(owner, run))));
    if (!this.#sources.has(cause.source)) return undefined;
    const place = `${cause.source}:${cause.partition}:${cause.offset}`;
    places.add(place);
    return place;
  }
}

function decidedOnce(seen: Seen): Check {
  const name = 'replays';
  return {
    name,
    proves: 'Each dead letter was decided again once, however often it was replayed.',
    record({ record, topic, value }, run) {
      if (topic === 'transfer.lifecycle') {
        if (value.replayId !== null) seen.rowsOf.set(factOf(value.transferId, digest(value.eventId)), value.replayId);
        return;
      }
      const cause = record.headers[HEADER.cause] && headerText(record.headers, HEADER.cause);
      const place = cause === undefined ? undefined : seen.caused(cause, seen.effects, run);
      const isRejection = topic === 'transfer.rejected' || topic === 'intent.rejected';
      const code = isRejection ? value.reasons[0]?.code : undefined;
      if (place !== undefined && 'envelope' in value) {
        const { transferId, eventId } = value.envelope;
        seen.eventsOf.set(factOf(transferId, digest(eventId)), place);
      }
      if (place === undefined && code !== 'DISC') return;
      const { partition, offset, key } = record;
      const made = { topic, code, position: positionOf(topic, partition, offset), transferId: key?.toString('utf8') };
      if (place !== undefined) seen.made.set(place, made);
      if (code === 'DISC') seen.ended.push({ ...made, cause: place ?? '' });
    },
    recovery({ owner, kind }, source, record, run) {
      if (!MARKING.has(owner)) return;
      if (kind !== 'replay') {
        const places = isUnread(record) ? seen.unread : seen.effects;
        seen.caused(headerText(record.headers, RECOVERY_HEADER.recoveryCause), places, run);
        return;
      }
      const letter = replayedLetter(source, record)?.claimed;
      if (letter === undefined) return;
      const { partition, offset, key } = record;
      const replayId = headerText(record.headers, RECOVERY_HEADER.replayId);
      const replay = { owner, letter, partition, offset, transferId: key?.toString('utf8'), replayId };
      const place = placeOf(replay, run);
      seen.known.set(place, replay);
      const discard = headerText(record.headers, RECOVERY_HEADER.discardReason);
      if (discard !== undefined) seen.discards.set(place, discard);
    },
    end(run) {
      const decided = new Map<string, Replay>();
      for (const [place, replay] of seen.known) {
        if (!seen.effects.has(place)) continue;
        const first = decided.get(replay.letter);
        decided.set(replay.letter, first ?? replay);
        if (first === undefined) continue;
        const detail = `dead letter ${replay.letter} was decided again here, and at ${placed(first).position} before`;
        run.findings.add(name, { code: 'REPLAY_DECIDED_TWICE', ...placed(replay), detail });
      }
    },
  };
}

/** A letter that operators discarded has ended its transfer, and nothing else has been made of it. */
function discarded(seen: Seen): Check {
  const name = 'discards';
  return {
    name,
    proves:
      'Of a letter that was discarded came nothing but the rejection that two persons let through, and there is no such rejection without them.',
    end(run) {
      const say = (code: FindingCode, { position, transferId }: Made, detail: string) =>
        run.findings.add(name, { code, position, ...(transferId === undefined ? {} : { transferId }), detail });
      for (const [place, reason] of seen.discards) {
        const made = seen.made.get(place);
        if (made === undefined || made.code === reason) continue;
        say('DISCARD_DIFFERS', made, `a letter was discarded for ${reason}, and ${made.topic} came of it`);
      }
      for (const made of seen.ended) {
        if (seen.discards.has(made.cause) || (made.cause !== '' && run.continues)) continue;
        say(
          'DISCARD_UNORDERED',
          made,
          'it says that operators ended the transfer, and it was made from no order of theirs',
        );
      }
    },
  };
}

/** One event of a transfer, as its facts name it. */
const factOf = (transferId: string, id: number): string => `${transferId}\n${id}`;

/** An analyst tells by it what operators sent again. */
function named(seen: Seen): Check {
  const name = 'replay-ids';
  return {
    name,
    proves: 'A lifecycle record names the replay that its event was made from, and none where it was made from none.',
    transfer({ id, partition, events, verifiedThrough }) {
      for (const { id: eventId, sequence, lifecycleRecords, lifecycleRecordSecond, topic, offset } of events) {
        // A record of version 1 names none.
        if (sequence <= verifiedThrough || lifecycleRecords === 0 || lifecycleRecordSecond === 0) continue;
        const fact = factOf(id, eventId);
        const [place, stated] = [seen.eventsOf.get(fact), seen.rowsOf.get(fact) ?? null];
        seen.rowsOf.delete(fact);
        if (place === undefined && stated === null) continue;
        seen.rows.push({ place, stated, position: positionOf(topic, partition, offset), transferId: id });
      }
    },
    end(run) {
      for (const { place, stated, position, transferId } of seen.rows) {
        const replay = place === undefined ? undefined : seen.known.get(place);
        // Of a replay that is not read here, nobody can tell.
        if (place !== undefined && replay === undefined) continue;
        const replayId = replay?.replayId ?? null;
        if (stated === replayId) continue;
        const detail = `its lifecycle record names ${stated ?? 'no replay'}, and it was made from ${replayId ?? 'none'}`;
        run.findings.add(name, { code: 'REPLAY_ID_DIFFERS', position, ...(transferId && { transferId }), detail });
      }
    },
  };
}

/** Letters asked for at a time. */
const PAGE = 1_000;

function claimed(seen: Seen): Check {
  const name = 'replay-claims';
  return {
    name,
    proves: 'Each dead letter that was replayed is claimed by the first replay of it.',
    skips: needsStores,
    async end(run) {
      const handled = [...seen.known].filter(([place, replay]) => !seen.unread.has(place) && isHandled(replay, run));
      const firsts = new Map<string, Replay>();
      for (const [, replay] of handled) {
        const first = firsts.get(replay.letter);
        if (first === undefined || replay.offset < first.offset) firsts.set(replay.letter, replay);
      }
      const letters = [...firsts.keys()];
      for (let at = 0; at < letters.length; at += PAGE) {
        const page = letters.slice(at, at + PAGE);
        const claims = await run.sources.stores!.replayClaims.find(page);
        const byLetter = new Map(claims.map((claim) => [claim.deadLetterId, claim]));
        for (const letter of page) {
          const flaw = flawOf(firsts.get(letter)!, byLetter.get(letter), run);
          if (flaw) run.findings.add(name, { ...flaw, ...placed(firsts.get(letter)!) });
        }
      }
    },
  };
}

function flawOf(
  first: Replay,
  claim: ReplayClaim | undefined,
  run: Run,
): { code: FindingCode; detail: string } | undefined {
  const { letter, owner, partition, offset } = first;
  if (claim === undefined) {
    const detail = `${owner} has handled this replay of dead letter ${letter}, and there is no claim: another may decide it again`;
    return { code: 'REPLAY_UNCLAIMED', detail };
  }
  const topicId = topicIdOf(owner, run);
  if (claim.owner === owner && claim.position === formatOrigin({ topicId, partition, offset })) return undefined;
  if (claim.owner === owner && isBefore(claim, first, run)) return undefined;
  const detail = `dead letter ${letter} is claimed for ${claim.position} of ${claim.owner}, and was replayed here first: it may have been decided twice`;
  return { code: 'REPLAY_CLAIM_DIFFERS', detail };
}

/** Whether the claim is of a replay before what this run reads, or of a topic that is there no more. */
function isBefore({ position }: ReplayClaim, { owner, partition }: Replay, run: Run): boolean {
  const place = parseOrigin(position);
  if (place === undefined) return false;
  const topic = replayTopic(owner);
  if (place.topicId !== topicIdOf(owner, run) && place.topicId !== topic) return true;
  const range = run.cut.ranges.get(topic)?.find((each) => each.partition === partition);
  return place.partition === partition && range !== undefined && place.offset < range.from;
}

/** It had no seal of its issuer, or named nothing that is read here: nobody has decided by it. */
function isUnread({ headers }: LogRecord): boolean {
  return (
    headerText(headers, RECOVERY_HEADER.deadLetterClass) === 'unproven' ||
    headerText(headers, RECOVERY_HEADER.deadLetterCode) === 'SOURCE_UNKNOWN'
  );
}

const isHandled = ({ owner, partition, offset }: Replay, { cut }: Run) =>
  cut.isHandled(owner, replayTopic(owner), partition, offset);

function placed({ owner, partition, offset, transferId }: Replay) {
  const position = positionOf(replayTopic(owner), partition, offset);
  return transferId === undefined ? { position } : { position, transferId };
}

const topicIdOf = (owner: string, { cut }: Run): string => cut.topicIds.get(replayTopic(owner)) ?? replayTopic(owner);

const placeOf = ({ owner, partition, offset }: Replay, run: Run): string =>
  `${sourceOf(owner, topicIdOf(owner, run))}:${partition}:${offset}`;
