import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import fc from 'fast-check';
import {
  BSON,
  MongoBulkWriteError,
  MongoClientClosedError,
  MongoExpiredSessionError,
  MongoNotConnectedError,
  MongoServerClosedError,
  MongoServerError,
  MongoTopologyClosedError,
  MongoUnexpectedServerResponseError,
} from 'mongodb';
import { describe, expect, it } from 'vitest';
import { CodedError } from '../../ports/fault.ts';
import { mongoFault } from './fault.ts';
import { COMMAND_REFUSED, DENIED, DOCUMENT_REFUSED, PASSING } from './server-codes.ts';

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
  new MongoNotConnectedError('not connected'),
  new MongoTopologyClosedError('closed'),
  new MongoServerClosedError('closed'),
  new MongoClientClosedError(),
  new MongoExpiredSessionError('expired'),
  new MongoUnexpectedServerResponseError('no reply'),
  new BSON.BSONError('a reply that cannot be read'),
])('$name is an outage', (error) => {
  expect(mongoFault(error)).toMatchObject({ code: 'MONGO_UNAVAILABLE', faultClass: 'transient-dependency' });
});

describe('a code of a server', () => {
  const server = (code: number, labels: readonly string[] = []) =>
    new MongoServerError({ message: 'holds Anna Example', code, errorLabels: [...labels] });
  const DOCUMENT = [52, 56, 57, 121, 10_334, 11_000, 11_001, 12_582, 17_280, 17_419, 17_420];
  const STOPS = [11, 13, 18, 31, 334];

  it.each(DOCUMENT)('%i condemns the record, and does not quote it', (code) => {
    const fault = mongoFault(server(code));
    expect(fault).toMatchObject({ code: 'MONGO_DOCUMENT_REFUSED', faultClass: 'poison' });
    expect((fault as Error).message).not.toContain('Anna');
  });

  it.each(STOPS)('%i stops the processor', (code) => {
    expect(mongoFault(server(code))).toMatchObject({ code: 'MONGO_UNAUTHORISED', faultClass: 'fatal' });
  });

  it.each([
    6, 7, 43, 50, 64, 89, 91, 100, 112, 134, 175, 189, 237, 262, 365, 402, 462, 463, 473, 8000, 9001, 10_058, 10_107,
    11_600, 11_601, 11_602, 13_388, 13_435, 13_436, 14_031,
  ])('%i passes', (code) => {
    expect(mongoFault(server(code))).toMatchObject({ code: 'MONGO_UNAVAILABLE', faultClass: 'transient-dependency' });
  });

  it('whatever it is, condemns nothing unless it is known to be said of a document', () => {
    const condemned: number[] = [];
    const stopped: number[] = [];
    for (let code = -1; code < 20_000; code++) {
      const { faultClass } = mongoFault(server(code)) as CodedError;
      if (faultClass === 'poison') condemned.push(code);
      if (faultClass === 'fatal') stopped.push(code);
    }
    expect(condemned).toEqual(DOCUMENT);
    expect(stopped).toEqual(STOPS);
  });

  it.each([
    'RetryableWriteError',
    'RetryableError',
    'SystemOverloadedError',
    'TransientTransactionError',
    'NoWritesPerformed',
  ])('with the label %s passes, even where it is said of a document', (label) => {
    for (const code of [121, 13, 4_711]) {
      expect(mongoFault(server(code, [label]))).toMatchObject({ code: 'MONGO_UNAVAILABLE' });
    }
  });

  it('is in one table alone', () => {
    const all = [PASSING, DOCUMENT_REFUSED, DENIED, COMMAND_REFUSED].flatMap((table) => [...table.keys()]);
    expect(new Set(all).size).toBe(all.length);
  });
});

describe('a bulk', () => {
  const bulk = (codes: readonly number[], concern?: number) => {
    const writeErrors = codes.map((code, index) => ({ code, index, errmsg: 'refused' }));
    const result = { getWriteConcernError: () => (concern === undefined ? undefined : { code: concern }) };
    return new MongoBulkWriteError({ message: 'refused', code: codes[0]!, writeErrors } as never, result as never);
  };
  const codes = fc.array(fc.constantFrom(11_000, 121, 13, 112, 134, 2, 4_711), { minLength: 1, maxLength: 6 });

  it('is judged by all of its errors, in any order', () => {
    fc.assert(
      fc.property(codes, fc.constantFrom(undefined, 64, 100), (given, concern) => {
        const { faultClass } = mongoFault(bulk(given, concern)) as CodedError;
        const only = (...some: number[]) => concern === undefined && given.every((code) => some.includes(code));
        if (only(11_000, 121)) expect(faultClass).toBe('poison');
        else if (only(11_000, 121, 13)) expect(faultClass).toBe('fatal');
        else expect(faultClass).toBe('transient-dependency');
      }),
    );
  });
});

it.each([
  new TypeError('Anna Example is not a function'),
  Object.assign(new TypeError('Anna Example'), { code: 'ERR_INVALID_ARG_TYPE' }),
])('what a call of the driver throws and nobody knows waits, and its text goes nowhere: $name', (error) => {
  const fault = mongoFault(error);
  expect(fault).toMatchObject({ code: 'MONGO_UNKNOWN', faultClass: 'transient-dependency', dependency: 'mongo' });
  expect(fault.message).not.toContain('Anna');
});

it('what is coded already passes through', () => {
  const error = new CodedError('ID_CONFLICT', 'known already');
  expect(mongoFault(error)).toBe(error);
});
