/**
 * Takes a parameter out of a query, which begins with its question mark, in every spelling that some server reads as its
 * name. All else stays as it is, byte for byte.
 */
export function withoutParameter(query: string, name: string): string {
  const wanted = asRead(name);
  let kept = '';
  // Some servers separate with semicolons.
  for (const [, separator = '', text = ''] of query.slice(1).matchAll(/(^|[&;])([^&;]*)/g)) {
    if (asRead(text.split('=', 1)[0] ?? '') !== wanted) kept += `${kept === '' ? '' : separator}${text}`;
  }
  return kept === '' ? '' : `?${kept}`;
}

/** A parameter's name as the most lenient server reads it. */
function asRead(name: string): string {
  let text = name;
  for (let last; last !== text;) {
    last = text;
    text = text.replace(/%(?:u00)?([0-9a-f]{2})/gi, (_, hex: string) =>
      String.fromCharCode(parseInt(hex, 16)),
    );
  }
  // PHP: what a NUL or an unclosed bracket follows is cut or renamed, and so are spaces and dots. ASP.NET: any case.
  return text
    .toLowerCase()
    .replace(/[[\0].*$/s, '')
    .trim()
    .replace(/^\++|\++$/g, '')
    .replace(/[ .+]/g, '_');
}
