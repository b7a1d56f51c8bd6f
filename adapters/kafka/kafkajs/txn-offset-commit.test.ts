import { expect, test } from 'vitest';
import { type TxnOffsets, txnOffsetCommitCall } from './txn-offset-commit.ts';

const OFFSETS: TxnOffsets = {
  transactionalId: 'tx',
  groupId: 'g',
  producerId: '258',
  producerEpoch: 3,
  topics: [{ topic: 'in', partitions: [{ partition: 7, offset: '513' }] }],
  member: { generationId: 5, memberId: 'm-1' },
};
const NULL = '00';
const NO_TAGS = '00';
const hexOf = async (offsets: TxnOffsets) =>
  (await txnOffsetCommitCall(offsets).request.encode()).buffer.toString('hex');
const text = (value: string) => Buffer.concat([Buffer.of(value.length + 1), Buffer.from(value)]).toString('hex');
const topic = [text('in'), '02', '00000007', '0000000000000201', 'ffffffff', NULL, NO_TAGS, NO_TAGS];

test('the request names member and generation, as version 3 of the protocol lays it out', async () => {
  const fields = [NO_TAGS, text('tx'), text('g'), '0000000000000102', '0003', '00000005', text('m-1'), NULL];
  expect(await hexOf(OFFSETS)).toBe([...fields, '02', ...topic, NO_TAGS].join(''));
});

test('without a member it names nobody', async () => {
  const fields = [NO_TAGS, text('tx'), text('g'), '0000000000000102', '0003', 'ffffffff', text(''), NULL];
  expect(await hexOf({ ...OFFSETS, member: undefined })).toBe([...fields, '02', ...topic, NO_TAGS].join(''));
});

/** An answer for two partitions of one topic, with tagged fields to be skipped. */
async function answered(...codes: readonly [number, number]): Promise<unknown> {
  const code = (value: number) => value.toString(16).padStart(4, '0');
  const partitions = ['03', '00000000', code(codes[0]), '01000109', '00000001', code(codes[1]), NO_TAGS].join('');
  const raw = Buffer.from([NO_TAGS, '00000000', '02', text('in'), partitions, NO_TAGS, NO_TAGS].join(''), 'hex');
  const { response } = txnOffsetCommitCall(OFFSETS);
  return response.parse(await response.decode(raw));
}

test.each([
  [22, 'ILLEGAL_GENERATION'],
  [25, 'UNKNOWN_MEMBER_ID'],
  [47, 'INVALID_PRODUCER_EPOCH'],
  [90, 'INVALID_PRODUCER_EPOCH'],
])('error code %i of any partition is thrown as %s', async (code, type) => {
  await expect(answered(0, code)).rejects.toMatchObject({ type });
  await expect(answered(code, 0)).rejects.toMatchObject({ type });
});

test('an answer without errors is content', async () => {
  await expect(answered(0, 0)).resolves.toEqual([0, 0]);
});
