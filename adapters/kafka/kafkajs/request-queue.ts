// kafkajs 2.2.4 keeps two timers per connection for ever: one that fires every millisecond once a first response came
// (kafkajs#1704, and a TimeoutNegativeWarning on Node 24, kafkajs#1751), and one every 100 ms that looks for requests that
// took too long. Here both run only while there is something to wait for, and a request times out only when the event loop had the
// time to see its answer.
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** How often requests in flight are checked for their timeout, ms. */
const TIMEOUT_CHECK_MS = 250;
/** When to look again at requests that wait for a free slot, ms, as shipped. */
const PENDING_CHECK_MS = 10;

interface RequestQueue {
  pending: unknown[];
  inflight: Map<number, { sentAt: number; requestTimeout: number; timeoutRequest(): void }>;
  throttledUntil: number;
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  requestTimeoutIntervalId?: NodeJS.Timeout | undefined;
  requestTimeout: number;
  enforceRequestTimeout: boolean;
  checkPendingRequests(): void;
  sendSocketRequest(request: unknown): void;
  destroy(): void;
  scheduleCheckPendingRequests(): void;
  scheduleRequestTimeoutCheck(): void;
}
const { prototype } = require('kafkajs/src/network/requestQueue') as { prototype: RequestQueue };

/** Looks again when the throttle ends or, with requests pending, soon; with neither there is nothing to look for. */
function scheduleCheckPendingRequests(this: RequestQueue): void {
  if (this.throttleCheckTimeoutId !== null) return;
  const throttledForMs = this.throttledUntil - Date.now();
  if (this.pending.length === 0 && throttledForMs <= 0) return;
  this.throttleCheckTimeoutId = setTimeout(
    () => {
      this.throttleCheckTimeoutId = null;
      this.checkPendingRequests();
    },
    throttledForMs > 0 ? throttledForMs : PENDING_CHECK_MS,
  );
}

/** Time in which the event loop stood still does not count: the answer may be there, and was not looked at. */
function checkTimeouts(queue: RequestQueue, stoodStillMs: number): void {
  const now = Date.now();
  for (const request of [...queue.inflight.values()]) {
    request.sentAt += Math.min(stoodStillMs, Math.max(0, now - request.sentAt));
    if (now - request.sentAt > request.requestTimeout) request.timeoutRequest();
  }
  if (queue.inflight.size > 0) return;
  clearInterval(queue.requestTimeoutIntervalId);
  queue.requestTimeoutIntervalId = undefined;
}

/** Installs both; returns what takes them back. */
export function install(): () => void {
  const shipped = {
    scheduleCheckPendingRequests: prototype.scheduleCheckPendingRequests,
    scheduleRequestTimeoutCheck: prototype.scheduleRequestTimeoutCheck,
    sendSocketRequest: prototype.sendSocketRequest,
    destroy: prototype.destroy,
  };
  prototype.scheduleCheckPendingRequests = scheduleCheckPendingRequests;
  prototype.scheduleRequestTimeoutCheck = () => {}; // begins with the first request instead
  prototype.sendSocketRequest = function (request) {
    shipped.sendSocketRequest.call(this, request);
    if (!this.enforceRequestTimeout || this.requestTimeoutIntervalId !== undefined) return;
    const everyMs = Math.min(this.requestTimeout, TIMEOUT_CHECK_MS);
    let checkedAt = Date.now();
    this.requestTimeoutIntervalId = setInterval(() => {
      const stoodStillMs = Math.max(0, Date.now() - checkedAt - everyMs);
      checkedAt = Date.now();
      checkTimeouts(this, stoodStillMs);
    }, everyMs);
  };
  prototype.destroy = function () {
    shipped.destroy.call(this);
    this.requestTimeoutIntervalId = undefined; // so that the connection's next request begins again
  };
  return () => {
    Object.assign(prototype, shipped);
  };
}
