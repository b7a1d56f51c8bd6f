// Structured logs that cannot leak personal data: only fields on the list below get through, and only in their shape.
import pino, { type DestinationStream, type Logger as PinoLogger } from 'pino';
import { safeText } from '../../domain/text/text.ts';
import { isTransferId } from '../../domain/transfers/transfer-id.ts';
import { CodedError } from '../../ports/fault.ts';
import { faultOf } from '../fault.ts';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

const MAX_TEXT = 500;
const word = /^[\w.:/@+-]{1,200}$/;

const text = (pattern: RegExp) => (value: unknown) =>
  typeof value === 'string' && pattern.test(value) ? value : undefined;
const number = (value: unknown) => (typeof value === 'number' || typeof value === 'bigint' ? Number(value) : undefined);
const sentence = (value: unknown) => (typeof value === 'string' ? safeText(value, MAX_TEXT) : undefined);
const flag = (value: unknown) => (typeof value === 'boolean' ? value : undefined);

/**
 * Every field that a log line may hold, with how it is checked. `detail` is for sentences that code wrote (of coded
 * errors and of causes): they hold no personal data by contract. Messages of other errors are never written.
 */
const FIELDS = {
  transferId: (value) => (typeof value === 'string' && isTransferId(value) ? value : undefined),
  eventId: text(word),
  replayId: text(word),
  letterId: text(word),
  stage: text(word),
  service: text(word),
  topic: text(word),
  code: text(word),
  class: text(word),
  dependency: text(word),
  severity: text(word),
  state: text(word),
  signal: text(word),
  provider: text(word),
  name: text(word),
  host: text(word),
  version: text(word),
  group: text(word),
  actor: text(word),
  traceId: text(/^[0-9a-f]{32}$/),
  pid: number,
  partition: number,
  offset: number,
  count: number,
  lag: number,
  port: number,
  attempts: number,
  restarts: number,
  exitCode: number,
  durationMs: number,
  delayMs: number,
  deadlineMs: number,
  ready: flag,
  detail: sentence,
  err: errorFields,
} as const satisfies Readonly<Record<string, (value: unknown) => unknown>>;
const CHECKS: Readonly<Record<string, (value: unknown) => unknown>> = FIELDS;

function errorFields(error: unknown): unknown {
  const { code, detail, stack } = faultOf(error);
  const type = error instanceof Error ? error.name : typeof error;
  return error instanceof CodedError ? { type, code, detail, stack } : { type, code, stack };
}

/** Keeps what is on the list and fits its shape; names of fields that were dropped are kept, their values are not. */
export function allowed(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const kept: Record<string, unknown> = {};
  const dropped: string[] = [];
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined || value === null) continue;
    const clean = CHECKS[name]?.(value);
    if (clean === undefined) dropped.push(name.slice(0, 40));
    else kept[name] = clean;
  }
  if (dropped.length > 0) kept['dropped'] = dropped;
  return kept;
}

/** What is not on the list does not compile; what gets by all the same is dropped. */
type Fields = { readonly [Name in keyof typeof FIELDS]?: unknown };
type Write = (fields: Fields, message: string) => void;

/** A logger whose messages are constants of the code and whose data is in fields. */
export interface Logger {
  readonly debug: Write;
  readonly info: Write;
  readonly warn: Write;
  readonly error: Write;
  child(fields: Fields): Logger;
}

export interface LoggerOptions {
  readonly level?: LogLevel;
  readonly service?: string;
  /** Default: standard output, written synchronously so that nothing is lost when the process is killed. */
  readonly destination?: DestinationStream;
}

/** JSON lines. */
export function createLogger(options: LoggerOptions = {}): Logger {
  const { level = 'info', service = 'corridor', destination = pino.destination({ dest: 1, sync: true }) } = options;
  const root = pino(
    {
      level,
      base: { service, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: levelName },
    },
    destination,
  );
  return wrap(root);
}

const levelName = (label: string) => ({ level: label });

function wrap(logger: PinoLogger): Logger {
  const write =
    (level: 'debug' | 'info' | 'warn' | 'error'): Write =>
    (fields, message) => {
      if (logger.isLevelEnabled(level)) logger[level](allowed(fields), message);
    };
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: (fields) => wrap(logger.child(allowed(fields))),
  };
}

export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLogger,
};
