// The audit log on a real broker: programs write, the sequencer is killed again and again with another beside it, strangers
// write among the entries. Nothing is lost, nothing is there twice, and a verifier that is not ours says so.
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { auditIndex } from '../../adapters/mongo/audit-index.ts';
import { pushSchemas } from '../../adapters/registry/push.ts';
import { type Child, startChild } from '../../infra/local/children.ts';
import { stackEnvironment } from '../../infra/local/stack.ts';
import type { Act } from '../../operations/audit/entry.ts';
import { loadConfig } from '../../runtime/config/config.ts';
import { applyTopics } from '../../runtime/provision.ts';
import { openAudit } from '../../services/audit.ts';
import { Connections, registryOptions } from '../../services/connections.ts';
import { BUILD_MS, builtVerifier, verifyWithGo } from '../kit/audit-verifier.ts';
import { runCorridor } from '../kit/corridor-command.ts';

const WAIT = { timeout: 180_000, interval: 300 };
const RUN = randomUUID();
const ENTRIES = 300;

let env: NodeJS.ProcessEnv;
let connections: Connections;
const folder = mkdtempSync(path.join(tmpdir(), 'corridor-audit-'));
const running = new Set<Child>();

async function start(name: string, more: NodeJS.ProcessEnv = {}): Promise<Child> {
  const child = await startChild({
    ...{ name, entry: 'cli/main.ts', args: ['run', '--stay', '--audit'] },
    env: { ...env, ...more },
    logFile: path.join(folder, `${name}.log`),
  });
  running.add(child);
  return child;
}

const corridor = (...args: string[]) => runCorridor(args, env);

const actOn = (n: number): Act => ({
  who: { subject: 'asha', roles: ['operator'], credential: 'TOKEN' },
  action: 'cases.decide',
  on: { kind: 'cases', id: `${RUN}-${n}`, isKnown: true },
  outcome: 'DONE',
  requestId: RUN,
});

const indexed = async () => auditIndex(await connections.db()).list({ requestId: RUN }, 2 * ENTRIES);

beforeAll(() => {
  builtVerifier();
}, BUILD_MS);
beforeAll(async () => {
  env = {
    ...process.env,
    CORRIDOR_ENV: 'development',
    CORRIDOR_KAFKA_SESSION_TIMEOUT_MS: '3000',
    CORRIDOR_MONGO_DATABASE: `audit_${process.pid}_${Date.now().toString(36)}`,
    ...stackEnvironment(inject('stack')),
  };
  const config = loadConfig(env);
  connections = new Connections(config, 'corridor-test');
  const admin = await connections.log.admin();
  const { chainPartitions, replicationFactor } = config.kafka;
  await applyTopics(admin, { app: config.appName, chainPartitions, replicationFactor });
  await admin.close();
  await pushSchemas(registryOptions(config));
}, 240_000);
afterAll(async () => {
  await Promise.all([...running].map((child) => child.stop(10_000)));
  await connections?.close();
});

