import { describe, expect, it } from 'vitest';
import { apiClient } from './api-client.ts';

type Answering = (url: string, init: RequestInit) => Response;

function client(...answers: Answering[]) {
  const sent: { url: string; init: RequestInit }[] = [];
  const send = async (url: unknown, init?: RequestInit) => {
    sent.push({ url: String(url), init: init! });
    return answers[Math.min(sent.length, answers.length) - 1]!(String(url), init!);
  };
  return {
    sent,
    api: apiClient({ url: 'https://corridor.internal/', token: async () => 'SECRET', fetch: send as typeof fetch }),
  };
}

const json = (body: unknown, status = 200, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify(body), { status, headers });
const problem = (code: string, status: number) => () => json({ code, detail: 'why', action: 'do this' }, status);
const down: Answering = () => {
  throw new TypeError('fetch failed');
};

describe('a client of the API', () => {
  it('sends the token, what was seen and the key, and gives the answer with its ETag', async () => {
    const { api, sent } = client(() => json({ a: 1 }, 201, { etag: '"2"' }));
    const answer = await api.ask('POST', '/replays', { body: { b: 1 }, etag: '"1"', key: 'key-00001' });
    expect(answer).toEqual({ status: 201, etag: '"2"', body: { a: 1 } });
    expect(sent[0]).toMatchObject({
      url: 'https://corridor.internal/v1/replays',
      init: {
        ...{ method: 'POST', redirect: 'error', body: '{"b":1}' },
        headers: { authorization: 'Bearer SECRET', 'if-match': '"1"', 'idempotency-key': 'key-00001' },
      },
    });
  });

  it('throws the code of a problem, and takes none that it does not know for one', async () => {
    await expect(client(problem('SECOND_PERSON_NEEDED', 403)).api.ask('POST', '/a')).rejects.toMatchObject({
      ...{ code: 'SECOND_PERSON_NEEDED', faultClass: 'invalid-request', message: 'why. do this' },
    });
    const wrong = { code: 'API_ANSWER_WRONG' };
    await expect(client(problem('NO_SUCH_CODE', 403)).api.ask('POST', '/a')).rejects.toMatchObject(wrong);
    await expect(client(() => new Response('<html>')).api.ask('POST', '/a')).rejects.toMatchObject(wrong);
    const endless = () => new Response(new Uint8Array(17 * 1_024 * 1_024));
    await expect(client(endless).api.ask('POST', '/a')).rejects.toMatchObject(wrong);
  });

  it('says what is wrong with a request, each with its place in it', async () => {
    const errors = [{ in: 'body', pointer: '/select', detail: 'name one' }, null];
    const refused = () =>
      json({ code: 'REQUEST_INVALID', detail: '1 thing is wrong', action: 'Mend it.', errors }, 400);
    await expect(client(refused).api.ask('POST', '/a')).rejects.toMatchObject({
      message: '1 thing is wrong. body/select: name one. Mend it.',
    });
  });

  it('asks again for what is the same however often it is asked, and for nothing else', async () => {
    const again = client(down, problem('MONGO_UNAVAILABLE', 503), () => json({ ok: true }));
    expect((await again.api.ask('GET', '/a')).body).toEqual({ ok: true });
    expect(again.sent).toHaveLength(3);
    const keyed = client(down, () => json({ ok: true }));
    expect((await keyed.api.ask('POST', '/a', { key: 'key-00001' })).body).toEqual({ ok: true });
    const once = client(down);
    await expect(once.api.ask('POST', '/a')).rejects.toMatchObject({ code: 'API_UNREACHABLE' });
    expect(once.sent).toHaveLength(1);
  });

  it('tells nobody the token', async () => {
    for (const answer of [down, problem('CREDENTIAL_INVALID', 401), () => new Response('SECRET')]) {
      const error = await client(answer)
        .api.ask('POST', '/a')
        .catch((thrown: Error) => thrown);
      expect(String(error)).not.toContain('SECRET');
    }
  });
});
