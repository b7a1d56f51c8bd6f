import { expect, test } from 'vitest';
import { kafkaServers } from './kafka.ts';

test.each([
  [true, 1],
  [false, 0],
])('a broker of a trial run (%s) compiles quickly only, and no other does', (trial, flags) => {
  const { servers } = kafkaServers({
    java: { file: 'java', build: 'b' },
    jars: '/nowhere/jars',
    dataDir: '/nowhere',
    clusterId: 'c',
    trial,
    brokers: [{ port: 1, controllerPort: 2 }],
  });
  const { args } = servers[0]!.command([]);
  expect(args.filter((arg) => arg === '-XX:TieredStopAtLevel=1')).toHaveLength(flags);
});
