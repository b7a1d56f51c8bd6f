// Producers and their keys, from files: whose ids begin how, and under which keys each seals what it writes to Kafka.
import { z } from 'zod';
import { type IntentKeys, NO_INTENT_KEYS } from '../domain/producers/intent-seal.ts';
import { NO_PRODUCERS, type ProducerTerms, producerBook } from '../domain/producers/producers.ts';
import { keyRing } from '../domain/seals/seal.ts';
import type { ProducerRules } from '../processors/intake/author.ts';
import type { Config } from '../runtime/config/config.ts';
import { readTerms, unusable } from './terms-files.ts';

const MAX_PRODUCERS = 10_000;
const producerFile = z.strictObject({
  sharedTopicProducer: z.string().optional(),
  producers: z
    .array(
      z.strictObject({
        id: z.string(),
        idPrefixes: z.array(z.string()).max(100).default([]),
        corridors: z.array(z.string()).max(1_000).optional(),
      }),
    )
    .max(MAX_PRODUCERS),
});
const keyFile = z.record(z.string(), z.string());

/** The producers in force. `producerBook` checks them. @throws CodedError TERMS_UNREADABLE (fatal) */
export function producerTerms({ producers: { file } }: Pick<Config, 'producers'>): ProducerTerms {
  if (file === undefined) return NO_PRODUCERS;
  const { producers, sharedTopicProducer } = readTerms(file, producerFile);
  return {
    producers: producers.map(({ id, idPrefixes, corridors }) => ({ id, idPrefixes, corridors })),
    sharedTopicProducer,
    takesUnproven: false,
  };
}

/** What proves who an intent is from. @throws CodedError TERMS_UNREADABLE (fatal); it names no secret */
export function intentKeys({ producers: { keysFile, intentKeys: api } }: Pick<Config, 'producers'>): IntentKeys {
  if (keysFile === undefined) return { ...NO_INTENT_KEYS, api };
  const texts = Object.entries(readTerms(keysFile, keyFile));
  try {
    return { api, ofProducer: new Map(texts.map(([producer, text]) => [producer, keyRing(text)])) };
  } catch (error) {
    throw unusable(keysFile, (error as Error).message);
  }
}

/** What intake goes by. @throws CodedError, DomainError when a file cannot be used */
export const producerRules = (config: Pick<Config, 'producers'>): ProducerRules => ({
  book: producerBook(producerTerms(config)),
  keys: intentKeys(config),
});
