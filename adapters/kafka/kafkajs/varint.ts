// Variable-length integers of the record format: zigzag, seven bits a byte, lowest first.

/** Zigzag of a 32-bit integer, unsigned: small magnitudes become small numbers. */
export function zigzag(value: number): number {
  return ((value << 1) ^ (value >> 31)) >>> 0;
}

/** Bytes that a 32-bit integer takes. */
export function varintSize(value: number): number {
  const encoded = zigzag(value);
  if (encoded < 0x80) return 1;
  if (encoded < 0x4000) return 2;
  if (encoded < 0x200000) return 3;
  return encoded < 0x10000000 ? 4 : 5;
}

/** Writes a 32-bit integer at `at`; returns where it ends. */
export function writeVarint(target: Buffer, value: number, at: number): number {
  let encoded = zigzag(value);
  let position = at;
  while (encoded >= 0x80) {
    target[position++] = (encoded & 0x7f) | 0x80;
    encoded >>>= 7;
  }
  target[position++] = encoded;
  return position;
}

/** Reads integers one after the other. One cursor is reused for a whole response, so it allocates nothing per record. */
export class Cursor {
  buffer: Buffer;
  at: number;

  constructor(buffer: Buffer, at = 0) {
    this.buffer = buffer;
    this.at = at;
  }

  /** A 32-bit integer, of five bytes at most. */
  varint(): number {
    const { buffer } = this;
    let byte = buffer[this.at++]!;
    let encoded = byte & 0x7f;
    for (let shift = 7; byte >= 0x80 && shift < 35; shift += 7) {
      byte = buffer[this.at++]!;
      encoded |= (byte & 0x7f) << shift;
    }
    return (encoded >>> 1) ^ -(encoded & 1);
  }

  /** A 64-bit integer that is known to be a safe number, of ten bytes at most. */
  varlong(): number {
    const { buffer } = this;
    let byte = buffer[this.at++]!;
    let encoded = byte & 0x7f;
    for (let unit = 128; byte >= 0x80 && unit < 2 ** 70; unit *= 128) {
      byte = buffer[this.at++]!;
      encoded += (byte & 0x7f) * unit;
    }
    return encoded % 2 === 0 ? encoded / 2 : -(encoded + 1) / 2;
  }

  int16(): number {
    const value = this.buffer.readInt16BE(this.at);
    this.at += 2;
    return value;
  }

  int32(): number {
    const value = this.buffer.readInt32BE(this.at);
    this.at += 4;
    return value;
  }

  int64(): bigint {
    const value = this.buffer.readBigInt64BE(this.at);
    this.at += 8;
    return value;
  }

  /** A string with a 16-bit length; the protocol's null reads as empty. */
  string(): string {
    const length = this.int16();
    if (length <= 0) return '';
    const value = this.buffer.toString('utf8', this.at, this.at + length);
    this.at += length;
    return value;
  }
}
