import { randomBytes } from 'node:crypto';
import type { Barrier } from './barrier.ts';
import { flag, integer, text } from './fields.ts';
import {
  listing,
  namePattern,
  notFound,
  VaultError,
  type Backend,
  type Route,
  type RoutedRequest,
  type VaultAnswer,
} from './request.ts';
import { associatedData, eachItem, fromBase64, itemsOf } from './transit-batch.ts';
import { decrypt, encrypt, newKey, rotated, type TransitKey } from './transit-key.ts';

interface Engine {
  read(name: string): TransitKey | undefined;
  save(key: TransitKey): TransitKey;
  delete(name: string): void;
  now: () => number;
}

/** The transit engine: encryption as a service. */
export function transit(barrier: Barrier, now: () => number, prefix: string): Backend {
  const engine: Engine = {
    read: (name) => barrier.get(prefix + name) as TransitKey | undefined,
    save(key) {
      barrier.put(prefix + key.name, key);
      return key;
    },
    delete: (name) => barrier.delete(prefix + name),
    now,
  };
  return {
    routes: [
      { path: /^keys\/?$/, on: { list: () => listing(barrier.list(prefix)) } },
      ...keyRoutes(engine),
      {
        path: new RegExp(`^encrypt/${namePattern}$`),
        exists: (request) => engine.read(nameOf(request)) !== undefined,
        on: { write: (request) => encryptRoute(engine, request) },
      },
      {
        path: new RegExp(`^decrypt/${namePattern}$`),
        on: { write: (request) => decryptRoute(engine, request) },
      },
      {
        path: new RegExp(`^rewrap/${namePattern}$`),
        on: { write: (request) => rewrapRoute(engine, request) },
      },
      {
        path: new RegExp(`^datakey/(?<kind>\\w+)/${namePattern}$`),
        on: { write: (request) => dataKey(engine, request) },
      },
    ],
  };
}

function keyRoutes(engine: Engine): Route[] {
  return [
    {
      path: new RegExp(`^keys/${namePattern}$`),
      on: {
        read: (request) => show(keyOf(engine, request, notFound())),
        write: (request) => createKey(engine, request),
        delete: (request) => deleteKey(engine, request),
      },
    },
    {
      path: new RegExp(`^keys/${namePattern}/config$`),
      on: { write: (request) => configure(engine, request) },
    },
    {
      path: new RegExp(`^keys/${namePattern}/rotate$`),
      on: {
        write(request) {
          const key = keyOf(engine, request, new VaultError(400, 'key not found'));
          return show(engine.save(rotated(key, engine.now())));
        },
      },
    },
  ];
}

function createKey(engine: Engine, { fields, params }: RoutedRequest): VaultAnswer {
  const type = text(fields, 'type') ?? 'aes256-gcm96';
  if (type !== 'aes256-gcm96') throw new VaultError(400, `unknown key type ${type}`);
  const unsupported = ['derived', 'convergent_encryption', 'exportable', 'allow_plaintext_backup'].find(
    (name) => flag(fields, name),
  );
  if (unsupported) throw new VaultError(400, `${unsupported} is not supported here`);
  const name = params['name'] ?? '';
  return show(engine.read(name) ?? engine.save(newKey(name, engine.now())));
}

function deleteKey(engine: Engine, request: RoutedRequest): VaultAnswer {
  const name = nameOf(request);
  const fail = (reason: string) => new VaultError(400, `error deleting policy ${name}: ${reason}`);
  const key = keyOf(engine, request, fail('could not delete key; not found'));
  if (!key.deletionAllowed) throw fail('deletion is not allowed for this key');
  engine.delete(name);
  return {};
}

function configure(engine: Engine, request: RoutedRequest): VaultAnswer {
  const { fields } = request;
  const name = nameOf(request);
  const key = keyOf(engine, request, new VaultError(400, `no existing key named ${name} could be found`));
  const warnings: string[] = [];
  let minDecryption = integer(fields, 'min_decryption_version') ?? key.minDecryptionVersion;
  const minEncryption = integer(fields, 'min_encryption_version') ?? key.minEncryptionVersion;
  checkMinimum('decryption', minDecryption, key.latestVersion);
  checkMinimum('encryption', minEncryption, key.latestVersion);
  if (minDecryption === 0) {
    minDecryption = 1;
    warnings.push('since Vault 0.3, transit key numbering starts at 1; forcing minimum to 1');
  }
  if (minEncryption > 0 && minEncryption < minDecryption) {
    throw new VaultError(
      400,
      `cannot set min encryption/decryption values; min encryption version of ${minEncryption} must be greater than or equal to min decryption version of ${minDecryption}`,
    );
  }
  const configured = {
    ...key,
    minDecryptionVersion: minDecryption,
    minEncryptionVersion: minEncryption,
    deletionAllowed: flag(fields, 'deletion_allowed') ?? key.deletionAllowed,
  };
  return { ...show(engine.save(configured)), ...(warnings.length > 0 ? { warnings } : {}) };
}

