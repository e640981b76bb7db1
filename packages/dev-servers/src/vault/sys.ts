import type { Audit, AuditDevice } from './audit.ts';
import { object, strings, text, type Fields } from './fields.ts';
import { showMount, type Mount, type Mounts } from './mounts.ts';
import type { Policies } from './policies.ts';
import { capabilities } from './policy-hcl.ts';
import {
  notFound,
  VaultError,
  type Backend,
  type Route,
  type RoutedRequest,
  type VaultAnswer,
} from './request.ts';
import { systemMaxTtl } from './tokens.ts';

/** The routes under `sys/`, except those that work while sealed. */
export function system(mounts: Mounts, policies: Policies, audit: Audit, seal: () => void): Backend {
  return {
    routes: [
      ...mountRoutes(mounts),
      ...authRoutes(mounts),
      ...policyRoutes(policies),
      ...auditRoutes(audit),
      {
        path: /^seal$/,
        sudo: true,
        on: {
          write() {
            seal();
            return {};
          },
        },
      },
      { path: /^capabilities-self$/, on: { write: capabilitiesSelf } },
      {
        // The CLI's `kv` commands ask here for a mount's version.
        path: /^internal\/ui\/mounts\/(?<path>.+)$/,
        anyToken: true,
        on: {
          read(request) {
            const mount = mounts.find(request.params['path'] ?? '')?.mount;
            if (!mount) throw new VaultError(403, 'preflight capability check returned 403');
            return { data: { ...showMount(mount), path: mount.path } };
          },
        },
      },
    ],
  };
}

function mountRoutes(mounts: Mounts): Route[] {
  return [
    { path: /^mounts\/?$/, on: { read: () => table(mounts.list('secret')) } },
    {
      path: /^mounts\/(?<path>.+)\/tune$/,
      on: {
        read: (request) => showTuning(mountOf(mounts, request)),
        write(request) {
          const mount = mountOf(mounts, request);
          mounts.describe(mount, text(request.fields, 'description') ?? mount.description);
          return {};
        },
      },
    },
    {
      path: /^mounts\/(?<path>.+)$/,
      on: {
        read: (request) => ({ flat: true, data: showMount(mountOf(mounts, request)) }),
        write(request) {
          const { fields } = request;
          const description = text(fields, 'description') ?? '';
          const options = object(fields, 'options') ?? {};
          mounts.mountSecrets(mountPath(request), text(fields, 'type') ?? '', description, options);
          return {};
        },
        delete(request) {
          mounts.unmount(mountPath(request));
          return {};
        },
      },
    },
  ];
}

function mountOf(mounts: Mounts, request: RoutedRequest): Mount {
  const mount = mounts.get(mountPath(request));
  if (!mount) throw new VaultError(400, `No secret engine mount at ${mountPath(request)}`);
  return mount;
}

function authRoutes(mounts: Mounts): Route[] {
  return [
    { path: /^auth\/?$/, on: { read: () => table(mounts.list('auth')) } },
    {
      path: /^auth\/(?<path>.+)$/,
      sudo: true,
      on: {
        read(request) {
          const mount = mounts.get(`auth/${mountPath(request)}`);
          if (!mount) throw new VaultError(400, `No auth engine at ${mountPath(request)}`);
          return { flat: true, data: showMount(mount) };
        },
        write(request) {
          const { fields } = request;
          mounts.mountAuth(mountPath(request), text(fields, 'type') ?? '', text(fields, 'description') ?? '');
          return {};
        },
        delete(request) {
          mounts.unmount(`auth/${mountPath(request)}`);
          return {};
        },
      },
    },
  ];
}

