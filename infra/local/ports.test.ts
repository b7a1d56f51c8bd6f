import { createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import { DEFAULT_PORTS, fixedPort, freePorts, isPortFree } from './ports.ts';

async function take(): Promise<{ port: number; close: () => void }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as { port: number }).port, close: () => server.close() };
}

test('free ports differ, are free, and lie below those of outgoing connections', async () => {
  const ports = await freePorts(50);
  expect(new Set(ports).size).toBe(50);
  for (const port of ports) {
    expect(port).toBeGreaterThanOrEqual(20_000);
    expect(port).toBeLessThan(32_768);
    expect(await isPortFree(port)).toBe(true);
  }
});

test('a port in use is not free', async () => {
  const { port, close } = await take();
  expect(await isPortFree(port)).toBe(false);
  close();
});

describe('a fixed port', () => {
  test('is the documented one, unless the environment sets another', async () => {
    const [other] = await freePorts(1);
    expect(await fixedPort('mongo', { CORRIDOR_MONGO_PORT: String(other) })).toBe(other);
  });

  test.each(['0', '65536', 'x', '1.5'])('cannot be %s', async (value) => {
    await expect(fixedPort('mongo', { CORRIDOR_MONGO_PORT: value })).rejects.toMatchObject({ code: 'BAD_SETTING' });
  });

  test('that is taken is refused with the variable that moves it', async () => {
    const { port, close } = await take();
    await expect(fixedPort('registry', { CORRIDOR_REGISTRY_PORT: String(port) })).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      cure: expect.stringContaining('CORRIDOR_REGISTRY_PORT'),
    });
    close();
  });

  test('no two servers share one', () => {
    const ports = Object.values(DEFAULT_PORTS).map(({ port }) => port);
    expect(new Set(ports).size).toBe(ports.length);
  });
});
