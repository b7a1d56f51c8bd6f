// Each dead letter was decided again once: of two replays of it, something came of one at most.
import { topology } from '../../processors/topology.ts';
import { parseCause, sourceOf } from '../../runtime/cause.ts';
import { HEADER, headerText, RECOVERY_HEADER } from '../../runtime/headers.ts';
import { replayTopic } from '../../topics/recovery.ts';
import type { Check, Run } from '../check.ts';
import { replayedLetter } from '../detours.ts';
import { positionOf } from '../transfer.ts';

const NAME = 'replays';

interface Replay {
  readonly letter: string;
  readonly position: string;
  readonly transferId: string | undefined;
}

/** A check of its own per run: it keeps the replays, and what names one as its cause. */
export function replays(): Check {
  const known = new Map<string, Replay>();
  const effects = new Set<string>();
  let sources: ReadonlySet<string> | undefined;

  function caused(text: string | undefined, run: Run): void {
    const cause = text === undefined ? undefined : parseCause(text);
    if (cause === undefined) return;
    sources ??= new Set(Object.keys(topology).map((owner) => replaySource(owner, run)));
    if (sources.has(cause.source)) effects.add(`${cause.source}:${cause.partition}:${cause.offset}`);
  }

  return {
    name: NAME,
    proves: 'Each dead letter was decided again once, however often it was replayed.',
    record({ record }, run) {
      if (record.headers[HEADER.cause] !== undefined) caused(headerText(record.headers, HEADER.cause), run);
    },
    detour({ owner, kind }, source, record, run) {
      if (!Object.hasOwn(topology, owner)) return;
      if (kind !== 'replay') return caused(headerText(record.headers, RECOVERY_HEADER.detourCause), run);
      const letter = replayedLetter(source, record);
      if (letter === undefined) return;
      const { topic, partition, offset, key } = record;
      const position = positionOf(topic, partition, offset);
      const place = `${replaySource(owner, run)}:${partition}:${offset}`;
      known.set(place, { letter: letter.claimed, position, transferId: key?.toString('utf8') });
    },
    end(run) {
      const decided = new Map<string, Replay>();
      for (const [place, replay] of known) {
        if (!effects.has(place)) continue;
        const first = decided.get(replay.letter);
        decided.set(replay.letter, first ?? replay);
        if (first === undefined) continue;
        const { position, transferId } = replay;
        const named = transferId === undefined ? { position } : { position, transferId };
        const detail = `dead letter ${replay.letter} was decided again here, and at ${first.position} before`;
        run.findings.add(NAME, { code: 'REPLAY_DECIDED_TWICE', ...named, detail });
      }
    },
  };
}

const replaySource = (owner: string, { cut }: Run): string => {
  const topic = replayTopic(owner);
  return sourceOf(owner, cut.topicIds.get(topic) ?? topic);
};
