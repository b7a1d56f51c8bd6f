// Signed notes and checkpoints: the example of golang.org/x/mod/sumdb/note, and what nobody may take for one.
import { describe, expect, it } from 'vitest';
import { checkpointIn, checkpointText } from './checkpoint.ts';
import { leafHash } from './merkle.ts';
import { keysOf, openedNote, privateText, signedNote, signingKey, signingKeyOf, verifyKey } from './signed-note.ts';

const PRIVATE = 'PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz';
const PUBLIC = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const NOTE = `${TEXT}\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n`;

describe('a note', () => {
  it('is that of the package of Go, byte for byte', () => {
    expect(signedNote(TEXT, [signingKey(PRIVATE)])).toBe(NOTE);
    expect(openedNote(NOTE, [verifyKey(PUBLIC)])).toBe(TEXT);
    expect(signingKey(PRIVATE).verifies.text).toBe(PUBLIC);
  });

  it('counts by any key that is known, and by no other', () => {
    const [own, next] = [1, 2].map((fill) => signingKeyOf('example.org/log', Buffer.alloc(32, fill)));
    const note = signedNote(TEXT, [own!, next!]);
    expect(openedNote(note, [own!.verifies])).toBe(TEXT);
    expect(openedNote(note, [next!.verifies])).toBe(TEXT);
    expect(openedNote(note, [verifyKey(PUBLIC)])).toBeUndefined();
    expect(openedNote(note, [])).toBeUndefined();
    expect(signingKey(privateText(own!.verifies, Buffer.alloc(32, 1))).verifies.text).toBe(own!.verifies.text);
  });

  it.each([
    ['another text', NOTE.replace('problem,', 'problem!')],
    ['no signature', TEXT],
    ['no line break at the end', NOTE.slice(0, -1)],
    ['a control character', NOTE.replace('If', 'I\u0007f')],
    ['a wrong signature beside the true one', `${NOTE}${NOTE.split('\n').at(-2)!.replace('x08go/Z', 'x08go/Y')}\n`],
    ['too many lines', `${NOTE}${`${NOTE.split('\n').at(-2)}\n`.repeat(16)}`],
    ['too many bytes', `${'x'.repeat(17_000)}\n${NOTE}`],
    ['a line that is no signature', `${NOTE}x\n`],
  ])('with %s is none', (_, note) => {
    expect(openedNote(note, [verifyKey(PUBLIC)])).toBeUndefined();
  });
});

describe('a key', () => {
  it.each([
    ['', 'PRIVATE+KEY'],
    [PRIVATE.replace('c74f20a3', 'c74f20a4'), 'not that of its bytes'],
    [PRIVATE.replace('+AY', '+AZ'), 'not that of its bytes'],
    [PRIVATE.replace('+AYE', '+BYE'), 'Ed25519'],
    [PUBLIC, 'PRIVATE+KEY'],
  ])('%s is none to sign with', (text, why) => {
    expect(() => signingKey(text)).toThrow(why);
  });

  it('is of the log that the others are of', () => {
    const one = signingKeyOf('example.org/log', Buffer.alloc(32, 1)).verifies.text;
    expect(() => keysOf(`${one},${PUBLIC}`, verifyKey, ({ name }) => name)).toThrow(/one name/);
    expect(keysOf(`${one}, ${one}`, verifyKey, ({ name }) => name)).toHaveLength(2);
    expect(() => signingKeyOf('a b', Buffer.alloc(32))).toThrow(/name/);
  });
});

describe('a checkpoint', () => {
  const checkpoint = { origin: 'example.org/log', size: 7, root: leafHash(Buffer.from('x')) };
  const text = checkpointText(checkpoint);

  it('is three lines, and whatever extends them', () => {
    expect(text.split('\n')).toHaveLength(4);
    expect(checkpointIn(text)).toEqual(checkpoint);
    expect(checkpointIn(`${text}extension\n`)).toEqual(checkpoint);
  });

  it.each([
    text.slice(0, -1),
    text.replace('7', '07'),
    text.replace('7', '-7'),
    text.replace('7', '99999999999999999'),
    text.replace('example.org/log', ''),
    text.replace('=\n', '\n'),
    'example.org/log\n7\nAAAA\n',
  ])('%j is none', (other) => {
    expect(checkpointIn(other)).toBeUndefined();
  });
});
