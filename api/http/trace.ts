// The id of a request: the trace id of the caller (W3C Trace Context), or a new one.
import { randomBytes } from 'node:crypto';

const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-|$)/;
const NOTHING = /^0+$/;

/** 32 hexadecimal digits. What the caller sends is believed only where it has the form of a trace id. */
export function traceIdOf(traceparent: string | readonly string[] | undefined): string {
  const [, traceId, parentId] = TRACEPARENT.exec(typeof traceparent === 'string' ? traceparent : '') ?? [];
  if (traceId === undefined || NOTHING.test(traceId) || NOTHING.test(parentId!)) return randomBytes(16).toString('hex');
  return traceId;
}
