/** Runs the provider simulator: `node simulator/main.ts --ledger FILE [options]`. docs/simulator.md tells the options. */
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { faultPlan } from './injected-faults.ts';
import { type SimulatorOptions, startSimulator } from './server.ts';

const USAGE = `usage: node simulator/main.ts --ledger FILE [options]

  --ledger FILE                  append-only ledger; made when missing, replayed when there
  --port N                       default 0: a free port, named in the ready line
  --host ADDRESS                 default 127.0.0.1
  --seed N                       of the fault plan and the webhooks; default 1
  --duplicate-protection on|off  off: a second submit with a key executes again; default on
  --delay-ms N                   from acceptance to settlement; 0 settles in the answer; default 200
  --return-delay-ms N            from payment to return; default as --delay-ms
  --faults JSON|FILE             fault plan
  --require-token TOKEN          bearer token that requests about payouts must bear
  --require-signature ID:SECRET  key of the signature that they must bear
  --tls-cert FILE, --tls-key FILE  HTTPS; --tls-client-ca FILE: only for clients with a certificate of it
  --webhook-url URL              send signed callbacks; default off
  --webhook-secret SECRET        key of their signature; or WEBHOOK_SECRET in the environment

Prints one JSON line when it is ready: {"ready":true,"url":"http://127.0.0.1:4711","pid":123,"ledger":"FILE"}`;

const count = z.coerce.number().int().nonnegative();
const settings = z.object({
  ledger: z.string({ error: 'is required' }).min(1),
  port: count.max(65_535).default(0),
  host: z.string().default('127.0.0.1'),
  seed: count.default(1),
  'duplicate-protection': z.enum(['on', 'off']).default('on'),
  'delay-ms': count.default(200),
  'return-delay-ms': count.optional(),
  faults: z.string().optional(),
  'require-token': z.string().min(1).optional(),
  'require-signature': z
    .string()
    .regex(/^[\w.-]{1,64}:.{16,}$/, 'expected ID:SECRET')
    .optional(),
  'tls-cert': z.string().optional(),
  'tls-key': z.string().optional(),
  'tls-client-ca': z.string().optional(),
  'webhook-url': z.url().optional(),
  'webhook-secret': z.string().min(1).optional(),
  help: z.boolean().optional(),
});

/** A plan given in place starts with `{`; anything else is the name of a file. */
async function readPlan(value: string | undefined): Promise<z.output<typeof faultPlan>> {
  if (value === undefined) return { rules: [] };
  const text = value.trimStart().startsWith('{') ? value : await readFile(value, 'utf8');
  return faultPlan.parse(JSON.parse(text));
}

async function securityOf(given: z.output<typeof settings>): Promise<Pick<SimulatorOptions, 'auth' | 'tls'>> {
  const { 'require-token': token, 'require-signature': signature, 'tls-cert': cert, 'tls-key': key } = given;
  const colon = signature?.indexOf(':') ?? 0;
  const signing = signature && { id: signature.slice(0, colon), secret: signature.slice(colon + 1) };
  const auth = (token || signing) && { ...(token && { token }), ...(signing && { signing }) };
  if (!cert || !key) return auth ? { auth } : {};
  const clientCa = given['tls-client-ca'];
  const [certPem, keyPem] = await Promise.all([readFile(cert, 'utf8'), readFile(key, 'utf8')]);
  const tls = { cert: certPem, key: keyPem, ...(clientCa && { clientCa: await readFile(clientCa, 'utf8') }) };
  return { tls, ...(auth && { auth }) };
}

async function main(): Promise<void> {
  const names = Object.keys(settings.shape);
  const { values } = parseArgs({
    options: Object.fromEntries(names.map((name) => [name, { type: name === 'help' ? 'boolean' : 'string' } as const])),
  });
  if (values['help']) {
    console.log(USAGE);
    return;
  }
  const given = settings.parse(values);
  const secret = given['webhook-secret'] ?? process.env['WEBHOOK_SECRET'];
  const url = given['webhook-url'];
  if (url !== undefined && !secret) throw new Error('--webhook-url needs --webhook-secret or WEBHOOK_SECRET');
  const returnDelayMs = given['return-delay-ms'];
  const simulator = await startSimulator({
    ledgerFile: given.ledger,
    port: given.port,
    host: given.host,
    seed: given.seed,
    duplicateProtection: given['duplicate-protection'] === 'on',
    delayMs: given['delay-ms'],
    ...(returnDelayMs !== undefined && { returnDelayMs }),
    ...(await securityOf(given)),
    faults: await readPlan(given.faults),
    ...(url !== undefined && secret && { webhook: { url, secret } }),
    onFailure: (error) => {
      console.error(JSON.stringify({ level: 'fatal', code: error.code, message: error.message }));
      process.exit(1);
    },
  });
  const stop = () => {
    simulator.stop().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  const { ledgerFile: ledger } = simulator;
  console.log(JSON.stringify({ ready: true, url: simulator.url, pid: process.pid, ledger }));
}

main().catch((error: unknown) => {
  const message = error instanceof z.ZodError ? z.prettifyError(error) : error instanceof Error ? error.message : error;
  console.error(`simulator: ${String(message)}\n\n${USAGE}`);
  process.exit(2);
});
