import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Role } from '../../../operations/access/table.ts';
import type { LogRecord } from '../../../ports/log.ts';
import { partiesOf, priced } from '../../../test/kit/events.ts';
import { memoryCodec } from '../../../test/kit/memory-codec.ts';
import { bearer, type Memory, testApi } from '../../testing/api.ts';
import { parkedLetter } from '../../testing/letters.ts';

let app: FastifyInstance;
let memory: Memory;
let stored: LogRecord | undefined;
const { debtor } = partiesOf()['corridor.Parties'];
const value = memoryCodec().encode('transfer.priced', priced());

function letterRecord(over: Record<string, string> = {}): LogRecord {
  const headers = { 'dlq-id': 'letter-0', 'source-topic': 'transfer.priced', 'x-sender': 'Ada Example', ...over };
  const buffers = Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)]);
  return {
    ...{ topic: 'limits.dlq', partition: 0, offset: 0, timestamp: 0, key: null, value },
    headers: Object.fromEntries(buffers),
  };
}

beforeEach(async () => {
  ({ app, memory } = await testApi());
  memory.letters.push(parkedLetter(0));
  stored = letterRecord();
  memory.letterRecords = () => new Map(stored ? [['0/0', stored]] : []);
});
afterEach(() => app.close());

async function look(role: Role, query = '', letter = 'letter-0') {
  const url = `/v1/dead-letters/${letter}/record${query}`;
  const response = await app.inject({ url, headers: await bearer('asha', role) });
  return { status: response.statusCode, body: response.json(), text: response.body };
}

it('shows what stands in the log, with persons masked, and no bytes', async () => {
  for (const role of ['operator', 'viewer'] as const) {
    const { status, body, text } = await look(role);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      letterId: 'letter-0',
      topic: 'transfer.priced',
      bytes: value.length,
      flaw: null,
      raw: null,
    });
    expect(body.decoded.envelope.transferId).toBe(priced().envelope.transferId);
    expect(body.headers).toContainEqual({ name: 'dlq-id', value: 'letter-0' });
    expect(body.headers).toContainEqual({ name: 'x-sender', value: null });
    for (const secret of [debtor.name, debtor.account.value, 'Ada Example']) expect(text).not.toContain(secret);
  }
});

it('believes no header by its name: shows numbers, ids, codes and our topics, and nothing that names who or what', async () => {
  const eventId = '0b0c3a52-7d0f-4a54-9e0e-0f2f7c1f4a11';
  const shown = { 'source-offset': '17', 'dlq-error-code': 'EDIT_REFUSED', 'event-id': eventId, 'dlq-class': 'poison' };
  const written = {
    ...{ 'replayed-by': 'gwen', 'approved-by': 'hartley', producer: 'gwen', 'event-type': 'Gwen', seal: 'Hartley.x' },
    ...{ 'replay-edit': '[{"op":"add","path":"/name","value":"Gwen Hartley"}]', 'dlq-error-detail': 'for Gwen' },
    ...{ attempts: 'Gwen', 'retry-code': 'Hartley of GWEN', 'skip-id': 'gwen', 'claimed-source-topic': 'gwen' },
  };
  stored = letterRecord({ ...shown, ...written });
  for (const role of ['operator', 'viewer'] as const) {
    const { body, text } = await look(role);
    expect(text).not.toMatch(/gwen|hartley/i);
    for (const [name, value] of Object.entries(shown)) expect(body.headers).toContainEqual({ name, value });
    for (const name of Object.keys(written)) expect(body.headers).toContainEqual({ name, value: null });
  }
  expect((await look('compliance', '?unmask=INCIDENT')).body.headers).toContainEqual({
    ...{ name: 'approved-by', value: 'hartley' },
  });
});

it('shows it as it is to whoever may see that, with a reason, and once the audit log has it', async () => {
  expect((await look('operator', '?unmask=INCIDENT')).body).toMatchObject({ code: 'ACTION_FORBIDDEN' });
  const { body } = await look('compliance', '?unmask=INCIDENT&ticket=INC-4711');
  expect(body.raw).toBe(value.toString('base64'));
  expect(body.decoded.parties.debtor.name).toBe(debtor.name);
  expect(memory.audit.entries).toContainEqual(
    expect.objectContaining({ action: 'records.unmask', objectKind: 'dead-letters', objectId: 'letter-0' }),
  );
  memory.audit.isDown = true;
  expect((await look('compliance', '?unmask=INCIDENT')).body).toMatchObject({ code: 'AUDIT_UNAVAILABLE' });
});

it('says why it does not decode, and what is not the letter of the index', async () => {
  stored = { ...letterRecord(), value: Buffer.from('?') };
  expect((await look('operator')).body).toMatchObject({ decoded: null, bytes: 1, flaw: { code: expect.any(String) } });
  stored = letterRecord({ 'source-topic': 'elsewhere' });
  expect((await look('operator')).body).toMatchObject({ topic: null, decoded: null, flaw: null });
  stored = letterRecord({ 'dlq-id': 'letter-9' });
  expect((await look('operator')).body).toMatchObject({ code: 'LETTER_FORGED' });
  stored = undefined;
  expect((await look('operator')).body).toMatchObject({ code: 'LETTER_GONE' });
  expect((await look('operator', '', 'letter-7')).body).toMatchObject({ code: 'LETTER_UNKNOWN' });
});
