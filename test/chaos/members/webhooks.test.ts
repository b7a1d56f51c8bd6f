// What the judge makes of what endpoints heard: nothing that is lost, another's, changed or unproven passes.
import { describe, expect, it } from 'vitest';
import { deliveryIdOf } from '../../../sinks/webhooks/to-write.ts';
import { type Hearing, type Message, misheard } from './webhooks.ts';

const row = (eventId: string, producerId: string | null, sequence = 1) => ({
  ...{ eventId, transferId: `transfer-${eventId}`, state: 'COMPLETED' as const, sequence, producerId },
});
const rows = [row('a', 'acme'), row('b', 'acme', 2), row('z', 'zenith'), row('n', null)];
const messageOf = ({ eventId, transferId, state, sequence }: ReturnType<typeof row>): Message => ({
  type: 'transfer.completed',
  data: { eventId, transferId, state, sequence },
});
const heard = (producerId: string, of: readonly ReturnType<typeof row>[], over: Partial<Hearing> = {}): Hearing => {
  const endpointId = `endpoint-${producerId}`;
  const taken = new Map(of.map((each) => [deliveryIdOf(endpointId, each.eventId), messageOf(each)]));
  return { producerId, endpointId, taken, wrong: [], ...over };
};
const [a, b, z, n] = rows as [(typeof rows)[0], (typeof rows)[0], (typeof rows)[0], (typeof rows)[0]];

describe('endpoints that heard', () => {
  it('each row of their producer, and nothing else, heard right', () => {
    expect(misheard(rows, [heard('acme', [a, b]), heard('zenith', [z])])).toEqual([]);
  });

  it.each<[string, Hearing, string]>([
    ['a row less', heard('acme', [a]), 'never heard'],
    ['nothing', heard('acme', []), 'never heard'],
    ["another producer's", heard('acme', [a, b, z]), "is not acme's"],
    ["nobody's", heard('acme', [a, b, n]), "is not acme's"],
    ['another sequence', heard('acme', [a, { ...b, sequence: 3 }]), 'something else'],
    ['another transfer', heard('acme', [a, { ...b, transferId: 'other' }]), 'something else'],
    ['an unproven message', heard('acme', [a, b], { wrong: ['x is not proven'] }), 'not proven'],
  ])('%s have not', (_, hearing, detail) => {
    const found = misheard(rows, [hearing, heard('zenith', [z])]);
    expect(found.length).toBeGreaterThan(0);
    expect(found[0]!.detail).toContain(detail);
  });

  it('no sequence at all have not', () => {
    const { taken, ...rest } = heard('zenith', [z]);
    const [[id, { type, data }]] = [...taken] as [[string, Message]];
    const { sequence: _, ...without } = data;
    const silent = new Map([[id, { type, data: without as Message['data'] }]]);
    expect(misheard(rows, [heard('acme', [a, b]), { ...rest, taken: silent }])).toHaveLength(1);
  });
});
