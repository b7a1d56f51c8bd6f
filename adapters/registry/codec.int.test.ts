// The codec against a real registry: what decodes, what is poison, what stops, and that an outage is never poison.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { goodIntent } from '../../samples/intents.ts';
import { seeded } from '../../samples/random.ts';
import { UNDECODABLE } from '../../samples/undecodable.ts';
import { selfContained } from '../../schemas/load.ts';
import { registryCodec } from './codec.ts';
import { pushSchemas } from './push.ts';
import { subjectOf } from './registered-schemas.ts';
import { CONFIRM_UNKNOWN_MS } from './writer-schemas.ts';

const url = () => inject('stack').registryUrl;
const random = seeded(1);
const ids = { transferId: 'transfer-1', customerId: 'c-1', beneficiaryId: 'b-1' };
const intent = goodIntent(random, ids, 1_790_000_000_000);

async function register(subject: string, schema: object): Promise<number> {
  const response = await fetch(`${url()}/subjects/${subject}/versions`, {
    method: 'POST',
    headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
    body: JSON.stringify({ schema: JSON.stringify(schema) }),
  });
  expect(response.status).toBe(200);
  return ((await response.json()) as { id: number }).id;
}

const withId = (bytes: Buffer, id: number) => {
  const copy = Buffer.from(bytes);
  copy.writeInt32BE(id, 1);
  return copy;
};

beforeAll(async () => {
  await pushSchemas({ url: url() });
});

describe('pushing', () => {
  it('is idempotent, and sets FULL_TRANSITIVE before the first version', async () => {
    const again = await pushSchemas({ url: url() });
    expect(again.every(({ state }) => state === 'unchanged')).toBe(true);
    const response = await fetch(`${url()}/config/${subjectOf('transfer.priced')}`);
    expect(await response.json()).toMatchObject({ compatibilityLevel: 'FULL_TRANSITIVE' });
  });

  it('is what the registry refuses when a change is incompatible', async () => {
    const schema = selfContained('corridor.FxRate');
    const broken = { ...schema, fields: [...schema.fields!, { name: 'added', type: 'string' }] };
    const response = await fetch(`${url()}/subjects/${subjectOf('fx.rates')}/versions`, {
      method: 'POST',
      headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
      body: JSON.stringify({ schema: JSON.stringify(broken) }),
    });
    expect([409, 422]).toContain(response.status);
  });
});

