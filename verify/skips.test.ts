// A record that was skipped is no lost one, and is told where no two persons let it be skipped.
import { describe, expect, it } from 'vitest';
import { skipSubject } from '../ports/record-skips.ts';
import { sealedRecovery } from '../ports/seals.ts';
import { testRings } from '../test/kit/rings.ts';
import type { TopicName } from '../topics/catalogue.ts';
import { deadLetterId } from '../topics/dead-letter-id.ts';
import { RECOVERY_HEADER } from '../topics/headers.ts';
import type { VerifySources } from './ports.ts';
import { History } from './testing/history.ts';
import { AT_ONCE } from './testing/plant.ts';
import { verify } from './verify.ts';

const OWNER = 'intake';
const INPUTS = 'transfer.requested';

/** One transfer that ended, and an intent that intake skipped under an approval. */
function skippedIntent(approvalId: string | undefined) {
  const history = new History();
  history.tell('completed');
  const first = history.entries.find(({ topic }) => topic === INPUTS)!;
  const bytes = history.codec.encode(
    INPUTS as TopicName,
    { ...(first.value as object), transferId: 'skipped' } as never,
  );
  const { partition, offset } = history.append(INPUTS, first.partition, { key: 'skipped', bytes, headers: {} });
  history.fillStores();
  const subject = skipSubject({ owner: OWNER, topicId: INPUTS, partition, offset });
  const headers: Record<string, string> = {
    [RECOVERY_HEADER.sourceTopic]: INPUTS,
    [RECOVERY_HEADER.sourcePartition]: String(partition),
    [RECOVERY_HEADER.sourceOffset]: String(offset),
    [RECOVERY_HEADER.replayCount]: '0',
    [RECOVERY_HEADER.recoveryCause]: subject,
    [RECOVERY_HEADER.deadLetterClass]: 'skipped',
    [RECOVERY_HEADER.deadLetterCode]: 'RECORD_SKIPPED',
    [RECOVERY_HEADER.deadLetterId]: deadLetterId({
      owner: OWNER,
      source: { topicId: INPUTS, partition, offset, replayCount: 0 },
    }),
    ...(approvalId === undefined ? {} : { [RECOVERY_HEADER.skipId]: approvalId }),
  };
  const letter = sealedRecovery(testRings, { topic: `${OWNER}.dlq`, partition, key: 'skipped', value: bytes, headers });
  history.append(letter.topic, partition, {
    key: 'skipped',
    bytes,
    headers: letter.headers as Record<string, string>,
  });
  return { history, subject };
}

async function codesOf(approvalId: string | undefined, approved?: ReadonlyMap<string, string>) {
  const { history, subject } = skippedIntent(approvalId);
  const sources: VerifySources = {
    ...history.sources(),
    ...(approved ? { approvedSkips: async () => new Map([...approved].map(([id, of]) => [id, of || subject])) } : {}),
  };
  const { codes, findings } = await verify(sources, AT_ONCE);
  return { codes: Object.keys(codes), findings };
}

describe('a skipped record', () => {
  it('is no finding where two persons let exactly it be skipped', async () => {
    expect((await codesOf('a-1', new Map([['a-1', '']]))).codes).toEqual([]);
    expect((await codesOf('a-1')).codes).toEqual([]);
  });

  it('is told where its letter names no approval, an unknown one, or one of another record', async () => {
    expect((await codesOf(undefined)).codes).toEqual(['SKIP_NOT_APPROVED']);
    expect((await codesOf('a-1', new Map())).codes).toEqual(['SKIP_NOT_APPROVED']);
    const { codes, findings } = await codesOf('a-1', new Map([['a-1', 'AAAAAAAAAAAA:0:9']]));
    expect(codes).toEqual(['SKIP_NOT_APPROVED']);
    expect(findings[0]!.position).toContain('intake.dlq');
  });
});
