import { expect, it, vi } from 'vitest';
import { memoryCodec } from '../test/kit/memory-codec.ts';
import { payoutRequestedFor } from '../test/kit/payouts/requested.ts';
import { requestCodec } from './request-codec.ts';

const NOW = 1_700_000_000_000;
const requested = (transferId: string) => payoutRequestedFor({ transferId, now: NOW, expiresAt: NOW + 60_000 });

it('reads what it has encoded without decoding it, and what was stored by decoding it once', async () => {
  const codec = memoryCodec();
  const decode = vi.spyOn(codec, 'decode');
  const requests = requestCodec(codec);
  const own = requests.encode(requested('own'));
  const stored = new Uint8Array(requests.encode(requested('stored')));
  for (let time = 0; time < 2; time++) {
    const [first, second] = await requests.decode([stored, own]);
    expect([first?.envelope.transferId, second?.envelope.transferId]).toEqual(['stored', 'own']);
  }
  expect(decode.mock.calls.map(([, values]) => values.length)).toEqual([1, 0]);
});

it('refuses bytes that are no payout.requested', async () => {
  const requests = requestCodec(memoryCodec());
  await expect(requests.decode([new Uint8Array([1, 2])])).rejects.toMatchObject({ code: 'REQUEST_UNREADABLE' });
});
