// Each dead letter was decided again once: of two replays of it, something came of one at most, and the first that was handled
// has claimed it. What the payout executor does is no record of the log: there the claims alone tell.

import { formatOrigin, parseOrigin } from '../../domain/transfers/origin-position.ts';
import type { LogRecord } from '../../ports/log.ts';
import type { ReplayClaim } from '../../ports/replay-claims.ts';
import { parseCause, sourceOf } from '../../topics/cause.ts';
import { HEADER, headerText, RECOVERY_HEADER } from '../../topics/headers.ts';
import { replayTopic } from '../../topics/recovery.ts';
import { type Check, needsStores, type Run } from '../check.ts';
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
}

/** The checks of one run: they share the replays, and what names one as its cause. */
export function replayChecks(): readonly Check[] {
  const seen = new Seen();
  return [decidedOnce(seen), claimed(seen)];
}

class Seen {
  readonly known = new Map<string, Replay>();
  /** Places of replays of which something came. */
  readonly effects = new Set<string>();
  /** Places of replays that were put aside unread: they decide nothing, and claim nothing. */
  readonly unread = new Set<string>();
  #sources: ReadonlySet<string> | undefined;

  caused(text: string | undefined, places: Set<string>, run: Run): void {
    const cause = text === undefined ? undefined : parseCause(text);
    if (cause === undefined) return;
    this.#sources ??= new Set([...MARKING].map((owner) => sourceOf(owner, topicIdOf(owner, run))));
    if (this.#sources.has(cause.source)) places.add(`${cause.source}:${cause.partition}:${cause.offset}`);
  }
}

function decidedOnce(seen: Seen): Check {
  const name = 'replays';
  return {
    name,
    proves: 'Each dead letter was decided again once, however often it was replayed.',
    record({ record }, run) {
      if (record.headers[HEADER.cause] === undefined) return;
      seen.caused(headerText(record.headers, HEADER.cause), seen.effects, run);
    },
    recovery({ owner, kind }, source, record, run) {
      if (!MARKING.has(owner)) return;
      if (kind !== 'replay') {
        const places = isUnread(record) ? seen.unread : seen.effects;
        return seen.caused(headerText(record.headers, RECOVERY_HEADER.recoveryCause), places, run);
      }
      const letter = replayedLetter(source, record)?.claimed;
      if (letter === undefined) return;
      const { partition, offset, key } = record;
      const replay = { owner, letter, partition, offset, transferId: key?.toString('utf8') };
      seen.known.set(placeOf(replay, run), replay);
    },
    end(run) {
      const decided = new Map<string, Replay>();
      for (const [place, replay] of seen.known) {
        if (!seen.effects.has(place)) continue;
        const first = decided.get(replay.letter);
        decided.set(replay.letter, first ?? replay);
        if (first === undefined) continue;
        const detail = `dead letter ${replay.letter} was decided again here, and at ${named(first).position} before`;
        run.findings.add(name, { code: 'REPLAY_DECIDED_TWICE', ...named(replay), detail });
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
          if (flaw) run.findings.add(name, { ...flaw, ...named(firsts.get(letter)!) });
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

function named({ owner, partition, offset, transferId }: Replay) {
  const position = positionOf(replayTopic(owner), partition, offset);
  return transferId === undefined ? { position } : { position, transferId };
}

const topicIdOf = (owner: string, { cut }: Run): string => cut.topicIds.get(replayTopic(owner)) ?? replayTopic(owner);

const placeOf = ({ owner, partition, offset }: Replay, run: Run): string =>
  `${sourceOf(owner, topicIdOf(owner, run))}:${partition}:${offset}`;
