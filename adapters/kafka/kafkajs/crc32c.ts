// CRC-32C, which every record batch carries. kafkajs computes it byte by byte in JavaScript when it writes, and never
// checks it when it reads.
import { createRequire } from 'node:module';
import { crc32c as native } from '@node-rs/crc32';

const require = createRequire(import.meta.url);
const shipped = require('kafkajs/src/protocol/recordBatch/crc32C') as (buffer: Buffer) => number;

let implementation = shipped;

/** CRC-32C of the bytes, unsigned. */
export function crc32c(bytes: Buffer): number {
  return implementation(bytes);
}

/** Uses the native implementation in our own encoder and decoder; returns what takes it back. */
export function install(): () => void {
  implementation = (bytes) => native(bytes);
  return () => {
    implementation = shipped;
  };
}
