import type { Surface } from '@connectors/oauth';
import { climbs } from '@connectors/egress';
import { checkId, ConnectorsError } from '@connectors/vault-core';

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
