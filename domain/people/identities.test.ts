// Who may call himself what: a person is no part of the system, and says so in text that can be read.
import { describe, expect, it } from 'vitest';
import { isSystemIdentity, justificationText, personName, SYSTEM_IDENTITIES } from './identities.ts';

describe('the name of a person', () => {
  it.each(['amara', ' Amara Okafor ', "o'neil", 'amara@bank.example', 'Žofie Nováková', '田中'])(
    'may be %j',
    (name) => {
      expect(personName(name)).toBe(name.trim());
    },
  );

  it.each(['', '  ', 'x'.repeat(65), 'a\u0000b', 'a\u001b[2Jb', 'a\u202eb', 'a\nb', 'a\u2028b', '\ud800'])(
    'cannot be %j',
    (name) => {
      expect(() => personName(name)).toThrow(/printable/);
    },
  );

  it.each(
    SYSTEM_IDENTITIES.flatMap((name) => [
      name,
      name.toUpperCase(),
      name.replaceAll('-', '_'),
      ` ${name} `,
      name.replaceAll('-', ' '),
      name.replaceAll('o', 'ｏ'),
    ]),
  )('cannot be that of the system, however it is typed: %j', (name) => {
    expect(isSystemIdentity(name)).toBe(true);
    expect(() => personName(name)).toThrow(/name of the system/);
  });
});

it.each(['', '\t', 'x'.repeat(2_001), 'a\u0007', 'a\u2066b'])('a justification cannot be %j', (text) => {
  expect(() => justificationText(text)).toThrow(/printable/);
});