describe('decoding', () => {
  it('gives back what was encoded, exactly', async () => {
    const codec = registryCodec({ url: url() });
    await codec.load(['transfer.requested']);
    const [decoded] = await codec.decode('transfer.requested', [codec.encode('transfer.requested', intent)]);
    expect(decoded).toMatchObject({ ok: true, value: intent });
  });

  it('calls every undecodable kind poison, and leaves the good records around it alone', async () => {
    const codec = registryCodec({ url: url() });
    await codec.load(['transfer.requested']);
    const good = codec.encode('transfer.requested', intent);
    const spoilt = Object.entries(UNDECODABLE).map(([kind, spoil]) => ({ kind, bytes: spoil(good, random) }));
    const values = spoilt.flatMap(({ bytes }) => [good, bytes]);
    const results = await codec.decode('transfer.requested', values);
    for (const [i, result] of results.entries()) {
      if (i % 2 === 0) expect(result.ok).toBe(true);
      else expect(result, spoilt[(i - 1) / 2]!.kind).toMatchObject({ ok: false, kind: 'poison' });
    }
  });

  it('reads a newer writer of an intent as Avro does, without the new field', async () => {
    const codec = registryCodec({ url: url() });
    await codec.load(['transfer.requested']);
    const schema = selfContained('corridor.TransferRequested');
    const newer = { ...schema, fields: [...schema.fields!, { name: 'note', type: 'string', default: '' }] };
    const id = await register(subjectOf('transfer.requested'), newer);
    const bytes = Buffer.concat([withId(codec.encode('transfer.requested', intent), id), Buffer.from([0])]);
    const [decoded] = await codec.decode('transfer.requested', [bytes]);
    expect(decoded).toMatchObject({ ok: true, value: intent, writerId: id });
    expect((decoded as { value: object }).value).not.toHaveProperty('note');
  });

  it('stops at a newer writer on an internal topic, where re-encoding would drop enrichment', async () => {
    const codec = registryCodec({ url: url() });
    await codec.load(['fx.rates']);
    const rate = { source: 's', base: 'GBP', quote: 'INR', rate: '1', observedAt: 1, publishedAt: 1, rawHash: null };
    const bytes = codec.encode('fx.rates', rate);
    const schema = selfContained('corridor.FxRate');
    const newer = { ...schema, fields: [...schema.fields!, { name: 'desk', type: 'string', default: '' }] };
    const id = await register(subjectOf('fx.rates'), newer);
    const results = await codec.decode('fx.rates', [bytes, withId(bytes, id)]);
    expect(results).toMatchObject([
      { ok: true, value: rate },
      { ok: false, kind: 'newer-schema', code: 'NEWER_SCHEMA' },
    ]);
    // A process that starts now and knows the same schema reads what was written before, and still stops at the newer.
    const later = registryCodec({ url: url() });
    await later.load(['fx.rates']);
    expect(await later.decode('fx.rates', [bytes])).toMatchObject([{ ok: true }]);
    expect(await later.decode('fx.rates', [withId(bytes, id)])).toMatchObject([{ ok: false, code: 'NEWER_SCHEMA' }]);
  });

  it('calls an id that the registry does not know poison on every topic, once it has stayed unknown for a while', async () => {
    let now = 1_000_000;
    const codec = registryCodec({
      url: url(),
      now: () => now,
      sleep: async (ms) => {
        now += ms;
      },
    });
    await codec.load(['fx.rates', 'transfer.priced']);
    for (const topic of ['fx.rates', 'transfer.priced'] as const) {
      const bytes = [Buffer.from('\x00garbage', 'latin1'), Buffer.from([0, 0xff, 0xff, 0xff, 0xff, 1])];
      const before = now;
      const unknown = { ok: false, kind: 'poison', code: 'UNKNOWN_SCHEMA_ID' };
      expect(await codec.decode(topic, bytes)).toMatchObject([unknown, unknown]);
      expect(now - before).toBe(CONFIRM_UNKNOWN_MS);
    }
  });

  it('calls the schema of another record poison on an internal topic', async () => {
    const codec = registryCodec({ url: url() });
    await codec.load(['fx.rates', 'transfer.requested']);
    const stray = codec.encode('transfer.requested', intent);
    expect(await codec.decode('fx.rates', [stray])).toMatchObject([{ kind: 'poison', code: 'FOREIGN_SCHEMA' }]);
  });

  it('refuses to encode what the schema refuses, naming the field', async () => {
    const codec = registryCodec({ url: url() });
    await codec.load(['transfer.requested']);
    const broken = { ...intent, instructedAmount: { minor: 2n ** 63n, currency: 'GBP' } };
    expect(() => codec.encode('transfer.requested', broken)).toThrow(/instructedAmount.minor/);
  });
});

describe('an outage of the registry', () => {
  it('is REGISTRY_UNAVAILABLE, never poison, and passes', async () => {
    let down = false;
    const proxy = await startProxy(() => down);
    const codec = registryCodec({
      url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}${new URL(url()).pathname}`,
    });
    await codec.load(['transfer.requested']);
    const unknown = withId(codec.encode('transfer.requested', intent), 1_999_999_999);
    down = true;
    await expect(codec.decode('transfer.requested', [unknown])).rejects.toMatchObject({
      code: 'REGISTRY_UNAVAILABLE',
      faultClass: 'transient-dependency',
    });
    down = false;
    expect(await codec.decode('transfer.requested', [unknown])).toMatchObject([
      { kind: 'poison', code: 'UNKNOWN_SCHEMA_ID' },
    ]);
    await new Promise((resolve) => proxy.close(resolve));
    const other = withId(codec.encode('transfer.requested', intent), 1_999_999_998);
    await expect(codec.decode('transfer.requested', [other])).rejects.toMatchObject({ code: 'REGISTRY_UNAVAILABLE' });
  });
});

/** Passes requests on to the registry, or answers 503 while it is down. */
async function startProxy(isDown: () => boolean): Promise<Server> {
  const server = createServer((request, response) => {
    if (isDown()) {
      response.writeHead(503).end('{}');
      return;
    }
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      fetch(new URL(request.url!, url()), {
        method: request.method!,
        headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
        ...(body.length > 0 ? { body } : {}),
      })
        .then(async (upstream) => response.writeHead(upstream.status).end(await upstream.text()))
        .catch(() => response.writeHead(502).end('{}'));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}
