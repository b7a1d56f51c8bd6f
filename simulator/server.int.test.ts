import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { errorBody, payoutView } from './api.ts';
import { readWholeLedger, summarise } from './ledger.ts';
import { type Simulator, type SimulatorOptions, startSimulator } from './server.ts';
import { cancel, query, queryUntil, request, submit, submitBody, temporaryLedger } from './testing/test-support.ts';

type Options = Omit<SimulatorOptions, 'ledgerFile'>;

/** Runs `test` against a simulator of its own, which is stopped afterwards. */
async function withSimulator(options: Options, test: (simulator: Simulator) => Promise<void>): Promise<void> {
  await using folder = await temporaryLedger();
  const simulator = await startSimulator({ delayMs: 20, ...options, ledgerFile: folder.ledgerFile });
  try {
    await test(simulator);
  } finally {
    await simulator.stop();
  }
}

/** Submits, and gives up once the simulator has the request and has written what it makes of it. */
async function submitAndLeave(simulator: Simulator, key: string, body: unknown): Promise<void> {
  const client = new AbortController();
  const received = simulator.stats().requests.submit;
  const answer = submit(simulator.url, key, body, client.signal).then(
    () => 'answered',
    () => 'gave up',
  );
  const pending = () => {
    const { requests, ledger } = simulator.stats();
    return requests.submit === received || ledger.durableSeq < ledger.lastSeq;
  };
  while (pending()) await new Promise((resolve) => setTimeout(resolve, 5));
  client.abort();
  expect(await answer).toBe('gave up');
}

async function ledgerOf(simulator: Simulator) {
  return readWholeLedger(simulator.ledgerFile);
}

