/** Taking apart what publishers write into one cell: several names, names in brackets, names in two scripts. */

const ENUMERATION = /(?:^|\s)\(?[a-z]\)\s+/;
const PREFIX = /^(?:a\.?k\.?a\.?|f\.?k\.?a\.?|formerly(?: known as)?|also known as|previously|alias):?\s+/i;
const SCRIPTS = [
  /\p{Script=Latin}/u,
  /\p{Script=Cyrillic}/u,
  /\p{Script=Arabic}/u,
  /\p{Script=Han}/u,
  /\p{Script=Hebrew}/u,
];
const BRACKET = /\s*[([]([^()[\]]*)[)\]]\s*/;

const scriptOf = (text: string): number => SCRIPTS.findIndex((script) => script.test(text));

/** The names in a cell, parted by semicolons, line breaks or `a) … b) …`, trimmed of quotes and lead words. */
export function splitNames(cell: string): string[] {
  return cell
    .split(/;|\n|؛/)
    .flatMap((part) => part.split(ENUMERATION))
    .map(trimName)
    .filter((name) => name !== '');
}

/** Without the quotes around it, lead words such as `a.k.a.` and a closing full stop or comma. */
export function trimName(text: string): string {
  const name = text
    .replace(/\s+/g, ' ')
    .trim()
    .replace(PREFIX, '')
    .replace(/[,;:]+$/, '')
    .trim();
  const quoted = /^['‘“"«](.*)['’”"»]$/.exec(name)?.[1];
  return quoted !== undefined && !/['‘’“”"«»]/.test(quoted) ? quoted.trim() : name;
}

/**
 * The names that a name with a bracket or a second script stands for: `AKSENOV (АКСЁНОВ)` is two,
 * `ARAGHI (ERAGHI) Abdollah` is ARAGHI Abdollah and ERAGHI Abdollah; `Иванов / Iванов` is two.
 */
export function variantsOf(name: string): string[] {
  const slashed = name.split(/\s+\/\s+/).map(trimName);
  if (slashed.length > 1 && slashed.every((part) => part.includes(' '))) return slashed.flatMap(variantsOf);
  const bracket = BRACKET.exec(name);
  if (!bracket) return [name];
  const inner = trimName(bracket[1]!);
  const before = name.slice(0, bracket.index).trim();
  const after = name.slice(bracket.index + bracket[0].length).trim();
  const outer = `${before} ${after}`.trim();
  if (inner === '' || outer === '') return [trimName(`${before} ${inner} ${after}`)];
  if (scriptOf(inner) !== scriptOf(outer) && scriptOf(inner) >= 0) return [...variantsOf(outer), inner];
  const words = before.split(' ');
  if (after === '' || before === '' || inner.includes(' ')) return [...variantsOf(outer), inner];
  return [...variantsOf(outer), trimName(`${[...words.slice(0, -1), inner].join(' ')} ${after}`)];
}

/**
 * Family and given names where the list marks the family name by capitals: `Sergey AKSYONOV`, `AHMADI Esmail`.
 * Undefined when all words or none are in capitals.
 */
export function partsByCapitals(name: string): { family: string; given: string } | undefined {
  const words = name.split(' ');
  const loud = (word: string): boolean => /\p{Lu}{2}/u.test(word) && word === word.toUpperCase();
  const family = words.filter(loud).join(' ');
  const given = words.filter((word) => !loud(word)).join(' ');
  return family !== '' && given !== '' ? { family, given } : undefined;
}
