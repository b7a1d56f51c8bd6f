// What of a setting may be shown: never a user, a password or a token inside a URL.

const HIDDEN = '(hidden)';

/**
 * The text without what may be a credential: all that stands before an `@` (a password may itself hold `@`, `/` or a
 * comma when nobody escaped it), the query and the fragment. Scheme, host, port and path stay.
 */
export function withoutCredentials(text: string): string {
  const at = text.lastIndexOf('@');
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(text)?.[0] ?? '';
  // Either a password with a `?` or `#` in it, or a query with an `@`: nobody can tell which.
  if (/[?#]/.test(text.slice(0, Math.max(at, 0)))) return `${scheme}${HIDDEN}`;
  const bare = at < 0 ? text : `${scheme}${HIDDEN}${text.slice(at)}`;
  return bare.replace(/([?#])[\s\S]+$/, `$1${HIDDEN}`);
}
