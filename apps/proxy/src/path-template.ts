/** Most paths that name a thing have a digit in them, or a segment that is long. */
const suspect = /\d|[^/]{33}/;
const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * A path with `{id}` for what names one thing among many: numbers, UUIDs, and whatever is long, which some APIs take secrets
 * in. So lines about the same kind of request can be counted together.
 */
export function pathTemplate(path: string): string {
  if (!suspect.test(path)) return path;
  return path
    .split('/')
    .map((segment) => (isName(segment) ? '{id}' : segment))
    .join('/');
}

function isName(segment: string): boolean {
  if (segment.length > 32 || /^\d+$/.test(segment)) return true;
  return segment.length >= 12 && (uuid.test(segment) || /\d/.test(segment));
}
