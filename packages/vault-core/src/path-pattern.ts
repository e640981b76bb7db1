/** The rule for path patterns, in the words of error messages. */
export const pathPatternRule =
  'a path from `/` on, percent-encoded as RFC 3986 has it, without query, `//` at its start or dot segments; `*` stands for one whole segment, `**` at the end for any rest';

const pathCharacters = /^(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2})*$/;

/** Whether `pattern` satisfies {@link pathPatternRule}. What breaks it would match nothing that is ever forwarded. */
export function isPathPattern(pattern: string): boolean {
  if (!/^\/(?!\/)/.test(pattern) || !pathCharacters.test(pattern)) return false;
  const segments = normalisePath(pattern).slice(1).split('/');
  return segments.every(
    (segment, index) =>
      !/^\.\.?(?:;|$)/.test(segment) &&
      (!segment.includes('*') || segment === '*' || (segment === '**' && index === segments.length - 1)),
  );
}

/** One spelling per path (RFC 3986 6.2.2): what needs no encoding has none, and all other codes are in upper case. */
export function normalisePath(path: string): string {
  if (!path.includes('%')) return path;
  return path.replace(/%[0-9A-Fa-f]{2}/g, (code) => {
    const character = String.fromCharCode(Number.parseInt(code.slice(1), 16));
    return /[A-Za-z0-9\-._~]/.test(character) ? character : code.toUpperCase();
  });
}

/** Compiles a pattern. The paths that it is compared with must be normalised, with `/` for an empty one. */
export function compilePathPattern(pattern: string): (path: string) => boolean {
  const normal = normalisePath(pattern);
  if (!normal.includes('*')) return (path) => path === normal;
  const hasRest = normal.endsWith('/**');
  const fixed = (hasRest ? normal.slice(0, -'**'.length) : normal).split('/');
  // `/a/**` is `/a/` and whatever follows it.
  if (!fixed.includes('*')) return (path) => path.startsWith(fixed.join('/'));
  const last = fixed.length - 1;
  return (path) => {
    const segments = path.split('/');
    if (hasRest ? segments.length < fixed.length : segments.length !== fixed.length) return false;
    return fixed.every((expected, index) => {
      if (hasRest && index === last) return true;
      const segment = segments[index] ?? '';
      return expected === '*' ? isOneSegment(segment) : segment === expected;
    });
  };
}

/**
 * Whether every server takes this for one segment. What some decode to a slash, cut off at a NUL or take for an empty one,
 * which others leave out, would move the rest of the path to where no pattern put it.
 */
function isOneSegment(segment: string): boolean {
  try {
    const text = segment.includes('%') ? decodeURIComponent(segment) : segment;
    // oxlint-disable-next-line no-control-regex
    return text !== '' && !text.startsWith(';') && !/[/\\%\u0000-\u001f\u007f]/.test(text);
  } catch {
    // Not UTF-8: lenient servers read slashes in some of these bytes.
    return false;
  }
}
