import { MongoClient } from 'mongodb';
import { expect, it } from 'vitest';
import { behind, primaryAddress } from './mongo-uri.ts';

it.each([
  ['mongodb://127.0.0.1:4/corridor?directConnection=true', 'mongodb://h:1/corridor?directConnection=true'],
  ['mongodb://a:1,b:2', 'mongodb://h:1/?directConnection=true'],
  [
    'mongodb://u:p%40@a:1,b:2,c:3/x?replicaSet=rs&authSource=admin&tls=true&tlsCAFile=/ca.pem',
    'mongodb://u:p%40@h:1/x?authSource=admin&tls=true&tlsCAFile=/ca.pem&directConnection=true&tlsAllowInvalidHostnames=true',
  ],
])('%s leads through a proxy with all that lets it in', (uri, through) => {
  expect(behind(uri, 'h:1')).toBe(through);
});

it('refuses a name that stands for servers which it does not name', () => {
  expect(() => behind('mongodb+srv://cluster.example', 'h:1')).toThrow('names its servers');
});

it('asks no server for the address of one that is reached directly', async () => {
  const client = new MongoClient('mongodb://127.0.0.1:4/x?directConnection=true');
  expect(await primaryAddress(client)).toEqual({ host: '127.0.0.1', port: 4 });
});