/** `sys/policies/acl` and its older name `sys/policy`, which says `rules` where the other says `policy`. */
function policyRoutes(policies: Policies): Route[] {
  const read = (request: RoutedRequest, field: string): Fields => {
    const source = policies.get(policyName(request));
    if (source === undefined) throw notFound();
    return { name: policyName(request), [field]: source };
  };
  const change = {
    write(request: RoutedRequest): VaultAnswer {
      const source = text(request.fields, 'policy') ?? text(request.fields, 'rules');
      if (!source) throw new VaultError(400, "'policy' parameter not supplied or empty");
      policies.set(policyName(request), source);
      const converted = policyName(request) !== request.params['name'];
      return converted
        ? { data: null, warnings: [`policy name was converted to ${policyName(request)}`] }
        : {};
    },
    delete(request: RoutedRequest): VaultAnswer {
      policies.delete(policyName(request));
      return {};
    },
  };
  const named = (): VaultAnswer => ({
    flat: true,
    data: { keys: policies.names(), policies: policies.names() },
  });
  return [
    { path: /^policies\/acl\/?$/, on: { list: () => ({ data: { keys: policies.names() } }) } },
    {
      path: /^policies\/acl\/(?<name>.+)$/,
      on: { read: (request) => ({ data: read(request, 'policy') }), ...change },
    },
    { path: /^policy\/?$/, on: { read: named, list: named } },
    {
      path: /^policy\/(?<name>.+)$/,
      on: { read: (request) => ({ flat: true, data: read(request, 'rules') }), ...change },
    },
  ];
}

function auditRoutes(audit: Audit): Route[] {
  return [
    {
      path: /^audit\/?$/,
      sudo: true,
      on: {
        read: () => ({
          flat: true,
          data: Object.fromEntries(audit.devices().map((device) => [device.path, showDevice(device)])),
        }),
      },
    },
    {
      path: /^audit\/(?<path>.+)$/,
      sudo: true,
      on: {
        write(request) {
          const { fields } = request;
          const type = text(fields, 'type') ?? '';
          if (type !== 'file') throw new VaultError(400, `unknown backend type: "${type}"`);
          const filePath = text(object(fields, 'options') ?? {}, 'file_path');
          if (!filePath) throw new VaultError(400, 'file_path is required');
          const description = text(fields, 'description') ?? '';
          audit.enable({ path: mountPath(request), type, description, options: { file_path: filePath } });
          return {};
        },
        delete(request) {
          audit.disable(mountPath(request));
          return {};
        },
      },
    },
  ];
}

function capabilitiesSelf(request: RoutedRequest): VaultAnswer {
  const acl = request.caller?.acl;
  const paths = strings(request.fields, 'paths') ?? strings(request.fields, 'path') ?? [];
  if (paths.length === 0) throw new VaultError(400, 'paths must be supplied');
  const onPath = (path: string) => {
    if (acl?.isRoot) return ['root'];
    const granted = acl?.capabilities(path) ?? new Set();
    const sorted = capabilities.filter((capability) => granted.has(capability)).sort();
    return sorted.length > 0 ? sorted : ['deny'];
  };
  const data: Fields = Object.fromEntries(paths.map((path) => [path, onPath(path)]));
  if (paths.length === 1) data['capabilities'] = onPath(paths[0] ?? '');
  return { flat: true, data };
}

function table(mounts: Mount[]): VaultAnswer {
  const shown = mounts.map((mount) => [mount.path.replace(/^auth\//, ''), showMount(mount)]);
  return { flat: true, data: Object.fromEntries(shown) as Fields };
}

function showTuning(mount: Mount): VaultAnswer {
  const { description, options } = mount;
  return {
    flat: true,
    data: {
      default_lease_ttl: systemMaxTtl,
      description,
      force_no_cache: false,
      max_lease_ttl: systemMaxTtl,
      ...(options === null ? {} : { options }),
    },
  };
}

function showDevice(device: AuditDevice): Fields {
  return { ...device, local: false };
}

function mountPath(request: RoutedRequest): string {
  const path = request.params['path'] ?? '';
  return path.endsWith('/') ? path : `${path}/`;
}

function policyName(request: RoutedRequest): string {
  return (request.params['name'] ?? '').toLowerCase();
}
