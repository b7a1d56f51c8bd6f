// Verified by a library that others wrote.
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { Webhook, WebhookVerificationError } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { SECRET_BYTES, secretText, signatureHeaders } from './signature.ts';

const nowS = () => Math.floor(Date.now() / 1_000);

describe('the signature of a webhook', () => {
  it('is what the standard library verifies, whatever the body says', () => {
    const body = fc.string({ unit: 'grapheme', maxLength: 2_000 });
    fc.assert(
      fc.property(fc.uuid(), body, (id, text) => {
        const secret = randomBytes(SECRET_BYTES);
        const message = { id, timestampS: nowS(), body: JSON.stringify({ text }) };
        expect(new Webhook(secretText(secret)).verify(message.body, signatureHeaders(message, [secret]))).toEqual({
          text,
        });
      }),
    );
  });

  it('is one for each secret, so that old and new receivers both verify it', () => {
    const [now, before, other] = [randomBytes(32), randomBytes(32), randomBytes(32)] as const;
    const message = { id: 'm', timestampS: nowS(), body: '{}' };
    const headers = signatureHeaders(message, [now, before]);
    expect(headers['webhook-signature']).toMatch(/^v1,[A-Za-z0-9+/]{43}= v1,[A-Za-z0-9+/]{43}=$/);
    for (const secret of [now, before]) new Webhook(secretText(secret)).verify('{}', headers);
    expect(() => new Webhook(secretText(other)).verify('{}', headers)).toThrow(WebhookVerificationError);
  });

  it('is over id, time and body', () => {
    const secret = randomBytes(32);
    const reader = new Webhook(secretText(secret));
    const message = { id: 'm', timestampS: nowS(), body: '{"a":1}' };
    const headers = signatureHeaders(message, [secret]);
    expect(() => reader.verify('{"a":2}', headers)).toThrow();
    expect(() => reader.verify(message.body, { ...headers, 'webhook-id': 'n' })).toThrow();
    expect(() => reader.verify(message.body, { ...headers, 'webhook-timestamp': String(nowS() - 1) })).toThrow();
    const old = signatureHeaders({ ...message, timestampS: nowS() - 3_600 }, [secret]);
    expect(() => reader.verify(message.body, old)).toThrow(/too old/);
  });
});