describe('the contract', () => {
  it('accepts, pays and tells, with answers in the documented shape', () =>
    withSimulator({}, async ({ url }) => {
      const accepted = await submit(url, 'T1:1', submitBody('T1'));
      expect(accepted.status).toBe(202);
      expect(payoutView.parse(accepted.body)).toMatchObject({ state: 'ACCEPTED', idempotencyKey: 'T1:1' });
      const paid = await queryUntil(url, 'T1:1', 'PAID');
      expect(paid.status).toBe(200);
      expect(payoutView.parse(paid.body).amount).toEqual({ minor: '12345', currency: 'INR' });
      const again = await submit(url, 'T1:1', { ...submitBody('T1'), expiresAt: accepted.body.expiresAt });
      expect(again.headers.get('idempotent-replayed')).toBe('true');
      expect(again.body.state).toBe('PAID');
      const other = await submit(url, 'T1:1', { ...submitBody('T1'), amount: { minor: 1, currency: 'INR' } });
      expect([other.status, errorBody.parse(other.body).code]).toEqual([409, 'IDEMPOTENCY_MISMATCH']);
      const late = await cancel(url, 'T1:1');
      expect([late.status, late.body.code, late.body.definitive]).toEqual([409, 'ALREADY_EXECUTED', false]);
      expect((await query(url, 'T2:1')).body).toMatchObject({ code: 'NOT_FOUND', definitive: false });
    }));

  it.each([
    ['no JSON', '{"transferId":'],
    ['no amount', submitBody('T1', { amount: undefined })],
    ['a negative amount', submitBody('T1', { amount: { minor: '-5', currency: 'INR' } })],
    ['an amount of 0', submitBody('T1', { amount: { minor: 0, currency: 'INR' } })],
    ['an amount that a double does not hold', submitBody('T1', { amount: { minor: 2 ** 53, currency: 'INR' } })],
    ['a fraction', submitBody('T1', { amount: { minor: 1.5, currency: 'INR' } })],
    ['a currency in small letters', submitBody('T1', { amount: { minor: '5', currency: 'inr' } })],
    ['an expiry without an offset', submitBody('T1', { expiresAt: '2099-01-01T00:00:00' })],
  ])('refuses %s and closes the key', (_what, body) =>
    withSimulator({}, async (simulator) => {
      const { url } = simulator;
      const refused = await submit(url, 'T1:1', body);
      expect([refused.status, refused.body.code, refused.body.definitive]).toEqual([400, 'INVALID_REQUEST', true]);
      const corrected = await submit(url, 'T1:1', submitBody('T1'));
      expect([corrected.body.code, corrected.body.definitive]).toEqual(['INVALID_REQUEST', true]);
      expect((await query(url, 'T1:1')).body.state).toBe('REFUSED');
      expect((await ledgerOf(simulator)).map(({ kind }) => kind)).toEqual(['submit', 'refusal', 'submit', 'refusal']);
    }),
  );

  it('refuses a submit without a usable key, and a body that is too large', () =>
    withSimulator({}, async ({ url }) => {
      const keyless = await request(url, '/v1/payouts', { method: 'POST', body: JSON.stringify(submitBody('T1')) });
      expect([keyless.status, keyless.body.code]).toEqual([400, 'INVALID_REQUEST']);
      expect((await query(url, 'bad key')).status).toBe(400);
      const large = await submit(url, 'T1:1', 'x'.repeat(70_000));
      expect([large.status, large.body.definitive]).toEqual([413, false]);
      expect((await request(url, '/v2/payouts')).status).toBe(404);
    }));

  it('refuses what comes after its expiry', () =>
    withSimulator({}, async ({ url }) => {
      const expired = submitBody('T1', { expiresAt: new Date(Date.now() - 1).toISOString() });
      const refused = await submit(url, 'T1:1', expired);
      expect([refused.status, refused.body.code, refused.body.reasonCode]).toEqual([422, 'EXPIRED', 'TM01']);
      expect(refused.body.definitive).toBe(true);
      expect((await submit(url, 'T1:1', submitBody('T1'))).body.code).toBe('EXPIRED');
      expect((await query(url, 'T1:1')).body.state).toBe('EXPIRED');
    }));

  it('keeps a cancelled key from executing when the submit comes later', () =>
    withSimulator({ delayMs: 0 }, async (simulator) => {
      const { url } = simulator;
      const cancelled = await cancel(url, 'T1:1');
      expect([cancelled.status, payoutView.parse(cancelled.body).state]).toEqual([200, 'CANCELLED']);
      expect((await cancel(url, 'T1:1')).body.state).toBe('CANCELLED');
      const refused = await submit(url, 'T1:1', submitBody('T1'));
      expect([refused.status, refused.body.code, refused.body.definitive]).toEqual([422, 'CANCELLED', true]);
      expect((await summarise(await ledgerOf(simulator))).counts.get('execution')).toBeUndefined();
    }));

  it('executes a second submit of a key when duplicate protection is off', () =>
    withSimulator({ duplicateProtection: false, delayMs: 0 }, async (simulator) => {
      const body = submitBody('T1');
      await submit(simulator.url, 'T1:1', body);
      const second = await submit(simulator.url, 'T1:1', body);
      expect([second.status, second.headers.get('idempotent-replayed')]).toEqual([200, null]);
      const summary = await summarise(await ledgerOf(simulator));
      expect(summary.executedTwice).toEqual(['T1']);
      expect(summary.keysSubmittedTwice).toEqual(['T1:1']);
    }));

  it('settles by the account: fails, refuses, returns, waits for queries', () =>
    withSimulator({}, async ({ url }) => {
      await submit(url, 'F:1', submitBody('F', {}, 'GB33BUKB20201590990104'));
      expect((await queryUntil(url, 'F:1', 'FAILED')).body.reasonCode).toBe('AC04');
      const refused = await submit(url, 'R:1', submitBody('R', {}, '501 0099 0211'));
      expect([refused.status, refused.body.code, refused.body.reasonCode]).toEqual([422, 'DECLINED', 'AG01']);
      await submit(url, 'B:1', submitBody('B', {}, '50100990306'));
      expect((await queryUntil(url, 'B:1', 'RETURNED')).body).toMatchObject({ reasonCode: 'AC06' });
      await submit(url, 'P:1', submitBody('P', {}, '50100990013'));
      const states = [];
      for (let poll = 1; poll <= 3; poll++) states.push((await query(url, 'P:1')).body.state);
      expect(states).toEqual(['ACCEPTED', 'ACCEPTED', 'PAID']);
    }));
});