function checkMinimum(kind: string, version: number, latest: number): void {
  if (version < 0) throw new VaultError(400, `min ${kind} version cannot be negative`);
  if (version > latest) {
    throw new VaultError(
      400,
      `cannot set min ${kind} version of ${version}, latest key version is ${latest}`,
    );
  }
}

function encryptRoute(engine: Engine, request: RoutedRequest): VaultAnswer {
  const name = nameOf(request);
  const items = itemsOf(request, 'plaintext', 'missing plaintext to encrypt');
  // The ACL has asked for `create` already when the key is missing.
  const key = engine.read(name) ?? engine.save(newKey(name, engine.now()));
  return eachItem(request, items, 400, (item) => {
    const plaintext = fromBase64(text(item, 'plaintext') ?? '');
    const { ciphertext, version } = encrypt(
      key,
      plaintext,
      associatedData(item),
      integer(item, 'key_version') ?? 0,
    );
    return { ciphertext, key_version: version };
  });
}

function decryptRoute(engine: Engine, request: RoutedRequest): VaultAnswer {
  const items = itemsOf(request, 'ciphertext', 'missing ciphertext to decrypt');
  const key = keyOf(engine, request, missingKey());
  return eachItem(request, items, 400, (item) => ({
    plaintext: decrypt(key, text(item, 'ciphertext') ?? '', associatedData(item)).toString('base64'),
  }));
}

/** Rewrapping cannot carry associated data: what was bound to some fails, as in Vault. */
function rewrapRoute(engine: Engine, request: RoutedRequest): VaultAnswer {
  const items = itemsOf(request, 'ciphertext', 'missing ciphertext to decrypt');
  const key = keyOf(engine, request, missingKey());
  const none = Buffer.alloc(0);
  return eachItem(request, items, 200, (item) => {
    const plaintext = decrypt(key, text(item, 'ciphertext') ?? '', none);
    const { ciphertext, version } = encrypt(key, plaintext, none, integer(item, 'key_version') ?? 0);
    return { ciphertext, key_version: version };
  });
}

function dataKey(engine: Engine, request: RoutedRequest): VaultAnswer {
  const kind = request.params['kind'];
  if (kind !== 'plaintext' && kind !== 'wrapped') {
    throw new VaultError(400, "Invalid path, must be 'plaintext' or 'wrapped'");
  }
  const key = keyOf(engine, request, missingKey());
  const bits = integer(request.fields, 'bits') ?? 256;
  if (![128, 256, 512].includes(bits)) throw new VaultError(400, 'invalid bit length');
  const plaintext = randomBytes(bits / 8);
  const { ciphertext, version } = encrypt(key, plaintext, Buffer.alloc(0));
  const shown = kind === 'plaintext' ? { plaintext: plaintext.toString('base64') } : {};
  return { data: { ciphertext, key_version: version, ...shown } };
}

function show(key: TransitKey): VaultAnswer {
  const versions = Object.entries(key.versions).filter(
    ([version]) => Number(version) >= key.minDecryptionVersion,
  );
  return {
    data: {
      allow_plaintext_backup: false,
      auto_rotate_period: 0,
      deletion_allowed: key.deletionAllowed,
      derived: false,
      exportable: false,
      imported_key: false,
      keys: Object.fromEntries(versions.map(([version, { createdAt }]) => [version, createdAt])),
      latest_version: key.latestVersion,
      min_available_version: 0,
      min_decryption_version: key.minDecryptionVersion,
      min_encryption_version: key.minEncryptionVersion,
      name: key.name,
      supports_decryption: true,
      supports_derivation: true,
      supports_encryption: true,
      supports_signing: false,
      type: 'aes256-gcm96',
    },
  };
}

function keyOf(engine: Engine, request: RoutedRequest, otherwise: VaultError): TransitKey {
  const key = engine.read(nameOf(request));
  if (!key) throw otherwise;
  return key;
}

function missingKey(): VaultError {
  return new VaultError(400, 'encryption key not found');
}

function nameOf(request: RoutedRequest): string {
  return request.params['name'] ?? '';
}
