import { describe, expect, it } from 'vitest';
import { chooseMongo, type MongoFindings, withoutDownload } from './mongo-choice.ts';
import { commandForSet } from './replica-set.ts';

const NOTHING: MongoFindings = { named: null, onPath: null, data: null, mayDownload: true };
const onPath = 'mongod';

describe('the MongoDB that is run', () => {
  it.each<[string, Partial<MongoFindings>, string]>([
    [
      'the one that is named',
      { named: '/opt/mongod', onPath, data: 'stand-in', mayDownload: false },
      'genuine /opt/mongod',
    ],
    ['else the one on the PATH', { onPath }, 'genuine mongod'],
    ['else one that is fetched', {}, 'download'],
    ['else, where that is forbidden, the stand-in', { mayDownload: false }, 'stand-in'],
    ['the stand-in as long as it made the data', { onPath, data: 'stand-in' }, 'stand-in'],
    ['a genuine one where one made the data', { onPath, data: 'genuine' }, 'genuine mongod'],
    ['one that is fetched for the data of a genuine one', { data: 'genuine' }, 'download'],
  ])('is %s', (_, found, expected) => {
    const choice = chooseMongo({ ...NOTHING, ...found });
    expect(choice.kind === 'genuine' ? `genuine ${choice.file}` : choice.kind).toBe(expected);
  });

  it('is never the stand-in on the data of a genuine one', () => {
    const none = expect.objectContaining({ code: 'NO_BINARY' });
    expect(() => chooseMongo({ ...NOTHING, data: 'genuine', mayDownload: false })).toThrow(none);
    expect(() => withoutDownload({ data: 'genuine' }, 'refused')).toThrow(none);
    expect(withoutDownload({ data: null }, 'refused')).toEqual({ kind: 'stand-in', why: 'refused' });
  });
});

describe('a replica set of one', () => {
  const config = (host: string) => ({ _id: 'corridor', version: 3, term: 2, members: [{ _id: 0, host, votes: 1 }] });

  it('is made once, left alone on its port, and told by force of another', () => {
    const host = '127.0.0.1:5001';
    expect(commandForSet(null, host)).toEqual({ replSetInitiate: { _id: 'corridor', members: [{ _id: 0, host }] } });
    expect(commandForSet(config(host), host)).toBeUndefined();
    expect(commandForSet(config('127.0.0.1:4999'), host)).toEqual({
      replSetReconfig: { _id: 'corridor', version: 4, term: 2, members: [{ _id: 0, host }] },
      force: true,
    });
  });
});