describe('the execution feed', () => {
  it('gives executions as NDJSON, in pages and by kind', () =>
    withSimulator({ delayMs: 0 }, async (simulator) => {
      const { url } = simulator;
      await Promise.all(Array.from({ length: 30 }, (_, n) => submit(url, `T${n}:1`, submitBody(`T${n}`))));
      const read = async (search: string) => {
        const response = await fetch(`${url}/v1/executions${search}`);
        expect(response.headers.get('content-type')).toBe('application/x-ndjson');
        const text = await response.text();
        return text
          .split('\n')
          .slice(0, -1)
          .map((line) => JSON.parse(line));
      };
      const all = await read('');
      expect(all).toHaveLength(30);
      expect(all).toEqual((await ledgerOf(simulator)).filter(({ kind }) => kind === 'execution'));
      const first = await read('?limit=20');
      const second = await read(`?after=${first.at(-1).seq}&limit=20`);
      expect([...first, ...second]).toEqual(all);
      expect(await read('?kinds=all')).toHaveLength(60);
      expect(await read('?kinds=return,submit')).toHaveLength(30);
      expect((await request(url, '/v1/executions?after=x')).status).toBe(400);
    }));
});

describe('faults', () => {
  const once = { on: 'submit', limit: 1 } as const;

  it.each([
    ['before', 'reset-before', []],
    ['after', 'reset-after', ['execution']],
  ] as const)('reset %s', (_when, kind, expected) =>
    withSimulator({ delayMs: 0, faults: { rules: [{ id: 'f', kind, ...once }] } }, async (simulator) => {
      await expect(submit(simulator.url, 'T1:1', submitBody('T1'))).rejects.toMatchObject({
        cause: { code: 'ECONNRESET' },
      });
      const records = await ledgerOf(simulator);
      expect(records[0]).toMatchObject({ kind: 'submit', fault: { id: 'fault-1', rule: 'f', kind } });
      expect(records.slice(1).map((record) => record.kind)).toEqual(expected);
    }),
  );

  it.each([
    ['timeout-before', 'dropped', []],
    ['timeout-after', 'accepted', ['execution']],
  ] as const)('%s leaves the client without an answer', (kind, outcome, expected) =>
    withSimulator({ delayMs: 0, faults: { rules: [{ id: 'f', kind, ...once }] } }, async (simulator) => {
      await submitAndLeave(simulator, 'T1:1', submitBody('T1'));
      const records = await ledgerOf(simulator);
      expect(records[0]).toMatchObject({ kind: 'submit', outcome });
      expect(records.slice(1).map((record) => record.kind)).toEqual(expected);
      expect((await query(simulator.url, 'T1:1')).body.state ?? 'none').toBe(outcome === 'accepted' ? 'PAID' : 'none');
    }),
  );

  it.each([
    ['error-before', 500, 'INTERNAL', 404],
    ['error-after', 500, 'INTERNAL', 200],
    ['rate-limit', 429, 'RATE_LIMITED', 404],
  ] as const)('%s', (kind, status, code, queryStatus) =>
    withSimulator({ delayMs: 0, faults: { rules: [{ id: 'f', kind, ...once }] } }, async ({ url }) => {
      const reply = await submit(url, 'T1:1', submitBody('T1'));
      expect([reply.status, errorBody.parse(reply.body).code]).toEqual([status, code]);
      expect(reply.body.definitive).toBe(false);
      expect(reply.headers.get('retry-after')).toBe(kind === 'rate-limit' ? '1' : null);
      expect((await query(url, 'T1:1')).status).toBe(queryStatus);
    }),
  );

  it('malformed: it takes effect, and the answer is no JSON', () =>
    withSimulator({ delayMs: 0, faults: { rules: [{ id: 'f', kind: 'malformed', ...once }] } }, async ({ url }) => {
      await expect(submit(url, 'T1:1', submitBody('T1'))).rejects.toBeInstanceOf(SyntaxError);
      expect((await query(url, 'T1:1')).body.state).toBe('PAID');
    }));

  it('late: a submit takes effect after its client has gone, but not after its expiry', () => {
    const faults = { rules: [{ id: 'f', on: 'submit', kind: 'late', ms: 1_500 } as const] };
    return withSimulator({ delayMs: 0, faults }, async (simulator) => {
      const { url } = simulator;
      const soon = submitBody('T2', { expiresAt: new Date(Date.now() + 1_000).toISOString() });
      await Promise.all([submitAndLeave(simulator, 'T1:1', submitBody('T1')), submitAndLeave(simulator, 'T2:1', soon)]);
      expect((await query(url, 'T1:1')).status).toBe(404);
      await queryUntil(url, 'T1:1', 'PAID');
      await queryUntil(url, 'T2:1', 'EXPIRED');
    });
  });

  it('lag: a submit that is accepted is not found for a while', () => {
    const faults = { rules: [{ id: 'f', kind: 'lag', ms: 1_500, ...once } as const] };
    return withSimulator({ delayMs: 0, faults }, async ({ url }) => {
      expect((await submit(url, 'T1:1', submitBody('T1'))).body.state).toBe('PAID');
      expect((await query(url, 'T1:1')).status).toBe(404);
      expect((await cancel(url, 'T1:1')).body.code).toBe('ALREADY_EXECUTED');
      await queryUntil(url, 'T1:1', 'PAID');
    });
  });

  it('down: connections are refused, then the same port answers again', () => {
    const faults = { rules: [{ id: 'f', kind: 'down', ms: 1_000, ...once } as const] };
    return withSimulator({ delayMs: 0, faults }, async (simulator) => {
      const { url } = simulator;
      await expect(submit(url, 'T1:1', submitBody('T1'))).rejects.toMatchObject({ cause: { code: 'ECONNRESET' } });
      await expect(query(url, 'T1:1')).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
      await simulator.goDown(0);
      expect((await query(url, 'T1:1')).status).toBe(404);
      expect((await submit(url, 'T1:1', submitBody('T1'))).body.state).toBe('PAID');
    });
  });

  it.each(['stop', 'kill'] as const)('%s works while it is down', async (end) => {
    await using folder = await temporaryLedger();
    const simulator = await startSimulator({ ledgerFile: folder.ledgerFile, delayMs: 0 });
    await submit(simulator.url, 'T1:1', submitBody('T1'));
    const down = simulator.goDown(3_600_000);
    await simulator[end]();
    await down;
    expect((await ledgerOf(simulator)).map(({ kind }) => kind)).toEqual(['submit', 'execution']);
    await expect(query(simulator.url, 'T1:1')).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
  });

  it('on queries and cancels are recorded, and answers come late but right', () => {
    const rules = [
      { id: 'slow', on: 'query', kind: 'latency', ms: 30, limit: 1 } as const,
      { id: 'lost', on: 'cancel', kind: 'reset-after', limit: 1 } as const,
      { id: 'busy', on: 'cancel', kind: 'rate-limit', skip: 1, limit: 1 } as const,
    ];
    return withSimulator({ faults: { rules } }, async (simulator) => {
      const { url } = simulator;
      expect((await query(url, 'T1:1')).status).toBe(404);
      await expect(cancel(url, 'T1:1')).rejects.toMatchObject({ cause: { code: 'ECONNRESET' } });
      expect((await cancel(url, 'T1:1')).status).toBe(429);
      expect((await cancel(url, 'T1:1')).body.state).toBe('CANCELLED');
      const records = await ledgerOf(simulator);
      expect(records.map((record) => ('fault' in record ? record.fault?.rule : record.kind))).toEqual([
        'slow',
        'lost',
        'busy',
        'cancel',
      ]);
    });
  });

  it('are set, read and cleared over HTTP, and counted', () =>
    withSimulator({ delayMs: 0 }, async ({ url }) => {
      const plan = { rules: [{ id: 'f', on: 'submit', kind: 'error-after' }] };
      const put = (body: unknown) => request(url, '/v1/admin/faults', { method: 'PUT', body: JSON.stringify(body) });
      expect((await put({ rules: [{ id: 'f' }] })).status).toBe(400);
      expect((await put(plan)).body.rules).toHaveLength(1);
      expect((await submit(url, 'T1:1', submitBody('T1'))).status).toBe(500);
      expect((await request(url, '/v1/admin/faults')).body.rules[0]).toMatchObject({ id: 'f', probability: 1 });
      const { body: stats } = await request(url, '/v1/admin/stats');
      expect(stats).toMatchObject({ faultsFired: { f: 1 }, records: { execution: 1, faults: 1 }, payouts: 1 });
      expect((await request(url, '/v1/admin/faults', { method: 'DELETE' })).body.rules).toEqual([]);
      expect((await submit(url, 'T2:1', submitBody('T2'))).status).toBe(200);
      expect((await request(url, '/health')).body.status).toBe('ok');
    }));
});

