import type { Barrier } from './barrier.ts';
import {
  flag,
  formatDuration,
  integer,
  integers,
  isObject,
  object,
  seconds,
  text,
  type Fields,
} from './fields.ts';
import {
  checkCas,
  deleted,
  destroyed,
  isGone,
  mergePatch,
  newSecret,
  noSettings,
  showTimes,
  showVersion,
  timestamp,
  undeleted,
  withVersion,
  type KvSecret,
  type KvSettings,
} from './kv-secret.ts';
import {
  listing,
  notFound,
  VaultError,
  type Backend,
  type Route,
  type RoutedRequest,
  type VaultAnswer,
} from './request.ts';

interface Engine {
  barrier: Barrier;
  now: () => number;
  prefix: string;
}

/** The key/value engine, version 2. */
export function kv(barrier: Barrier, now: () => number, prefix: string): Backend {
  const engine = { barrier, now, prefix };
  return {
    routes: [
      {
        path: /^config$/,
        on: {
          read: () => ({ data: showSettings(mountSettings(engine)) }),
          write: (request) => configure(engine, request),
        },
      },
      ...dataRoutes(engine),
      {
        path: /^metadata\/(?<path>.*)$/,
        exists: (request) => read(engine, request) !== undefined,
        on: {
          read: (request) => readMetadata(engine, request),
          list: (request) => list(engine, request),
          write: (request) => writeMetadata(engine, request),
          delete: (request) => deleteMetadata(engine, request),
        },
      },
    ],
    fallback: () => ({
      status: 404,
      data: null,
      warnings: [
        'Invalid path for a versioned K/V secrets engine. See the API docs for the appropriate API endpoints to use.',
      ],
    }),
  };
}

function dataRoutes(engine: Engine): Route[] {
  const each = (turn: (secret: KvSecret, numbers: number[]) => KvSecret) => ({
    write: (request: RoutedRequest) => changeVersions(engine, request, turn),
  });
  return [
    {
      path: /^data\/(?<path>.+)$/,
      exists: (request) => read(engine, request) !== undefined,
      on: {
        read: (request) => readVersion(engine, request),
        write: (request) => writeVersion(engine, request),
        patch: (request) => patchVersion(engine, request),
        delete: (request) => deleteCurrent(engine, request),
      },
    },
    {
      path: /^delete\/(?<path>.+)$/,
      on: each((secret, numbers) => deleted(secret, numbers, engine.now())),
    },
    { path: /^undelete\/(?<path>.+)$/, on: each(undeleted) },
    { path: /^destroy\/(?<path>.+)$/, on: each(destroyed) },
  ];
}

function configure(engine: Engine, { fields }: RoutedRequest): VaultAnswer {
  engine.barrier.put(`${engine.prefix}config`, settings(fields, mountSettings(engine)));
  return {};
}

function deleteMetadata(engine: Engine, request: RoutedRequest): VaultAnswer {
  engine.barrier.delete(location(engine, request));
  return {};
}

function readVersion(engine: Engine, request: RoutedRequest): VaultAnswer {
  const secret = read(engine, request);
  const asked = integer(request.fields, 'version') ?? 0;
  const number = asked > 0 ? asked : (secret?.current ?? 0);
  const version = secret?.versions[number];
  if (!secret || !version) throw notFound();
  const metadata = showVersion(secret, number);
  if (isGone(version, engine.now())) return { status: 404, data: { data: null, metadata } };
  return { data: { data: version.data, metadata } };
}

function writeVersion(engine: Engine, request: RoutedRequest): VaultAnswer {
  const { fields } = request;
  if (fields['data'] === undefined) throw new VaultError(400, 'no data provided');
  if (fields['data'] !== null && !isObject(fields['data'])) {
    const found = Array.isArray(fields['data']) ? '[]interface {}' : typeof fields['data'];
    throw new VaultError(
      400,
      `error converting input for field "data": '' expected type 'map[string]interface {}', got unconvertible type '${found}'`,
    );
  }
  return store(engine, request, fields['data']);
}

function patchVersion(engine: Engine, request: RoutedRequest): VaultAnswer {
  if (!request.contentType.startsWith('application/merge-patch+json')) {
    throw new VaultError(
      415,
      `PATCH requires Content-Type of application/merge-patch+json, provided ${request.contentType}`,
    );
  }
  const patch = object(request.fields, 'data');
  if (!patch) throw new VaultError(400, 'no data provided');
  const secret = read(engine, request);
  const version = secret?.versions[secret.current];
  if (!secret || !version) throw notFound();
  if (isGone(version, engine.now())) {
    return { status: 404, data: { data: null, metadata: showVersion(secret, secret.current) } };
  }
  return store(engine, request, mergePatch(version.data, patch) as Fields);
}

