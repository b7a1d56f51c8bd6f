import { expect, it } from 'vitest';
import { stackEnvironment } from '../../infra/local/stack.ts';
import { withStack } from './environment.ts';

const KEY_FILE = '/state/local-issuer.json';
const urls = {
  kafkaBrokers: ['127.0.0.1:1', '127.0.0.1:2'],
  registryUrl: 'http://127.0.0.1:3',
  mongoUri: 'mongodb://127.0.0.1:4',
  redisLimitsUrl: 'redis://127.0.0.1:5',
  redisQueueUrl: 'redis://127.0.0.1:6',
};

it('a running stack fills in its URLs, and is a development installation', () => {
  expect(withStack({ HOME: '/' }, urls, KEY_FILE)).toEqual({
    HOME: '/',
    CORRIDOR_ENV: 'development',
    CORRIDOR_AUTH_LOCAL_KEY_FILE: KEY_FILE,
    ...stackEnvironment(urls),
  });
  expect(withStack({ MONGODB_URI: urls.mongoUri }, urls, KEY_FILE)['CORRIDOR_ENV']).toBe('development');
  expect(withStack({ CORRIDOR_ENV: 'test' }, urls, KEY_FILE)['CORRIDOR_ENV']).toBe('test');
});

it.each(Object.keys(stackEnvironment(urls)))(
  'whoever names another %s gets no secrets of development, and no server, because a stack runs',
  (name) => {
    expect(withStack({ [name]: 'elsewhere:1' }, urls, KEY_FILE)).toEqual({ [name]: 'elsewhere:1' });
  },
);

it('an environment of production is left alone', () => {
  expect(withStack({ CORRIDOR_ENV: 'production' }, urls, KEY_FILE)).toEqual({ CORRIDOR_ENV: 'production' });
});
