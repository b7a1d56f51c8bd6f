/** What an injected fault does to a connection. */
import type { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FaultRule } from './faults.ts';

/** Leaves the request without an answer: the connection stays open for `ms`, or until the client gives up. */
export function neverAnswer(request: FastifyRequest, reply: FastifyReply, ms: number): void {
  reply.hijack();
  const { socket } = request.raw;
  const timer = setTimeout(() => socket.destroy(), ms);
  socket.once('close', () => clearTimeout(timer));
}

/** Resets the connection (RST), so that the client sees ECONNRESET. */
export function reset(request: FastifyRequest, reply: FastifyReply): void {
  reply.hijack();
  resetSocket(request.raw.socket);
}

/** Answers 200 with a JSON body that breaks off, of the length it announces. */
export function answerMalformed(reply: FastifyReply, body: unknown): void {
  const whole = JSON.stringify(body);
  const part = whole.slice(0, Math.ceil(whole.length / 2));
  reply.hijack();
  reply.raw.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(part) });
  reply.raw.end(part);
}

export function resetSocket(socket: Socket): void {
  if (!socket.destroyed) socket.resetAndDestroy();
}

/** Does this fault keep the request from being processed? */
export function comesBefore(kind: FaultRule['kind']): boolean {
  return kind.endsWith('-before') || kind === 'rate-limit' || kind === 'down';
}
