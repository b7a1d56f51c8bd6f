import { describe, expect, it } from 'vitest';
import { AT } from '../../test/kit/builders.ts';
import { isEndpointSealed, secretsInForce } from './endpoint.ts';
import {
  deleteEndpoint,
  disableEndpoint,
  enableEndpoint,
  findEndpoint,
  MAX_ENDPOINTS,
  registerEndpoint,
  rotateSecret,
  updateEndpoint,
} from './endpoints.ts';
import { resend } from './resend.ts';
import { afterFailure, CLOSED } from './schedule.ts';
import { memoryReach, memoryWebhooks, webhookRing } from './testing/memory-webhooks.ts';
import { deliveryFor } from './testing/world.ts';

const HOSTS = {
  'hooks.acme.test': ['93.184.216.34', '2606:2800::1'],
  'both.acme.test': ['93.184.216.34', '10.0.0.1'],
  'inside.acme.test': ['192.168.1.1'],
  'cloud.acme.test': ['169.254.169.254'],
};
const at = new Date(AT);
const coded = (code: string) => expect.objectContaining({ code });
const principal = (subject: string) => ({ subject, name: subject, roles: [], credential: 'token' }) as const;

function world() {
  const stores = memoryWebhooks();
  const parts = { endpoints: stores.endpoints, ring: webhookRing, reach: memoryReach(HOSTS) };
  const asked = { id: 'one', producerId: 'acme', url: 'https://hooks.acme.test/', events: ['transfer.completed'] };
  const register = (over: Partial<typeof asked> = {}) =>
    registerEndpoint(parts, { ...asked, request: 'r', at, ...over });
  return { ...stores, parts, register };
}

describe('an endpoint', () => {
  it('is sealed, its secret encrypted, and shown once', async () => {
    const { register, held } = world();
    const { secret } = (await register())!;
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    const kept = held.get('one')!;
    expect(isEndpointSealed(webhookRing, kept)).toBe(true);
    expect(JSON.stringify(kept)).not.toContain(secret.slice('whsec_'.length));
    const [bytes] = secretsInForce(webhookRing, kept, AT);
    expect(`whsec_${bytes!.toString('base64')}`).toBe(secret);
    expect(await register()).toBeUndefined();
  });

  it.each([
    ['http://hooks.acme.test/'],
    ['https://inside.acme.test/'],
    ['https://both.acme.test/'],
    ['https://cloud.acme.test/'],
    ['https://nowhere.acme.test/'],
    ['https://10.0.0.1/'],
    ['https://[::1]/'],
  ])('cannot be at %s, neither at first nor later', async (url) => {
    const { register, parts, held } = world();
    await expect(register({ url })).rejects.toEqual(coded('WEBHOOK_URL_REFUSED'));
    await register();
    await expect(updateEndpoint(parts, held.get('one')!, { url }, at)).rejects.toEqual(coded('WEBHOOK_URL_REFUSED'));
    expect(held.size).toBe(1);
  });

  it('is one of so many of a producer', async () => {
    const { register } = world();
    for (let i = 0; i < MAX_ENDPOINTS; i++) await register({ id: `e-${i}` });
    await expect(register({ id: 'one-more' })).rejects.toEqual(coded('WEBHOOK_ENDPOINTS_TOO_MANY'));
    expect(await register({ id: 'theirs', producerId: 'zenith' })).toBeDefined();
  });

  it('is there for its producer and for operators, and for nobody else', async () => {
    const { register, endpoints } = world();
    await register();
    for (const [who, condition] of [
      ['acme', 'own'],
      ['asha', 'always'],
    ] as const)
      expect(await findEndpoint(endpoints, 'one', principal(who), condition)).toMatchObject({ _id: 'one' });
    for (const [who, id] of [
      ['zenith', 'one'],
      ['acme', 'two'],
    ] as const)
      await expect(findEndpoint(endpoints, id, principal(who), 'own')).rejects.toEqual(
        coded('WEBHOOK_ENDPOINT_UNKNOWN'),
      );
  });

  it('changes only as it was seen, stays sealed, and begins anew at another URL', async () => {
    const { register, parts, held } = world();
    await register();
    held.set('one', { ...held.get('one')!, breaker: afterFailure(CLOSED, AT, () => 0) });
    const seen = held.get('one')!;
    const changed = await updateEndpoint(parts, seen, { events: ['transfer.rejected', 'transfer.rejected'] }, at);
    expect(changed).toMatchObject({ version: 2, events: ['transfer.rejected'], breaker: { failures: 1 } });
    expect(isEndpointSealed(webhookRing, held.get('one')!)).toBe(true);
    await expect(updateEndpoint(parts, seen, {}, at)).rejects.toEqual(coded('PRECONDITION_FAILED'));
    const moved = await updateEndpoint(parts, changed, { url: 'https://hooks.acme.test/two' }, at);
    expect(moved.breaker).toEqual(CLOSED);
  });

  it('that somebody else wrote is not sealed by a change', async () => {
    const { register, parts, held } = world();
    await register();
    held.set('one', { ...held.get('one')!, url: 'https://hooks.acme.test/thief' });
    const forged = held.get('one')!;
    await expect(updateEndpoint(parts, forged, {}, at)).rejects.toEqual(coded('WEBHOOK_ENDPOINT_FORGED'));
    await expect(rotateSecret(parts, forged, { keepMs: 0, at })).rejects.toEqual(coded('WEBHOOK_ENDPOINT_FORGED'));
  });

  it('has a new secret beside the old ones for as long as is said, and a bounded number of them', async () => {
    const { register, parts, held } = world();
    await register();
    const rotate = (keepMs: number, atMs = AT) => rotateSecret(parts, held.get('one')!, { keepMs, at: new Date(atMs) });
    await rotate(1_000);
    const inForce = (now: number) => secretsInForce(webhookRing, held.get('one')!, now).length;
    expect([inForce(AT + 999), inForce(AT + 1_000)]).toEqual([2, 1]);
    // What ends earlier is not kept longer by another.
    await rotate(10_000, AT + 500);
    expect([inForce(AT + 999), inForce(AT + 1_001), inForce(AT + 10_501)]).toEqual([3, 2, 1]);
    await rotate(0, AT + 600);
    expect(inForce(AT + 600)).toBe(1);
    for (let i = 0; i < 10; i++) await rotate(1_000_000, AT + 700 + i);
    expect(inForce(AT + 710)).toBe(5);
    expect(isEndpointSealed(webhookRing, held.get('one')!)).toBe(true);
  });

  it('is disabled and enabled without a key, and deleted as it was seen', async () => {
    const { register, endpoints, held } = world();
    await register();
    const off = await disableEndpoint(endpoints, held.get('one')!, { by: 'asha', at, reason: 'it floods us' });
    expect(held.get('one')!.disabled).toMatchObject({ by: 'asha' });
    const on = await enableEndpoint(endpoints, off);
    expect(held.get('one')!.disabled).toBeNull();
    expect(isEndpointSealed(webhookRing, held.get('one')!)).toBe(true);
    await expect(deleteEndpoint(endpoints, off)).rejects.toEqual(coded('PRECONDITION_FAILED'));
    await deleteEndpoint(endpoints, on);
    expect(held.size).toBe(0);
  });

  it('cannot be registered where there are no keys', async () => {
    const { parts } = world();
    const asked = { id: 'a', producerId: 'acme', url: 'https://hooks.acme.test/', events: [], request: 'r', at };
    await expect(registerEndpoint({ ...parts, ring: undefined }, asked)).rejects.toEqual(coded('WEBHOOKS_OFF'));
  });
});

