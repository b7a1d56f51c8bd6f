// The AsyncAPI document, read by the parser of the specification with its Avro parser: nothing to remark, and every field is there.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { AvroSchemaParser } from '@asyncapi/avro-schema-parser';
import { Parser } from '@asyncapi/parser';
import { beforeAll, expect, it } from 'vitest';
import { loadSchemas } from '../schemas/load.ts';
import { contractOf } from '../topics/catalogue.ts';
import { publicContracts } from './generators/asyncapi.ts';

const text = readFileSync(path.join(import.meta.dirname, 'contracts/asyncapi.yaml'), 'utf8');
type Parsed = Awaited<ReturnType<Parser['parse']>>;
const parse = (document: string): Promise<Parsed> => {
  const parser = new Parser();
  parser.registerSchemaParser(AvroSchemaParser());
  return parser.parse(document);
};
let parsed: Parsed;
beforeAll(async () => {
  parsed = await parse(text);
});

it('is valid, without a remark', () => {
  expect(parsed.diagnostics).toEqual([]);
});

it('has each topic that producers and analysts use, with every field of its record', () => {
  const messages = parsed.document!.allMessages().all();
  expect(messages.map((message) => message.name()).toSorted()).toEqual(
    [...new Set(publicContracts.map(({ record }) => record))].toSorted(),
  );
  for (const message of messages) {
    const { schema } = message.payload()!.json() as unknown as { readonly schema: { readonly properties: object } };
    const fields = loadSchemas().get(`corridor.${message.name()}`)!.fields!;
    expect(Object.keys(schema.properties)).toEqual(fields.map(({ name }) => name));
  }
  for (const channel of parsed.document!.allChannels().all()) expect(contractOf(channel.address()!)).toBeDefined();
});

it('is refused when it is broken', async () => {
  const { diagnostics } = await parse(text.replace('action: receive', 'action: take'));
  expect(diagnostics).not.toEqual([]);
});