describe('the audit log', () => {
  it('has every entry once, in order, however often its sequencer is killed, with another beside it', async () => {
    const audit = await openAudit(connections, 'test');
    const stranger = await connections.log.writer('stranger');
    await start('first');
    for (let n = 0; n < ENTRIES; n += 20) {
      // Neither waits for a broker that is slow nor gives up.
      audit.note(Array.from({ length: 20 }, (_, i) => actOn(n + i)));
      await vi.waitUntil(() => audit.waiting() === 0, WAIT);
      await stranger.send([
        { topic: 'audit.entries', partition: 0, key: 'x', value: Buffer.from('no entry'), headers: {} },
      ]);
      if (n % 100 !== 40) continue;
      const [oldest] = running;
      // The next begins while the one before is still there.
      await start(`next-${n}`);
      await oldest!.kill('SIGKILL');
      running.delete(oldest!);
    }
    audit.note([{ ...actOn(ENTRIES), outcome: 'FAILED' }]);
    await vi.waitUntil(() => audit.waiting() === 0, WAIT);
    await audit.close(1_000);
    await stranger.close();
    const found = await vi.waitUntil(async () => {
      const entries = await indexed();
      return entries.length > ENTRIES ? entries : undefined;
    }, WAIT);
    expect(found.map(({ objectId }) => objectId).toReversed()).toEqual(
      Array.from({ length: ENTRIES + 1 }, (_, n) => `${RUN}-${n}`),
    );
  });

  it('is verified by us, and by a verifier that is not ours', async () => {
    const { code, stdout, stderr } = await corridor('audit', 'verify');
    expect([code, stderr, stdout]).toEqual([0, '', expect.stringContaining('verified: nothing is wrong')]);
    const exported = path.join(folder, 'export');
    const { code: wrote, stderr: complained } = await corridor('audit', 'export', exported);
    expect([wrote, complained]).toEqual([0, '']);
    const key = (await corridor('audit', 'key')).stdout.trim();
    expect(readFileSync(path.join(exported, 'key.txt'), 'utf8').trim()).toBe(key);
    expect(verifyWithGo(exported, [key])).toEqual({ ok: true, said: expect.stringMatching(/^verified: \d+ entries/) });
    const entries = readFileSync(path.join(exported, 'entries.ndjson'), 'utf8');
    writeFileSync(path.join(exported, 'entries.ndjson'), withOneChanged(entries));
    expect(verifyWithGo(exported, [key])).toEqual({ ok: false, said: expect.stringContaining('NOT VERIFIED') });
  });

  it('keeps its checkpoints apart: one that was kept must fit what comes later', async () => {
    const kept = path.join(folder, 'kept.txt');
    writeFileSync(kept, (await corridor('audit', 'checkpoint')).stdout);
    const fits = await corridor('audit', 'verify', '--checkpoint', kept);
    expect([fits.code, fits.stderr]).toEqual([0, '']);
    writeFileSync(kept, readFileSync(kept, 'utf8').replace(/^\d+$/m, '1'));
    const wrong = await corridor('audit', 'verify', '--checkpoint', kept);
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toContain('CHECKPOINT_INVALID');
  });

  it('is shown by who, what and to what, page by page', async () => {
    const page = JSON.parse((await corridor('audit', 'list', '--request', RUN, '--limit', '10', '--json')).stdout) as {
      entries: { index: number; outcome: string; entryId: string }[];
      before: number;
      complete: boolean;
    };
    expect(page.entries).toHaveLength(10);
    expect(page.entries[0]).toMatchObject({ outcome: 'FAILED', subject: 'asha' });
    expect(page.complete).toBe(true);
    const next = await corridor('audit', 'list', '--request', RUN, '--before', String(page.before), '--json');
    expect((JSON.parse(next.stdout) as typeof page).entries[0]!.index).toBeLessThan(page.before);
    const shown = await corridor('audit', 'show', page.entries[0]!.entryId);
    expect(shown.stdout).toContain(`${RUN}-${ENTRIES}`);
    const refused = await corridor('audit', 'list', '--action', 'audit.refuse');
    expect(refused.stdout).toContain('SEAL_MISSING');
  });

  it('takes in what came while no sequencer ran, however much it is', async () => {
    await Promise.all([...running].map((child) => child.stop(60_000)));
    running.clear();
    const backlog = { requestId: randomUUID() };
    const audit = await openAudit(connections, 'test');
    for (let n = 0; n < 1_000; n += 250) {
      audit.note(Array.from({ length: 250 }, (_, i) => ({ ...actOn(n + i), ...backlog })));
      await vi.waitUntil(() => audit.waiting() === 0, WAIT);
    }
    await start('after-the-backlog');
    const taken = async () => auditIndex(await connections.db()).list(backlog, 2_000);
    await vi.waitFor(async () => expect(await taken()).toHaveLength(1_000), WAIT);
  }, 400_000);
});

/** The last entry with another byte. */
function withOneChanged(lines: string): string {
  const all = lines.trimEnd().split('\n');
  const last = JSON.parse(all.at(-1)!) as { leaf: string };
  const leaf = Buffer.from(last.leaf, 'base64');
  leaf[leaf.length - 1]! ^= 1;
  return `${[...all.slice(0, -1), JSON.stringify({ ...last, leaf: leaf.toString('base64') })].join('\n')}\n`;
}
