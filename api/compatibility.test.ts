import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { breakingChanges } from './compatibility.ts';

type Node = Record<string, never>;
const base = () =>
  ({
    paths: {
      '/v1/things/{id}': {
        post: {
          parameters: [{ in: 'path', name: 'id', required: true, schema: { type: 'string' } }],
          requestBody: {
            content: {
              'application/json': {
                schema: {
                  type: 'object',
                  required: ['name'],
                  properties: {
                    name: { type: 'string' },
                    kind: { type: 'string', enum: ['A', 'B'] },
                    size: { anyOf: [{ type: 'string' }, { type: 'integer' }] },
                  },
                },
              },
            },
          },
          responses: {
            200: { content: { 'application/json': { schema: { $ref: '#/components/schemas/Thing' } } } },
            404: { content: {} },
          },
        },
      },
    },
    components: {
      schemas: {
        Thing: {
          type: 'object',
          required: ['id', 'parts'],
          properties: {
            id: { type: 'string' },
            state: { type: 'string', enum: ['NEW'] },
            parts: { type: 'array', items: { $ref: '#/components/schemas/Thing' } },
            note: { anyOf: [{ type: 'string' }, { type: 'null' }] },
          },
        },
      },
    },
  }) as unknown as Node;

/** The document with one place of it changed; `undefined` takes it out. */
function changed(path: string, value: unknown): Node {
  const document = base();
  const keys = path.split(' ');
  const last = keys.pop()!;
  const holder = keys.reduce<Node>((node, key) => node[key]!, document);
  if (value === undefined) delete holder[last];
  else holder[last] = value as never;
  return document;
}

const OPERATION = 'paths /v1/things/{id} post';
const BODY = `${OPERATION} requestBody content application/json schema`;
const THING = 'components schemas Thing';

describe('a change of the API', () => {
  it.each([
    ['an operation is gone', 'paths /v1/things/{id}', undefined],
    ['a parameter is gone', `${OPERATION} parameters`, []],
    ['a parameter is new and required', `${OPERATION} parameters 1`, { in: 'query', name: 'q', required: true }],
    ['a field of the body is required now', `${BODY} required`, ['name', 'kind']],
    ['a field of the body is not known any more', `${BODY} properties kind`, undefined],
    ['a value is not taken any more', `${BODY} properties kind enum`, ['A']],
    ['a free text takes some values only', `${BODY} properties name enum`, ['x']],
    ['a field of the body has another type', `${BODY} properties name type`, 'integer'],
    ['the body takes one form less', `${BODY} properties size anyOf`, [{ type: 'string' }]],
    ['an answer is gone', `${OPERATION} responses 200`, undefined],
    ['an answer is of another media type', `${OPERATION} responses 200 content`, { 'text/plain': {} }],
    ['a field of an answer is gone', `${THING} properties state`, undefined],
    ['a field of an answer may be absent now', `${THING} required`, ['id']],
    ['a field of an answer has another type', `${THING} properties id type`, ['string', 'null']],
    ['an answer has one form more', `${THING} properties note anyOf`, [{ type: 'string' }, { type: 'null' }, {}]],
    ['items have another type', `${THING} properties parts items`, { type: 'string' }],
  ])('breaks clients when %s', (_, path, value) => {
    expect(breakingChanges(base(), changed(path, value))).not.toEqual([]);
  });

  it.each([
    ['nothing', 'info', {}],
    ['a new operation', 'paths /v1/more', { get: {} }],
    ['a new parameter that may be absent', `${OPERATION} parameters 1`, { in: 'query', name: 'q' }],
    ['a field of the body that may be absent', `${BODY} properties more`, { type: 'string' }],
    ['a field of the body that may be absent now', `${BODY} required`, []],
    ['another value that is taken', `${BODY} properties kind enum`, ['A', 'B', 'C']],
    ['a field more in an answer', `${THING} properties more`, { type: 'string' }],
    ['a value more in an answer', `${THING} properties state enum`, ['NEW', 'OLD']],
    ['a refusal less', `${OPERATION} responses 404`, undefined],
    ['a refusal more', `${OPERATION} responses 409`, { content: {} }],
  ])('breaks nobody: %s', (_, path, value) => expect(breakingChanges(base(), changed(path, value))).toEqual([]));

  it('says where, also in a document that refers to itself', () => {
    const gone = changed(`${THING} properties state`, undefined);
    expect(breakingChanges(base(), gone)).toContain('POST /v1/things/{id}: answer 200.state is gone');
    const own = JSON.parse(readFileSync(new URL('v1/openapi.json', import.meta.url), 'utf8')) as Node;
    expect(breakingChanges(own, own)).toEqual([]);
  });
});
