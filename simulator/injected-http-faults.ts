/** What an injected fault does to a connection. */
import type { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FaultRule } from './injected-faults.ts';

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

/** The body with another value of one field, where it has it. */
export function altered<B extends object>(body: B, field: Extract<FaultRule, { kind: 'altered' }>['field']): B {
  const amount = 'amount' in body ? (body.amount as { minor: string; currency: string }) : undefined;
  if (field === 'amount') return amount ? { ...body, amount: { ...amount, minor: `${amount.minor}0` } } : body;
  if (field === 'currency') return amount ? { ...body, amount: { ...amount, currency: 'XTS' } } : body;
  if (!(field in body)) return body;
  return { ...body, [field]: field.endsWith('Digest') ? '0'.repeat(64) : 'another' };
}

export function resetSocket(socket: Socket): void {
  if (!socket.destroyed) socket.resetAndDestroy();
}

/** Does this fault keep the request from being processed? */
export function comesBefore(kind: FaultRule['kind']): boolean {
  return kind.endsWith('-before') || kind === 'rate-limit' || kind === 'down';
}