function store(engine: Engine, request: RoutedRequest, data: Fields | null): VaultAnswer {
  const secret = read(engine, request);
  const mount = mountSettings(engine);
  checkCas(secret, mount, casOf(request.fields));
  const written = withVersion(secret ?? newSecret(engine.now()), mount, data, engine.now());
  engine.barrier.put(location(engine, request), written);
  return { data: showVersion(written, written.current) };
}

function casOf(fields: Fields): number | undefined {
  const options = object(fields, 'options') ?? {};
  try {
    return integer(options, 'cas');
  } catch {
    throw new VaultError(400, 'error parsing check-and-set parameter');
  }
}

function deleteCurrent(engine: Engine, request: RoutedRequest): VaultAnswer {
  const secret = read(engine, request);
  if (secret) {
    engine.barrier.put(location(engine, request), deleted(secret, [secret.current], engine.now()));
  }
  return {};
}

function changeVersions(
  engine: Engine,
  request: RoutedRequest,
  turn: (secret: KvSecret, numbers: number[]) => KvSecret,
): VaultAnswer {
  const numbers = integers(request.fields, 'versions') ?? [];
  if (numbers.length === 0) throw new VaultError(400, 'No version number provided');
  const secret = read(engine, request);
  if (secret) engine.barrier.put(location(engine, request), turn(secret, numbers));
  return {};
}

function readMetadata(engine: Engine, request: RoutedRequest): VaultAnswer {
  const secret = read(engine, request);
  if (!secret) throw notFound();
  const versions = Object.entries(secret.versions).map(([number, version]) => [number, showTimes(version)]);
  return {
    data: {
      ...showSettings(secret.settings),
      created_time: timestamp(secret.createdAt),
      current_version: secret.current,
      custom_metadata: secret.customMetadata,
      oldest_version: secret.oldest,
      updated_time: timestamp(secret.updatedAt),
      versions: Object.fromEntries(versions) as Fields,
    },
  };
}

function list(engine: Engine, request: RoutedRequest): VaultAnswer {
  const folder = request.params['path'] ?? '';
  const names = engine.barrier.list(`${engine.prefix}secret/${folder}`);
  // Pages are OpenBao's; Vault answers with all.
  const after = text(request.fields, 'after') ?? '';
  const limit = integer(request.fields, 'limit') ?? 0;
  const rest = names.filter((name) => name > after);
  return listing(limit > 0 ? rest.slice(0, limit) : rest);
}

function writeMetadata(engine: Engine, request: RoutedRequest): VaultAnswer {
  const { fields } = request;
  const custom = fields['custom_metadata'];
  if (custom !== undefined && custom !== null && !isObject(custom)) {
    throw new VaultError(
      400,
      `error converting input for field "custom_metadata": '' expected type 'map[string]interface {}', got unconvertible type '${typeof custom}'`,
    );
  }
  const secret = read(engine, request) ?? newSecret(engine.now());
  engine.barrier.put(location(engine, request), {
    ...secret,
    updatedAt: engine.now(),
    settings: settings(fields, secret.settings),
    customMetadata: isObject(custom) ? mapValues(custom) : secret.customMetadata,
  });
  return {};
}

function mapValues(custom: Fields): Record<string, string> {
  return Object.fromEntries(Object.entries(custom).map(([key, value]) => [key, String(value)]));
}

function settings(fields: Fields, known: KvSettings): KvSettings {
  return {
    maxVersions: integer(fields, 'max_versions') ?? known.maxVersions,
    casRequired: flag(fields, 'cas_required') ?? known.casRequired,
    deleteVersionAfter: seconds(fields, 'delete_version_after') ?? known.deleteVersionAfter,
  };
}

function showSettings(shown: KvSettings): Fields {
  return {
    cas_required: shown.casRequired,
    delete_version_after: formatDuration(shown.deleteVersionAfter),
    max_versions: shown.maxVersions,
  };
}

function mountSettings({ barrier, prefix }: Engine): KvSettings {
  return (barrier.get(`${prefix}config`) as KvSettings | undefined) ?? noSettings;
}

function read(engine: Engine, request: RoutedRequest): KvSecret | undefined {
  return engine.barrier.get(location(engine, request)) as KvSecret | undefined;
}

function location({ prefix }: Engine, request: RoutedRequest): string {
  return `${prefix}secret/${(request.params['path'] ?? '').replace(/\/$/, '')}`;
}
