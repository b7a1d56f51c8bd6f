// Ways of Node's buffers that its types do not name. Each is one call without a look at its arguments: some 20 ns for a text
// of any length here, where `write` and `toString` take twice to three times as long. Types only.

/** A buffer, and how it reads and writes text. Offsets and lengths are bytes, and must lie within the buffer. */
export interface TextBuffer extends Buffer {
  latin1Slice(from: number, end: number): string;
  utf8Slice(from: number, end: number): string;
  /** @returns how many bytes were written: `most` at most, and whole characters only */
  latin1Write(text: string, at: number, most: number): number;
  /** @returns as above */
  utf8Write(text: string, at: number, most: number): number;
}
