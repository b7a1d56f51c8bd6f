// Sends a request without copying its body twice into ever larger zeroed buffers: the header goes into the room that the
// produce encoder leaves in front, or into one buffer with a small body.
import { createRequire } from 'node:module';
import type { EncodedRequest, WireCall, WireRequest } from './internals.ts';
import { RoomyRequest } from './produce-request.ts';

const require = createRequire(import.meta.url);

/** Size, api key, api version, correlation id and the client id's length. */
const FIXED_HEADER = 14;
const API_VERSIONS = 18;
const SASL_HANDSHAKE = 17;
const SASL_AUTHENTICATE = 36;
/** Requests that come before a connection is authenticated. */
const UNAUTHENTICATED = new Set([API_VERSIONS, SASL_HANDSHAKE, SASL_AUTHENTICATE]);

/** The whole request as it goes over the wire. */
export function frame(request: WireRequest, body: EncodedRequest, correlationId: number, clientId: string): Buffer {
  const clientIdSize = Buffer.byteLength(clientId);
  const headerSize = FIXED_HEADER + clientIdSize;
  const size = body.size();
  const inPlace = body instanceof RoomyRequest && body.start >= headerSize;
  const whole = inPlace ? body.whole : Buffer.allocUnsafe(headerSize + size);
  const from = inPlace ? body.start - headerSize : 0;
  whole.writeInt32BE(headerSize - 4 + size, from);
  whole.writeInt16BE(request.apiKey, from + 4);
  whole.writeInt16BE(request.apiVersion, from + 6);
  whole.writeInt32BE(correlationId, from + 8);
  whole.writeInt16BE(clientIdSize, from + 12);
  whole.write(clientId, from + FIXED_HEADER);
  if (!inPlace) body.buffer.copy(whole, headerSize);
  return whole.subarray(from, from + headerSize + size);
}

interface Answered {
  readonly payload: Buffer;
}
interface Connection {
  readonly clientId: string;
  readonly broker: string;
  readonly sasl: unknown;
  readonly socket: { write(bytes: Buffer): void };
  readonly requestQueue: {
    push(request: {
      entry: object;
      expectResponse: boolean;
      requestTimeout: number | null;
      sendRequest: () => void;
    }): void;
    maybeThrottle(ms: number | undefined): void;
  };
  isAuthenticated(): boolean;
  authenticate(): Promise<void>;
  failIfNotConnected(): void;
  nextCorrelationId(): number;
  logError(message: string, extra: object): void;
  send<T>(call: WireCall<T>): Promise<T | undefined>;
}
const { prototype } = require('kafkajs/src/network/connection') as { prototype: Connection };

async function send<T>(this: Connection, call: WireCall<T>): Promise<T | undefined> {
  const { request, response, requestTimeout = null, logResponseError = true } = call;
  if (this.sasl && !this.isAuthenticated() && !UNAUTHENTICATED.has(request.apiKey)) await this.authenticate();
  this.failIfNotConnected();
  const expectResponse = request.expectResponse?.() ?? true;
  const { apiKey, apiName, apiVersion } = request;
  const body = await request.encode();
  const { payload } = await new Promise<Answered>((resolve, reject) => {
    this.failIfNotConnected();
    const correlationId = this.nextCorrelationId();
    const bytes = frame(request, body, correlationId, this.clientId);
    this.requestQueue.push({
      entry: { apiKey, apiName, apiVersion, correlationId, resolve, reject },
      expectResponse,
      requestTimeout,
      sendRequest: () => this.socket.write(bytes),
    });
  });
  if (!expectResponse) return undefined;
  try {
    const decoded = await response.decode(payload);
    // The broker says how long it wants to be left alone (KIP-219).
    this.requestQueue.maybeThrottle((decoded as { clientSideThrottleTime?: number }).clientSideThrottleTime ?? 0);
    return await response.parse(decoded);
  } catch (error) {
    if (logResponseError) {
      this.logError(`Response ${apiName}(key: ${apiKey}, version: ${apiVersion})`, { error: (error as Error).message });
    }
    throw error;
  }
}

/** Installs it; returns what takes it back. */
export function install(): () => void {
  const shipped = prototype.send;
  prototype.send = send;
  return () => {
    prototype.send = shipped;
  };
}
