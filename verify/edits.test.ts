// What operators edited of a dead letter is no change on the way; anything else still is.
import { describe, expect, it } from 'vitest';
import type { LogRecord } from '../ports/log.ts';
import { editText } from '../processors/edits.ts';
import { accepted, requested } from '../test/kit/events.ts';
import { memoryCodec } from '../test/kit/memory-codec.ts';
import { RECOVERY_HEADER } from '../topics/headers.ts';
import { unchanged } from './checks/unchanged.ts';
import { partiesDigest, payloadDigest } from './content-digests.ts';
import { editFactOf } from './edits.ts';
import { RecoveryTrail } from './recovery-trail.ts';
import { Findings } from './report.ts';

const codec = memoryCodec();
const EDIT = editText([{ path: '/parties/remittanceInformation', value: 'rent' }]);
type Open = { readonly 'corridor.Parties': object };

function withText<V extends { readonly parties: unknown }>(value: V): V {
  const { 'corridor.Parties': open } = value.parties as Open;
  return { ...value, parties: { 'corridor.Parties': { ...open, remittanceInformation: 'rent' } } };
}

function replay(topic: 'transfer.requested' | 'transfer.accepted', value: object, edit?: string): LogRecord {
  const headers = {
    [RECOVERY_HEADER.sourceTopic]: topic,
    [RECOVERY_HEADER.sourcePartition]: '1',
    [RECOVERY_HEADER.sourceOffset]: '7',
    ...(edit === undefined ? {} : { [RECOVERY_HEADER.edit]: edit }),
  };
  const buffers = Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)]));
  const bytes = codec.encode(topic, value as never);
  return { topic: 'x.replay', partition: 1, offset: 0, timestamp: 0, key: null, value: bytes, headers: buffers };
}

const trailOf = () =>
  new RecoveryTrail(
    () => false,
    () => true,
  );

describe('an edit', () => {
  it('is known by what it makes of the record that it is of', async () => {
    const [intent, event] = [requested(), accepted()];
    expect(await editFactOf('intake', 'transfer.requested', replay('transfer.requested', intent, EDIT), codec)).toEqual(
      {
        before: payloadDigest(intent),
        after: payloadDigest(withText(intent)),
      },
    );
    expect(await editFactOf('screening', 'transfer.accepted', replay('transfer.accepted', event, EDIT), codec)).toEqual(
      {
        before: partiesDigest(event.parties),
        after: partiesDigest(withText(event).parties),
      },
    );
  });

  it('that its stage would not apply is none', async () => {
    const locked = editText([{ path: '/parties/creditor/name', value: 'x' }]);
    for (const edit of [undefined, locked, 'nonsense']) {
      const record = replay('transfer.accepted', accepted(), edit);
      expect(await editFactOf('screening', 'transfer.accepted', record, codec)).toBeUndefined();
      expect(await editFactOf('settlement', 'transfer.accepted', record, codec)).toBeUndefined();
    }
  });

  it('excuses its own change of its own record, and no other', async () => {
    const event = accepted();
    const record = replay('transfer.accepted', event, EDIT);
    const fact = (await editFactOf('screening', 'transfer.accepted', record, codec))!;
    const say = (offset: number, after: number, owner = 'screening', edit = fact) => {
      const trail = trailOf();
      trail.add(owner, 'replay', record, edit);
      const findings = new Findings(20);
      const common = { seen: 1, screening: 0, price: 0, reservation: 0, approval: 0, instruction: 1, evidence: 0 };
      const events = [
        { ...common, topic: 'transfer.accepted', state: 'ACCEPTED', stage: 'INTAKE', parties: fact.before, offset },
        { ...common, topic: 'transfer.screened', state: 'SCREENED', stage: 'SCREENING', parties: after, offset: 9 },
      ];
      const transfer = { id: 'T', partition: 1, events, updates: [], reviews: [] };
      unchanged.transfer!(transfer as never, { findings, trail } as never);
      return findings.list().map(({ code }) => code);
    };
    expect(say(7, fact.after)).toEqual([]);
    expect(say(8, fact.after)).toEqual(['PARTIES_CHANGED']);
    expect(say(7, fact.after + 1)).toEqual(['PARTIES_CHANGED']);
    expect(say(7, fact.after, 'limits')).toEqual(['PARTIES_CHANGED']);
    expect(say(7, fact.after, 'screening', { ...fact, before: 1 })).toEqual(['PARTIES_CHANGED']);
  });

  it('goes along in a checkpoint as long as its replay waits', async () => {
    const record = replay('transfer.accepted', accepted(), EDIT);
    const fact = (await editFactOf('screening', 'transfer.accepted', record, codec))!;
    const trail = trailOf();
    const source = trail.add('screening', 'replay', record, fact)!;
    const next = new RecoveryTrail(
      () => false,
      () => true,
      structuredClone([...trail.open()]),
    );
    expect(next.isEdited(source, fact)).toBe(true);
    expect(next.isEdited({ ...source, offset: 8 }, fact)).toBe(false);
  });
});
