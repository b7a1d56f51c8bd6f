// Asks a process how it is. What it answers is bounded in time and size, and checked: another program may listen there.
import { Agent, request } from 'undici';
import { z } from 'zod';
import { safeText } from '../../domain/text/text.ts';
import type { HealthReport, HealthReports } from '../../operations/status/ports.ts';
import { CodedError, isCoded, thrownText } from '../../ports/fault.ts';
import { withoutCredentials } from '../../ports/hide.ts';

const TIMEOUT_MS = 3_000;
const MAX_BYTES = 1_048_576;
const MAX_ITEMS = 200;

const text = (most: number) => z.string().transform((found) => safeText(found, most));
const list = <S extends z.ZodType>(item: S) => z.array(item).transform((found) => found.slice(0, MAX_ITEMS));
const trouble = z.object({ dependency: text(60), code: text(80), detail: text(500), since: z.number() });
const paused = z.object({ topic: text(200), partition: z.int(), code: text(80), detail: text(500) });
const answer = z.object({
  live: z.boolean(),
  ready: z.boolean(),
  standing: list(
    z.object({
      ...{ name: text(100), code: text(80), detail: text(500), toDo: text(500) },
      ...{ since: z.number(), restarts: z.int() },
    }),
  ),
  hosts: list(
    z.object({ name: text(100), state: text(20), lag: z.number(), troubles: list(trouble), paused: list(paused) }),
  ),
});

/** Over HTTP, GET /health of the base URL that is asked for. */
export function healthReports(timeoutMs = TIMEOUT_MS): HealthReports {
  return {
    async of(url) {
      const { hosts, ...report } = parsed(url, await fetched(url, timeoutMs));
      return { ...report, parts: hosts } satisfies HealthReport;
    },
  };
}

async function fetched(url: string, timeoutMs: number): Promise<string> {
  const agent = new Agent({ connectTimeout: timeoutMs, maxResponseSize: MAX_BYTES });
  try {
    // 503 is an answer too: it says what is the matter.
    const { statusCode, body } = await request(new URL('/health', url), {
      dispatcher: agent,
      signal: AbortSignal.timeout(timeoutMs),
    });
    if (statusCode === 200 || statusCode === 503) return await body.text();
    throw unreadable(url, `it answers ${statusCode}`);
  } catch (error) {
    if (isCoded(error)) throw error;
    const message = `${withoutCredentials(url)} does not answer: ${thrownText(error)}`;
    throw new CodedError('PROCESS_UNREACHABLE', message);
  } finally {
    void agent.destroy().catch(() => undefined);
  }
}

function parsed(url: string, body: string): z.output<typeof answer> {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    throw unreadable(url, 'it is no JSON');
  }
  const checked = answer.safeParse(json);
  if (checked.success) return checked.data;
  throw unreadable(url, 'it is not what a process of Corridor says');
}

const unreadable = (url: string, why: string): CodedError =>
  new CodedError('HEALTH_UNREADABLE', `the health of ${withoutCredentials(url)} cannot be read: ${why}`);
