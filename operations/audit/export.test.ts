// What is given to auditors, checked by a verifier that is not ours.
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { exportTo } from '../../cli/audit/export.ts';
import { signingKeyOf } from '../../domain/audit/signed-note.ts';
import { BUILD_MS, builtVerifier, verifyWithGo } from '../../test/kit/audit-verifier.ts';
import { AuditWorld, KEY } from './testing/audit-world.ts';

const KEYS = [KEY.verifies];
const PUBLIC = KEY.verifies.text;

async function exported(count: number): Promise<string> {
  const world = new AuditWorld({ batch: 7 });
  world.log.append(world.recordsOf(0, count));
  await world.sequence();
  const folder = mkdtempSync(path.join(tmpdir(), 'corridor-audit-export-'));
  await exportTo(folder, { codec: world.codec, reader: world.log.reader(), keys: KEYS });
  return folder;
}

/** Changes the lines of a file of the folder. */
function edited(folder: string, name: string, change: (lines: Record<string, never>[]) => unknown[]): void {
  const file = path.join(folder, name);
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  const after = change(lines.map((line) => JSON.parse(line) as Record<string, never>));
  writeFileSync(file, after.map((line) => `${JSON.stringify(line)}\n`).join(''));
}

const other = (base64: string): string => {
  const bytes = Buffer.from(base64, 'base64');
  bytes[0]! ^= 1;
  return bytes.toString('base64');
};

beforeAll(() => {
  builtVerifier();
}, BUILD_MS);

describe('an export', () => {
  it('is verified by a verifier that is not ours: signatures, roots, and every proof', async () => {
    for (const count of [1, 7, 64, 65]) {
      const checkpoints = Math.ceil(count / 7);
      expect(verifyWithGo(await exported(count), [PUBLIC])).toEqual({
        ok: true,
        said: `verified: ${count} entries, ${checkpoints} checkpoints`,
      });
    }
  });

  it('tells what each entry says, for people', async () => {
    const folder = await exported(3);
    const [first] = readFileSync(path.join(folder, 'entries.ndjson'), 'utf8').split('\n');
    expect(JSON.parse(first!)).toMatchObject({ index: 0, entry: { action: 'cases.decide', objectId: 'case-0' } });
    expect(readFileSync(path.join(folder, 'key.txt'), 'utf8')).toBe(`${PUBLIC}\n`);
  });

  it.each<[string, string, (lines: Record<string, never>[]) => unknown[]]>([
    [
      'a changed entry',
      'entries.ndjson',
      (lines) => lines.with(3, { ...lines[3]!, leaf: other(lines[3]!['leaf']!) } as never),
    ],
    ['an entry that is missing', 'entries.ndjson', (lines) => lines.toSpliced(3, 1)],
    ['entries out of order', 'entries.ndjson', (lines) => lines.with(3, lines[4]!).with(4, lines[3]!)],
    ['an end that is cut off', 'entries.ndjson', (lines) => lines.slice(0, -1)],
    ['an entry more', 'entries.ndjson', (lines) => [...lines, { ...lines[0]!, index: 20 }]],
    [
      'a changed checkpoint',
      'checkpoints.ndjson',
      (lines) => lines.with(1, { ...lines[1]!, note: String(lines[1]!['note']).replace('14', '13') } as never),
    ],
    [
      'a proof of another entry',
      'proofs.ndjson',
      (lines) => lines.with(2, { ...lines[2]!, path: lines[3]!['path']! } as never),
    ],
    [
      'a broken proof of consistency',
      'checkpoints.ndjson',
      (lines) => lines.with(1, { ...lines[1]!, consistency: [] } as never),
    ],
  ])('with %s is not', async (_, name, change) => {
    const folder = await exported(20);
    edited(folder, name, change);
    expect(verifyWithGo(folder, [PUBLIC])).toEqual({ ok: false, said: expect.stringContaining('NOT VERIFIED') });
  });

  it('under another key is not', async () => {
    const another = signingKeyOf(KEY.verifies.name, Buffer.alloc(32, 9)).verifies.text;
    expect(verifyWithGo(await exported(3), [another]).ok).toBe(false);
    expect(verifyWithGo(await exported(3), [another, PUBLIC]).ok).toBe(true);
  });
});
