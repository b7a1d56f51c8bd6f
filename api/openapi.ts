// The OpenAPI document, from the routes and their DTOs. Its text is committed as api/v1/openapi.json: what is served, what
// clients are generated from, and what `npm run check` compares with the last released one.
import swagger from '@fastify/swagger';
import Fastify from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import type { Route } from './http/route.ts';
import { schemaOf } from './http/schema.ts';

/** JSON as far as this file looks into it. */
type Json = { [key: string]: unknown };

/** The document of these routes, as text. */
export async function openApiDocument(routes: readonly Route[]): Promise<string> {
  const app = Fastify({ exposeHeadRoutes: false });
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Corridor',
        version: '1',
        description:
          'Cross-border transfers. Version 1 only grows: pass over fields and values that you do not know. Amounts are minor units, as text. Problems follow RFC 9457; their codes are in docs/errors.md.',
      },
      security: [{ bearer: [] }],
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', description: 'A token (JWT) of the issuer, or an API key.' },
        },
      },
    },
    transform: jsonSchemaTransform as never,
    transformObject: jsonSchemaTransformObject,
  });
  app.setValidatorCompiler(() => () => true);
  app.setSerializerCompiler(() => () => '');
  for (const route of routes) {
    const { method, url, name, tag, summary, action, description = '' } = route;
    const about = {
      operationId: name,
      tags: [tag],
      summary,
      description: `${description} Action: \`${action}\`.`.trim(),
    };
    app.route({ method, url, schema: { ...schemaOf(route), ...about } as never, handler: async () => undefined });
  }
  await app.ready();
  const document = app.swagger() as unknown as Json;
  await app.close();
  for (const route of routes) {
    addHeaders(document, route);
    setMedia(document, route);
  }
  dropUnused(document);
  return `${JSON.stringify(withoutClosedAnswers(document), null, 2)}\n`;
}

/** Every DTO is given once as a request and once as an answer: those that nothing refers to go. */
function dropUnused(document: Json): void {
  const components = document['components'] as { schemas: Json };
  const used = new Set<string>();
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [key, inner] of Object.entries(value)) {
      const name = key === '$ref' && typeof inner === 'string' ? inner.split('/').at(-1)! : undefined;
      if (name === undefined) visit(inner);
      else if (!used.has(name)) {
        used.add(name);
        visit(components.schemas[name]);
      }
    }
  };
  visit(document['paths']);
  components.schemas = Object.fromEntries(Object.entries(components.schemas).filter(([name]) => used.has(name)));
}

/** Bodies and answers that are no JSON. */
function setMedia(document: Json, route: Route): void {
  const { media } = route;
  if (media === undefined) return;
  const operation = operationOf(document, route);
  const answers = Object.entries(operation['responses'] as Record<string, Json>).filter(([status]) => status < '300');
  for (const part of [operation['requestBody'] as Json, ...answers.map(([, each]) => each)]) {
    const [content] = Object.values(part['content'] as Json);
    part['content'] = { [media]: content };
  }
}

const operationOf = (document: Json, { url, method }: Route): Json => {
  const path = url.replaceAll(/:(\w+)/g, '{$1}');
  return (document['paths'] as Record<string, Record<string, Json>>)[path]![method.toLowerCase()]!;
};

/** Header fields that a route reads. */
function addHeaders(document: Json, route: Route): void {
  const { headers = {} } = route;
  const operation = operationOf(document, route);
  const named = Object.entries(headers).map(([name, { description, required = false, pattern }]) => ({
    ...{ name, in: 'header', required, description },
    schema: { type: 'string', ...(pattern === undefined ? {} : { pattern }) },
  }));
  if (named.length > 0) operation['parameters'] = [...((operation['parameters'] as Json[]) ?? []), ...named];
}

/** Answers may get more fields: the document does not say that they may not. */
function withoutClosedAnswers(document: Json): Json {
  const requests = new Set<unknown>();
  const paths = document['paths'] as Record<string, Record<string, Json>>;
  for (const operation of Object.values(paths).flatMap((path) => Object.values(path))) {
    if (operation['requestBody'] !== undefined) requests.add(operation['requestBody']);
  }
  const opened = (value: unknown): unknown => {
    if (requests.has(value)) return value;
    if (Array.isArray(value)) return value.map(opened);
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value).filter(([key, inner]) => key !== 'additionalProperties' || inner !== false);
    return Object.fromEntries(entries.map(([key, inner]) => [key, opened(inner)]));
  };
  return opened(document) as Json;
}
