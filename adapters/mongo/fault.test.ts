import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { MongoServerError } from 'mongodb';
import { expect, it } from 'vitest';
import { mongoFault } from './fault.ts';

it('a write to a connection that the server has closed is an outage, although the driver does not wrap it', async () => {
  const server = createServer((socket) => socket.end());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const socket = connect((server.address() as { port: number }).port, '127.0.0.1');
  socket.resume();
  await once(socket, 'end');
  const error = await new Promise<Error>((resolve) => {
    socket.on('error', () => {});
    socket.write('late', (problem) => problem && resolve(problem));
  });
  server.close();
  expect(error.message).toBe('This socket has been ended by the other party');
  expect(mongoFault(error)).toMatchObject({ code: 'MONGO_UNAVAILABLE', faultClass: 'transient-dependency' });
});

it.each(['ECONNRESET', 'EPIPE', 'ERR_STREAM_DESTROYED', 'ERR_SOCKET_CLOSED'])('%s is an outage', (code) => {
  const error = Object.assign(new Error('gone'), { code });
  expect(mongoFault(error)).toMatchObject({ code: 'MONGO_UNAVAILABLE', faultClass: 'transient-dependency' });
});

it.each([
  ['what the server refuses', new MongoServerError({ message: 'bad value', code: 2 })],
  ['a mistake of ours', new TypeError('x is not a function')],
  ['an argument of ours', Object.assign(new TypeError('the argument'), { code: 'ERR_INVALID_ARG_TYPE' })],
])("%s is the record's own", (_, error) => {
  expect(mongoFault(error)).toMatchObject({ code: 'MONGO_REFUSED', faultClass: 'poison' });
});
