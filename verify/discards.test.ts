// Of a letter that was discarded came the rejection that was ordered, and nothing is ended in the operators' name without them.
import { describe, expect, it } from 'vitest';
import type { TransferRejected } from '../schemas/types.generated.ts';
import { formatCause, sourceOf } from '../topics/cause.ts';
import { deadLetterId } from '../topics/dead-letter-id.ts';
import { HEADER, RECOVERY_HEADER } from '../topics/headers.ts';
import { History } from './testing/history.ts';
import { AT_ONCE, entryOf, onlyDocument } from './testing/plant.ts';
import { verify } from './verify.ts';

const OWNER = 'fx-pricing';

/** A transfer that was rejected, and perhaps the order to discard the letter of its screened event. */
async function codes(
  ordered: string | undefined,
  { made = 'transfer.rejected', code }: { readonly made?: string; readonly code?: string } = {},
): Promise<readonly string[]> {
  const history = new History();
  history.tell('failed');
  history.tell('completed');
  history.fillStores();
  const end = entryOf(history, made);
  if (code !== undefined) {
    const value = end.value as TransferRejected;
    (end as { value: unknown }).value = { ...value, reasons: [{ code, detail: 'x' }] };
  }
  const source = { topicId: 'transfer.screened', partition: end.partition, offset: 0, replayCount: 0 };
  if (ordered !== undefined) {
    const order = history.append(`${OWNER}.replay`, end.partition, {
      key: end.key,
      bytes: Buffer.from('as it was'),
      headers: {
        [RECOVERY_HEADER.sourceTopic]: 'transfer.screened',
        [RECOVERY_HEADER.sourcePartition]: String(end.partition),
        [RECOVERY_HEADER.sourceOffset]: '0',
        [RECOVERY_HEADER.deadLetterId]: deadLetterId({ owner: OWNER, source }),
        [RECOVERY_HEADER.replayCount]: '1',
        [RECOVERY_HEADER.replayId]: 'd-1',
        [RECOVERY_HEADER.discardReason]: ordered,
      },
    });
    const { topic, partition, offset } = order;
    end.headers[HEADER.cause] = formatCause({ source: sourceOf(OWNER, topic), partition, offset, nth: 0 });
  }
  const report = await verify(history.sources(), AT_ONCE);
  return Object.keys(report.codes).filter((each) => each.startsWith('DISCARD_'));
}

describe('a letter that was discarded', () => {
  it('is in order when its transfer was rejected for that reason', async () => {
    expect(await codes('AC04', { code: 'AC04' })).toEqual([]);
    expect(await codes('DISC', { code: 'DISC' })).toEqual([]);
  });

  it('is a finding when another reason was told, or when it was decided instead', async () => {
    expect(await codes('AC04', { code: 'AM14' })).toEqual(['DISCARD_DIFFERS']);
    expect(await codes('AC04', { made: 'transfer.priced' })).toEqual(['DISCARD_DIFFERS']);
  });

  it('was ordered by operators: a rejection in their name without an order is a finding', async () => {
    expect(await codes(undefined, { code: 'DISC' })).toEqual(['DISCARD_UNORDERED']);
    expect(await codes(undefined)).toEqual([]);
  });
});

describe('an intent that was discarded', () => {
  /** Intake has claimed its id; the claim is all that the stores have of it. */
  async function orphans(isOrdered: boolean): Promise<readonly string[]> {
    const history = new History();
    history.tell('completed');
    history.tell('intent-rejected');
    history.fillStores();
    const end = entryOf(history, 'intent.rejected');
    const input = history.entries.find(({ topic, key }) => topic === 'transfer.requested' && key === end.key)!;
    const { originPosition } = end.value as { originPosition: string };
    const [, claim] = onlyDocument(history.stores.intentClaims);
    history.stores.intentClaims.put({ ...claim, transferId: end.key, originPosition });
    const letter = history.deadLetter('intake', input, 'POISON');
    const headers = { ...letter.headers, [RECOVERY_HEADER.replayCount]: '1', [RECOVERY_HEADER.replayId]: 'd-1' };
    const ordered = isOrdered ? { [RECOVERY_HEADER.discardReason]: 'AC04' } : {};
    const { key, partition, bytes } = letter;
    history.append('intake.replay', partition, { key, bytes, headers: { ...headers, ...ordered } });
    return Object.keys((await verify(history.sources(), AT_ONCE)).codes);
  }

  it('leaves its claim, so that it never becomes a transfer; the claim of one that was not is a stranger', async () => {
    expect(await orphans(true)).not.toContain('STRANGER_STORED');
    expect(await orphans(false)).toContain('STRANGER_STORED');
  });
});