describe('a resend', () => {
  it('has what was selected tried from the beginning, under the same id, and closes the breaker', async () => {
    const { register, held, kept, deliveries, endpoints } = world();
    await register();
    held.set('one', { ...held.get('one')!, breaker: afterFailure(CLOSED, AT, () => 0) });
    const states = ['DELIVERED', 'FAILED', 'WAITING'] as const;
    for (const [i, state] of states.entries()) {
      const each = deliveryFor('one', `e-${i}`, { state, tries: 5, occurredAt: new Date(AT + i) });
      kept.set(each._id, each);
    }
    const theirs = deliveryFor('two', 'e-9', { state: 'FAILED' });
    kept.set(theirs._id, theirs);
    const later = new Date(AT + 1_000);
    const range = { from: at, to: new Date(AT + 3), states: ['FAILED'] } as const;
    expect(await resend({ deliveries, endpoints }, held.get('one')!, range, later)).toBe(1);
    expect(held.get('one')!.breaker).toEqual(CLOSED);
    const again = deliveryFor('one', 'e-1')._id;
    expect(kept.get(again)).toMatchObject({ state: 'WAITING', tries: 0, resends: 1, dueAt: later, since: later });
    const ids = { ids: [deliveryFor('one', 'e-0')._id, theirs._id] };
    expect(await resend({ deliveries, endpoints }, held.get('one')!, ids, later)).toBe(1);
    expect(kept.get(theirs._id)!.state).toBe('FAILED');
  });

  it('is refused while the endpoint is disabled', async () => {
    const { register, endpoints, held, deliveries } = world();
    await register();
    const off = await disableEndpoint(endpoints, held.get('one')!, { by: 'acme', at, reason: 'r' });
    await expect(resend({ deliveries, endpoints }, off, { ids: ['a'] }, at)).rejects.toEqual(
      coded('WEBHOOK_ENDPOINT_DISABLED'),
    );
  });
});
