// Evidence of screening as it is read from the log: what no stage has written is never shown as a stage's word.
import { describe, expect, it } from 'vitest';
import { recordMaker } from '../../ports/records.ts';
import type { Rings } from '../../ports/seals.ts';
import { topology } from '../../processors/topology.ts';
import type { TransferHeld, TransferScreened } from '../../schemas/types.generated.ts';
import { transferHeld, transferScreened } from '../../test/kit/builders.ts';
import { memoryCodec } from '../../test/kit/memory-codec.ts';
import { MemoryLog } from '../../test/kit/memory-log.ts';
import { testRings } from '../../test/kit/rings.ts';
import { explanationOf } from './explanation.ts';

const { stages: _, ...withoutStages } = testRings;

function world() {
  const log = new MemoryLog({ partitions: 1 });
  const codec = memoryCodec();
  const writes = [...topology.screening.writes];
  const put = (topic: 'transfer.screened' | 'transfer.held', value: TransferScreened | TransferHeld, rings: Rings) => {
    const make = recordMaker({ owner: 'screening', writes, codec, rings });
    log.append([make(topic as 'transfer.held', value as TransferHeld, { partition: 0 })]);
  };
  const explain = (id: string, rings: Rings) => explanationOf({ log, codec, rings, chainPartitions: 1 }, id, 'masked');
  return { log, put, explain };
}

const true_ = transferHeld();
const id = true_.envelope.transferId;
/** Somebody who may write to the topic says that it was cleared, later and under keys of his own. */
const forged: TransferScreened = {
  ...transferScreened(),
  envelope: { ...true_.envelope, eventId: 'made-up', sequence: true_.envelope.sequence + 9 },
};
const strangerRings: Rings = { ...testRings, stages: testRings.operators! };

describe('an explanation', () => {
  it('is of what stages have sealed, where their key is, and says how much was left out', async () => {
    const { put, explain, log } = world();
    put('transfer.held', true_, testRings);
    put('transfer.screened', forged, strangerRings);
    log.append([{ topic: 'transfer.held', partition: 0, key: id, value: Buffer.from([0, 1]), headers: {} }]);
    const found = await explain(id, testRings);
    expect(found).toMatchObject({ proof: 'CHECKED', strangers: 2, isContradictory: false });
    expect(found.found.map(({ topic, proof }) => [topic, proof])).toEqual([['transfer.held', 'CHECKED']]);
    expect(found.last.evidence.outcome).toBe('POTENTIAL_MATCH');
    expect(found.lines[0]).toContain('LEFT OUT: 2 records');
  });

  it('where it is not shows no fact without saying that it was not checked, and goes on behind what does not decode', async () => {
    const { put, explain, log } = world();
    put('transfer.held', true_, testRings);
    put('transfer.screened', forged, strangerRings);
    log.append([{ topic: 'transfer.held', partition: 0, key: id, value: Buffer.from([0, 1]), headers: {} }]);
    const found = await explain(id, withoutStages);
    expect(found).toMatchObject({ proof: 'NOT_CHECKED', strangers: 1 });
    expect(found.found.map(({ proof }) => proof)).toEqual(['NOT_CHECKED', 'NOT_CHECKED']);
    expect(found.lines[0]).toContain('NOT CHECKED HERE');
  });

  it('says when two records differ at one step, and takes a copy for no second one', async () => {
    const { put, explain } = world();
    put('transfer.held', true_, testRings);
    put('transfer.held', true_, testRings);
    expect(await explain(id, withoutStages)).toMatchObject({ isContradictory: false, found: [{}] });
    put(
      'transfer.screened',
      { ...forged, envelope: { ...forged.envelope, sequence: true_.envelope.sequence } },
      strangerRings,
    );
    const found = await explain(id, withoutStages);
    expect(found.isContradictory).toBe(true);
    expect(found.lines.some((line) => line.startsWith('CONTRADICTORY'))).toBe(true);
  });

  it('of nothing but made-up records is none', async () => {
    const { put, explain } = world();
    put('transfer.screened', forged, strangerRings);
    await expect(explain(id, testRings)).rejects.toMatchObject({
      code: 'EVIDENCE_UNKNOWN',
      message: expect.stringContaining('1 records under its id are not of its stages'),
    });
  });
});
