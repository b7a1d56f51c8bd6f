// A copy or a forgery of what was put aside is told of, and is no end of the record that it says it is.
import { describe, expect, it } from 'vitest';
import { sealedRecovery } from '../ports/seals.ts';
import type { DeadLetterClass } from '../runtime/retries-and-dead-letters/recovery-records.ts';
import { testRings } from '../test/kit/rings.ts';
import type { TopicName } from '../topics/catalogue.ts';
import { formatCause, sourceOf } from '../topics/cause.ts';
import { deadLetterId } from '../topics/dead-letter-id.ts';
import { RECOVERY_HEADER } from '../topics/headers.ts';
import type { Entry } from './testing/entry.ts';
import { History } from './testing/history.ts';
import { AT_ONCE } from './testing/plant.ts';
import { verify } from './verify.ts';

const OWNER = 'intake';
const RETRY = 'intake.retry.5s';
const INPUTS = 'transfer.requested';

/** One transfer whose input was put aside once before it was accepted. */
class TrailOf {
  readonly history = new History();
  readonly input: Entry;
  readonly bytes: Buffer;

  constructor() {
    this.history.tell('completed');
    this.history.fillStores();
    this.input = this.history.entries.find(({ topic }) => topic === INPUTS)!;
    this.bytes = this.history.codec.encode(INPUTS as TopicName, this.input.value);
  }

  #write(topic: string, headers: Record<string, string>, isSealed: boolean): Entry {
    const { partition, key } = this.input;
    const record = { topic, partition, key, value: this.bytes, headers };
    const written = isSealed ? sealedRecovery(testRings, record) : record;
    return this.history.append(topic, partition, {
      key,
      bytes: this.bytes,
      headers: written.headers as Record<string, string>,
    });
  }

  get #source(): Record<string, string> {
    return {
      [RECOVERY_HEADER.sourceTopic]: INPUTS,
      [RECOVERY_HEADER.sourcePartition]: String(this.input.partition),
      [RECOVERY_HEADER.sourceOffset]: String(this.input.offset),
      [RECOVERY_HEADER.replayCount]: '0',
    };
  }

  retry(isSealed = true): Entry {
    return this.#write(RETRY, this.#source, isSealed);
  }

  /** The letter of a retry: of its source, or of itself. */
  letter(of: Entry, wish: { kind: DeadLetterClass; is: 'source' | 'copy' | 'itself'; isSealed?: boolean }): Entry {
    const { partition, offset } = of;
    const at = { topicId: RETRY, partition, offset };
    const source = { topicId: INPUTS, partition: this.input.partition, offset: this.input.offset, replayCount: 0 };
    const failed = {
      source,
      copy: { ...source, letterAt: at },
      itself: { ...at, replayCount: 0 },
    }[wish.is];
    const headers = {
      ...this.#source,
      ...(wish.is === 'itself'
        ? { [RECOVERY_HEADER.sourceTopic]: RETRY, [RECOVERY_HEADER.sourceOffset]: String(offset) }
        : {}),
      ...(wish.is === 'copy' ? { [RECOVERY_HEADER.deadLetterPosition]: `${RETRY}:${partition}:${offset}` } : {}),
      [RECOVERY_HEADER.recoveryCause]: formatCause({ source: sourceOf(OWNER, RETRY), partition, offset, nth: 0 }),
      [RECOVERY_HEADER.deadLetterId]: deadLetterId({ owner: OWNER, source: failed }),
      [RECOVERY_HEADER.deadLetterCode]: 'FOR_A_TEST',
      [RECOVERY_HEADER.deadLetterClass]: wish.kind,
    };
    return this.#write('intake.dlq', headers, wish.isSealed ?? true);
  }

  async codes(rings: boolean): Promise<readonly string[]> {
    const { keys: _, ...sources } = this.history.sources();
    // Events of a history bear no seal: only what is said of detours is looked at.
    const report = await verify({ ...sources, ...(rings ? { rings: testRings } : {}) }, AT_ONCE);
    const ofTrail = report.findings.filter(
      ({ code, position }) => !code.startsWith('SEAL_') || position?.includes(OWNER),
    );
    return ofTrail.filter(({ code }) => /^(SEAL|INPUT|DEAD_LETTER|DETOUR)_/.test(code)).map(({ code }) => code);
  }
}

describe('of an input that was put aside and then accepted', () => {
  it('the letter of a copy is no second end', async () => {
    const trail = new TrailOf();
    trail.retry();
    trail.letter(trail.retry(), { kind: 'repeated', is: 'copy' });
    expect(await trail.codes(false)).toEqual([]);
  });

  it('the letter of a forgery is none of its letters', async () => {
    const trail = new TrailOf();
    trail.letter(trail.retry(false), { kind: 'unproven', is: 'itself' });
    expect(await trail.codes(false)).toEqual([]);
    // Once the keys are there, the forgery is named, and its letter is as it must be. (Events of a history bear no seal.)
    expect((await trail.codes(true)).filter((code) => code !== 'INPUT_LOST')).toEqual(['SEAL_MISSING']);
  });

  it.each(['unproven', 'repeated'] as const)('a letter (%s) under the id of its source is wrong', async (kind) => {
    const trail = new TrailOf();
    trail.letter(trail.retry(), { kind, is: 'source' });
    expect(await trail.codes(false)).toContain('DEAD_LETTER_ID_WRONG');
  });

  it('a true letter beside it is a second end', async () => {
    const trail = new TrailOf();
    trail.letter(trail.retry(), { kind: 'exhausted', is: 'source' });
    expect(await trail.codes(false)).toEqual(['INPUT_ENDED_TWICE']);
  });
});

describe('of an input of which nothing came', () => {
  const lost = () => {
    const trail = new TrailOf();
    const { entries } = trail.history;
    for (const entry of entries.filter(({ topic }) => topic !== INPUTS)) entries.splice(entries.indexOf(entry), 1);
    return trail;
  };

  it('a letter or retry that nobody sealed hides nothing', async () => {
    const trail = lost();
    trail.letter(trail.retry(false), { kind: 'exhausted', is: 'source', isSealed: false });
    expect((await trail.codes(true)).toSorted()).toEqual(['INPUT_LOST', 'SEAL_MISSING', 'SEAL_MISSING']);
  });

  it('the letter of a forgery hides nothing', async () => {
    const trail = lost();
    trail.letter(trail.retry(false), { kind: 'unproven', is: 'itself' });
    expect(await trail.codes(false)).toEqual(['INPUT_LOST']);
  });

  it('the letter of the last that said it was it stands for it', async () => {
    const trail = lost();
    trail.letter(trail.retry(), { kind: 'repeated', is: 'copy' });
    expect(await trail.codes(true)).toEqual([]);
  });
});
