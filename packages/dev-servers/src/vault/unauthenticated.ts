import { text, type Fields } from './fields.ts';
import { VaultError } from './request.ts';
import type { Seal } from './seal.ts';

/** What the embedded Vault says it is, so that clients that ask for a minimum version go on. */
const version = '1.15.0+embedded';

interface Plain {
  status: number;
  body: Fields;
}

/** `sys/health`, `sys/seal-status`, `sys/unseal`, `sys/leader` and `sys/init`: no token, no envelope, and at work while sealed. */
export function unauthenticated(
  seal: Seal,
  clock: () => number,
  method: string,
  path: string,
  fields: Fields,
): Plain | undefined {
  const isRead = method === 'GET' || method === 'HEAD';
  const isWrite = method === 'PUT' || method === 'POST';
  switch (path) {
    case 'sys/health':
      return isRead ? health(seal, clock, fields) : unsupported;
    case 'sys/seal-status':
      return isRead ? { status: 200, body: sealStatus(seal) } : unsupported;
    case 'sys/leader':
      // `vault status` asks for it.
      return isRead ? leader(seal) : unsupported;
    case 'sys/init':
      if (isWrite) throw new VaultError(400, 'Vault is already initialized');
      return isRead ? { status: 200, body: { initialized: true } } : unsupported;
    case 'sys/unseal': {
      if (!isWrite) return unsupported;
      const key = text(fields, 'key');
      if (!key && fields['reset'] !== true) {
        throw new VaultError(400, "'key' must be specified in request body as JSON, or 'reset' set to true");
      }
      if (key) seal.unseal(key);
      return { status: 200, body: sealStatus(seal) };
    }
    default:
      return undefined;
  }
}

const unsupported: Plain = { status: 405, body: { errors: [] } };

function health(seal: Seal, clock: () => number, fields: Fields): Plain {
  const code = (name: string, otherwise: number) => {
    const asked = Number(text(fields, name) ?? otherwise);
    if (Number.isInteger(asked) && asked >= 100 && asked <= 599) return asked;
    throw new VaultError(400, `invalid value for ${name}`);
  };
  const active = code('activecode', 200);
  const sealed = code('sealedcode', 503);
  return {
    status: seal.sealed ? sealed : active,
    body: {
      initialized: true,
      sealed: seal.sealed,
      standby: seal.sealed,
      performance_standby: false,
      replication_performance_mode: seal.sealed ? 'unknown' : 'disabled',
      replication_dr_mode: seal.sealed ? 'unknown' : 'disabled',
      server_time_utc: Math.trunc(clock() / 1000),
      version,
      ...(seal.sealed ? {} : { cluster_name: 'embedded', cluster_id: 'embedded' }),
    },
  };
}

function leader(seal: Seal): Plain {
  if (seal.sealed) throw new VaultError(503, 'Vault is sealed');
  return {
    status: 200,
    body: { ha_enabled: false, is_self: false, leader_address: '', leader_cluster_address: '' },
  };
}

function sealStatus(seal: Seal): Fields {
  return {
    type: 'shamir',
    initialized: true,
    sealed: seal.sealed,
    t: 1,
    n: 1,
    progress: 0,
    nonce: '',
    version,
    build_date: '',
    migration: false,
    ...(seal.sealed ? {} : { cluster_name: 'embedded', cluster_id: 'embedded' }),
    recovery_seal: false,
    storage_type: 'sqlite',
  };
}
