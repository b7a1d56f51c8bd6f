// Of the replays of a dead letter one was decided, and the first has claimed it: by stages and by the payout executor.
import { describe, expect, it } from 'vitest';
import type { DeadLetterClass } from '../runtime/retries-and-dead-letters/recovery-records.ts';
import { formatCause, sourceOf } from '../topics/cause.ts';
import { deadLetterId } from '../topics/dead-letter-id.ts';
import { HEADER, RECOVERY_HEADER } from '../topics/headers.ts';
import type { Entry } from './testing/entry.ts';
import { History } from './testing/history.ts';
import { AT_ONCE, entryOf } from './testing/plant.ts';
import { MARKING } from './topics.ts';
import { verify } from './verify.ts';

/** What each reads, of the records of a history. */
const READS: Readonly<Record<string, string>> = {
  intake: 'transfer.requested',
  screening: 'transfer.accepted',
  'fx-pricing': 'transfer.screened',
  limits: 'transfer.priced',
  'payout-dispatch': 'transfer.reserved',
  settlement: 'payout.updated',
  'payout-executor': 'payout.requested',
};

/** Two transfers that are completed, and the letter of a record of the first, replayed as often as one wishes. */
class Replayed {
  readonly history = new History();
  readonly owner: string;
  readonly replays: Entry[] = [];
  readonly #letter: string;
  readonly #source: Entry;

  constructor(owner: string, times: number) {
    this.owner = owner;
    for (const ending of ['completed', 'completed'] as const) this.history.tell(ending);
    this.history.fillStores();
    this.#source = entryOf(this.history, READS[owner]!);
    const { topic, partition, offset, key } = this.#source;
    const source = { topicId: topic, partition, offset, replayCount: 0 };
    this.#letter = deadLetterId({ owner, source });
    for (let i = 0; i < times; i++) {
      this.replays.push(
        this.history.append(`${owner}.replay`, partition, {
          key,
          bytes: Buffer.from('as it was'),
          headers: {
            [RECOVERY_HEADER.sourceTopic]: topic,
            [RECOVERY_HEADER.sourcePartition]: String(partition),
            [RECOVERY_HEADER.sourceOffset]: String(offset),
            [RECOVERY_HEADER.deadLetterId]: this.#letter,
            [RECOVERY_HEADER.replayCount]: '1',
            [RECOVERY_HEADER.replayId]: `r-${i}`,
          },
        }),
      );
    }
  }

  /** The claim on the letter, for one of the replays. */
  claim(which: number, owner = this.owner): this {
    const { topic, partition, offset } = this.replays[which]!;
    this.history.stores.replayClaims.put({
      deadLetterId: this.#letter,
      owner,
      replayId: `r-${which}`,
      position: `${topic}:${partition}:${offset}`,
      claimedAt: 0,
    });
    return this;
  }

