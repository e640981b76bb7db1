import { checkId, ConnectorsError } from '@connectors/vault-core';

/** Which of an integration's upstreams is meant. */
export type Surface = 'rest' | 'mcp';

/** What a request is for, from its URL. Path and query are as they were sent, byte for byte. */
export interface Target {
  surface: Surface;
  integration: string;
  /** Empty, or from the slash after the integration on. */
  path: string;
  /** Empty, or from the question mark on. */
  query: string;
}

const form = /^\/(proxy|mcp)\/([^/?#]*)(\/[^?#]*)?(\?[^#]*)?$/;

/** @throws ConnectorsError `invalid_request` */
export function readTarget(url: string): Target {
  const [match, route, integration = '', path = '', query = ''] = form.exec(url) ?? [];
  if (match === undefined) {
    throw new ConnectorsError('invalid_request', 'The request target must be a path, without a fragment');
  }
  checkId('integration', integration);
  if (climbs(path)) {
    const rule = 'The path must not contain `.` or `..` segments or backslashes, nor begin with two slashes';
    throw new ConnectorsError('invalid_request', rule);
  }
  return { surface: route === 'proxy' ? 'rest' : 'mcp', integration, path, query };
}

/** Whether some server might read this path as one outside the base path it is appended to. */
function climbs(path: string): boolean {
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

/** `..;x` is `..` to servers that cut parameters off path segments. */
function isDotSegment(segment: string): boolean {
  return /^\.\.?(?:;.*)?$/s.test(segment);
}

const decodings: Record<string, string> = {
  '%25': '%',
  '%2e': '.',
  '%2f': '/',
  '%3b': ';',
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