describe('a restart', () => {
  it('goes on from the ledger: pays what was accepted, keeps tombstones and fault ids', async () => {
    await using folder = await temporaryLedger();
    const { ledgerFile } = folder;
    const faults = { rules: [{ id: 'f', on: 'query', kind: 'error-after', limit: 1 } as const] };
    const first = await startSimulator({ ledgerFile, delayMs: 300, faults });
    await submit(first.url, 'T1:1', submitBody('T1'));
    await cancel(first.url, 'T2:1');
    await query(first.url, 'T1:1');
    await first.kill();
    const second = await startSimulator({ ledgerFile, delayMs: 300, faults });
    try {
      expect((await submit(second.url, 'T2:1', submitBody('T2'))).body.code).toBe('CANCELLED');
      await query(second.url, 'T1:1');
      await queryUntil(second.url, 'T1:1', 'PAID');
      const records = await ledgerOf(second);
      expect(records.flatMap((record) => ('fault' in record && record.fault ? [record.fault.id] : []))).toEqual([
        'fault-1',
        'fault-2',
      ]);
      expect((await summarise(records)).byTransfer.get('T1')?.executions).toBe(1);
    } finally {
      await second.stop();
    }
  });

  it('says which port is taken', async () => {
    await using folder = await temporaryLedger();
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as { port: number };
    await expect(startSimulator({ ledgerFile: folder.ledgerFile, port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    other.close();
  });
});

it('tells a wrong clock where the plan says so: ahead, jumping, running backward; what it enforces keeps to the true time', () =>
  withSimulator({}, async (simulator) => {
    const { url } = simulator;
    const aheadMs = async () => Date.parse(String((await query(url, 'T1:1')).body.asOf)) - Date.now();
    simulator.setFaults({
      rules: [{ id: 'ahead', on: 'query', kind: 'clock', aheadMs: 19_800_000, skip: 1, limit: 1 }],
    });
    const [before, during, after] = [await aheadMs(), await aheadMs(), await aheadMs()];
    expect(Math.abs(before)).toBeLessThan(60_000);
    expect(Math.abs(during - 19_800_000)).toBeLessThan(60_000);
    expect(Math.abs(after)).toBeLessThan(60_000);
    simulator.setFaults({ rules: [{ id: 'back', on: 'query', kind: 'clock', backward: true }] });
    const first = Date.parse(String((await query(url, 'T1:1')).body.asOf));
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(Date.parse(String((await query(url, 'T1:1')).body.asOf))).toBeLessThan(first);
    simulator.setFaults({ rules: [{ id: 'ahead', on: 'submit', kind: 'clock', aheadMs: 19_800_000 }] });
    expect((await submit(url, 'T1:1', submitBody('T1'))).status).toBe(202);
  }));