  #cause({ topic, partition, offset }: Entry): string {
    return formatCause({ source: sourceOf(this.owner, topic), partition, offset, nth: 0 });
  }

  /** Something came of this replay: an event is its effect. */
  decided(which: number): this {
    const event = entryOf(this.history, 'transfer.priced', which);
    event.headers[HEADER.cause] = this.#cause(this.replays[which]!);
    this.named(which, `r-${which}`);
    return this;
  }

  /** What the lifecycle says of the replay that this event was made from. */
  named(which: number, replayId: string | null): void {
    const { eventId } = entryOf(this.history, 'transfer.priced', which).value.envelope;
    const rows = this.history.entries.filter(({ topic }) => topic === 'transfer.lifecycle');
    const row = rows.find(({ value }) => value.eventId === eventId)!;
    row.value = { ...row.value, replayId };
  }

  /** It was put aside again. */
  aside(which: number, kind: DeadLetterClass, code = 'FOR_A_TEST'): this {
    const replay = this.replays[which]!;
    const { topic, partition, offset, key } = this.#source;
    const source = { topicId: topic, partition, offset, replayCount: 1 };
    const own = { topicId: replay.topic, partition: replay.partition, offset: replay.offset, replayCount: 0 };
    const isUnread = kind === 'unproven' || code === 'SOURCE_UNKNOWN';
    this.history.append(`${this.owner}.dlq`, partition, {
      key,
      bytes: Buffer.from('as it was'),
      headers: {
        [RECOVERY_HEADER.sourceTopic]: isUnread ? own.topicId : topic,
        [RECOVERY_HEADER.sourcePartition]: String(partition),
        [RECOVERY_HEADER.sourceOffset]: String(isUnread ? own.offset : offset),
        [RECOVERY_HEADER.deadLetterId]: deadLetterId({ owner: this.owner, source: isUnread ? own : source }),
        [RECOVERY_HEADER.deadLetterClass]: kind,
        [RECOVERY_HEADER.deadLetterCode]: code,
        [RECOVERY_HEADER.recoveryCause]: this.#cause(replay),
        [RECOVERY_HEADER.replayCount]: isUnread ? '0' : '1',
      },
    });
    return this;
  }

  async codes(): Promise<readonly string[]> {
    const report = await verify(this.history.sources(), AT_ONCE);
    return Object.keys(report.codes).filter((code) => code.startsWith('REPLAY_'));
  }
}

it('a lifecycle record names the replay that its event was made from, and no other', async () => {
  const decided = () => new Replayed('fx-pricing', 1).claim(0).decided(0);
  expect(await decided().codes()).toEqual([]);
  for (const other of ['r-1', null]) {
    const world = decided();
    world.named(0, other);
    expect([other, await world.codes()]).toEqual([other, ['REPLAY_ID_DIFFERS']]);
  }
  // Its event was made from no replay.
  const world = new Replayed('fx-pricing', 0);
  expect(await world.codes()).toEqual([]);
  world.named(1, 'r-9');
  expect(await world.codes()).toEqual(['REPLAY_ID_DIFFERS']);
});

it('knows what everybody reads who claims replays', () => {
  expect(Object.keys(READS).toSorted()).toEqual([...MARKING].toSorted());
});

describe.each([...MARKING])('%s: a dead letter', (owner) => {
  it('that was replayed twice, claimed by the first and decided by it, is in order', async () => {
    expect(await new Replayed(owner, 2).claim(0).decided(0).codes()).toEqual([]);
  });

  it('of which nothing is seen in the log is in order by its claim', async () => {
    expect(await new Replayed(owner, 2).claim(0).codes()).toEqual([]);
  });

  it('of whose replays something came twice was decided twice', async () => {
    expect(await new Replayed(owner, 2).claim(0).decided(0).decided(1).codes()).toEqual(['REPLAY_DECIDED_TWICE']);
  });

  it('whose replay was handled and that nobody claimed is a finding', async () => {
    expect(await new Replayed(owner, 1).codes()).toEqual(['REPLAY_UNCLAIMED']);
  });

  it('that a later replay has claimed was perhaps decided twice: the first claim was deleted', async () => {
    expect(await new Replayed(owner, 2).claim(1).codes()).toEqual(['REPLAY_CLAIM_DIFFERS']);
  });

  it('that somebody else has claimed is a finding', async () => {
    expect(await new Replayed(owner, 1).claim(0, 'somebody').codes()).toEqual(['REPLAY_CLAIM_DIFFERS']);
  });

  it('that was put aside again was decided all the same', async () => {
    const twice = new Replayed(owner, 2).claim(0).aside(0, 'refused').aside(1, 'refused');
    expect(await twice.codes()).toEqual(['REPLAY_DECIDED_TWICE']);
  });

  it('needs no claim where its replay was put aside unread', async () => {
    expect(await new Replayed(owner, 1).aside(0, 'unproven').codes()).toEqual([]);
    expect(await new Replayed(owner, 1).aside(0, 'undecodable', 'SOURCE_UNKNOWN').codes()).toEqual([]);
    expect(await new Replayed(owner, 2).aside(0, 'unproven').claim(1).decided(1).codes()).toEqual([]);
  });
});
