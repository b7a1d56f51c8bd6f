import { expect, it } from 'vitest';
import { stackEnvironment } from '../../infra/local/stack.ts';
import { withStack } from './environment.ts';

const urls = {
  kafkaBrokers: ['127.0.0.1:1', '127.0.0.1:2'],
  registryUrl: 'http://127.0.0.1:3',
  mongoUri: 'mongodb://127.0.0.1:4',
  redisLimitsUrl: 'redis://127.0.0.1:5',
  redisQueueUrl: 'redis://127.0.0.1:6',
};

it('a running stack fills in its URLs, and is a development installation', () => {
  expect(withStack({ HOME: '/' }, urls)).toEqual({
    HOME: '/',
    CORRIDOR_ENV: 'development',
    ...stackEnvironment(urls),
  });
  expect(withStack({ MONGODB_URI: urls.mongoUri }, urls)['CORRIDOR_ENV']).toBe('development');
  expect(withStack({ CORRIDOR_ENV: 'production' }, urls)['CORRIDOR_ENV']).toBe('production');
});

it.each(Object.keys(stackEnvironment(urls)))(
  'whoever names another %s gets no secrets of development because a stack runs',
  (name) => {
    const env = withStack({ [name]: 'elsewhere:1' }, urls);
    expect(env['CORRIDOR_ENV']).toBeUndefined();
    expect(env[name]).toBe('elsewhere:1');
  },
);
