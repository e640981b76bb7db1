/** Whether some server might read this path as one outside the base path it is appended to. */
export function climbs(path: string): boolean {
  // Nearly every path ends here.
  if (!/[%\\]|\/[./]/.test(path)) return false;
  if (path.startsWith('//') || path.includes('\\')) return true;
  let text = path;
  // Encoded twice, it is for the server behind the server.
  for (let depth = 0; depth < 4; depth += 1) {
    if (text.split(/[/\\]/).some(isDotSegment)) return true;
    const decoded = decodeOnce(text);
    if (decoded === text) return false;
    text = decoded;
  }
  return true;
}

/** `..;x` is `..` to servers that cut parameters off path segments, or off a path what follows a `?`, `#` or NUL in it. */
function isDotSegment(segment: string): boolean {
  // oxlint-disable-next-line no-control-regex
  return /^\.\.?(?:[;?#\0].*)?$/s.test(segment);
}

const decodings: Record<string, string> = {
  '%00': '\0',
  '%23': '#',
  '%25': '%',
  '%2e': '.',
  '%2f': '/',
  '%3b': ';',
  '%3f': '?',
  '%5c': '\\',
  // Longer than UTF-8 allows, and read all the same by lenient servers.
  '%c0%ae': '.',
  '%c0%af': '/',
  '%c1%9c': '\\',
  '%e0%80%ae': '.',
  '%e0%80%af': '/',
  '%e0%81%9c': '\\',
  // Never a standard.
  '%u002e': '.',
  '%u002f': '/',
  '%u005c': '\\',
};
const encoded = new RegExp(Object.keys(decodings).join('|'), 'gi');

function decodeOnce(text: string): string {
  return text.replace(encoded, (code) => decodings[code.toLowerCase()] ?? code);
}
