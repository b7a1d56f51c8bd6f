import { describe, expect, it } from 'vitest';
import { transferHistory } from './transfer.ts';

const of = (...events: readonly object[]) => ({ of: async () => events as never });

describe('the history of a transfer', () => {
  it('has a step for each event, with the codes of its reasons', async () => {
    const { steps } = await transferHistory(
      of(
        { topic: 'intent.duplicated', occurredAt: 1_000n },
        {
          topic: 'transfer.lifecycle',
          occurredAt: 1_250n,
          sequence: 2,
          state: 'HELD',
          stage: 'SCREENING',
          reasonCodes: ['A'],
        },
        { topic: 'intent.rejected', occurredAt: 1_300, reasons: [{ code: 'B' }], producerId: 'acme' },
      ),
      't',
    );
    expect(steps).toEqual([
      {
        sequence: undefined,
        state: 'intent.duplicated',
        stage: 'INTAKE',
        occurredAt: new Date(1_000),
        afterMs: 0,
        reasonCodes: [],
        producer: null,
      },
      {
        sequence: 2,
        state: 'HELD',
        stage: 'SCREENING',
        occurredAt: new Date(1_250),
        afterMs: 250,
        reasonCodes: ['A'],
        producer: null,
      },
      {
        sequence: undefined,
        state: 'intent.rejected',
        stage: 'INTAKE',
        occurredAt: new Date(1_300),
        afterMs: 300,
        reasonCodes: ['B'],
        producer: 'acme',
      },
    ]);
  });

  it('is refused when nothing is known of it', async () => {
    await expect(transferHistory(of(), 't')).rejects.toMatchObject({ code: 'TRANSFER_UNKNOWN' });
  });
});
