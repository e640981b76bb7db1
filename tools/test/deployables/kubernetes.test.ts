import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { IDeployment, IStatefulSet } from 'kubernetes-models/apps/v1';
import type { INetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import type { IContainer, IService } from 'kubernetes-models/v1';
import { afterAll, describe, expect, it } from 'vitest';
import { proxyConfigSchema, readProxyConfig } from '../../../apps/proxy/src/config.ts';
import { readWorkerConfig, workerConfigSchema } from '../../../apps/worker/src/config.ts';
import { filesBelow, isSecretName, pinned, read, readYaml, repository } from './deployables.ts';
import { findUnknownFields, readManifests, validate, type Manifest } from './manifests.ts';

interface Kustomization {
  resources?: string[];
  configMapGenerator: { name: string; files: string[] }[];
  images?: { name: string; newTag: string }[];
}

const files = readManifests();
const isExample = ({ file }: { file: string }) => file.endsWith('secrets.example.yaml');
const manifests = files.map(({ manifest }) => manifest);
const example = files.filter(isExample).map(({ manifest }) => manifest);
const applied = manifests.filter((manifest) => !example.includes(manifest));
const kustomization = readYaml('k8s/kustomization.yaml')[0] as Kustomization;
const vaultKustomization = readYaml('vault/kustomization.yaml')[0] as Kustomization;
const generated = [...kustomization.configMapGenerator, ...vaultKustomization.configMapGenerator];

const ofKind = <T>(kind: string) => applied.filter((manifest) => manifest.kind === kind) as unknown as T[];
const workloads = [...ofKind<IDeployment>('Deployment'), ...ofKind<IStatefulSet>('StatefulSet')].map(
  (workload) => {
    const pod = workload.spec!.template;
    return { name: workload.metadata!.name!, pod: pod.spec!, labels: pod.metadata!.labels!, workload };
  },
);
const byName = (name: string) => workloads.find((workload) => workload.name === name)!;
const containerOf = (name: string): IContainer => byName(name).pod.containers[0]!;
const names = workloads.map(({ name }) => name);

/** Whether a selector fits a pod; no expression but `In` is used. */
function selects(selector: { matchLabels?: object; matchExpressions?: object[] }, labels: object): boolean {
  const given = new Map(Object.entries(labels));
  const isEqual = Object.entries(selector.matchLabels ?? {}).every(
    ([key, value]) => given.get(key) === value,
  );
  const expressions = (selector.matchExpressions ?? []) as {
    key: string;
    operator: string;
    values: string[];
  }[];
  return isEqual && expressions.every(({ key, values }) => values.includes(String(given.get(key))));
}

describe('the manifests', () => {
  it.each(manifests.map((manifest) => [`${manifest.kind} ${manifest.metadata.name}`, manifest] as const))(
    '%s is what Kubernetes takes',
    (_, manifest) => expect(() => validate(manifest)).not.toThrow(),
  );

  it('name no field that Kubernetes does not know', () => {
    expect(findUnknownFields(manifests)).toEqual([]);
  });

  it('are all listed in the kustomization, but for the example of the secrets', () => {
    const listed = kustomization
      .resources!.filter((path) => path.endsWith('.yaml'))
      .map((path) => `k8s/${path}`);
    expect(listed.sort()).toEqual(
      [...new Set(files.filter((file) => !isExample(file)).map(({ file }) => file))].sort(),
    );
    expect(kustomization.resources).toContain('../vault');
  });

  it('make a ConfigMap of every other file', () => {
    const inputs = kustomization.configMapGenerator.flatMap(({ files }) =>
      files.map((file) => `k8s/${file}`),
    );
    const others = filesBelow('k8s').filter((file) => !files.some((known) => known.file === file));
    expect(inputs.sort()).toEqual(others.filter((file) => file !== 'k8s/kustomization.yaml').sort());
    const ofVault = vaultKustomization.configMapGenerator.flatMap(({ files }) => files);
    expect(ofVault.filter((file) => !existsSync(join(repository, 'vault', file)))).toEqual([]);
    expect(ofVault).toEqual(
      expect.arrayContaining(filesBelow('vault/policies').map((file) => file.slice(6))),
    );
  });

  it('hold no secret: the example is to be filled in', () => {
    expect(applied.filter(({ kind }) => kind === 'Secret')).toEqual([]);
    const objects = example as unknown as Record<'data' | 'stringData', object | undefined>[];
    const values = objects.flatMap<unknown>(({ data, stringData }) =>
      Object.values({ ...data, ...stringData }),
    );
    expect(new Set(values)).toEqual(new Set(['REPLACE_ME']));
    for (const { pod } of workloads) {
      const literals = pod.containers[0]!.env!.filter(
        ({ name, value }) => isSecretName(name) && value !== undefined,
      );
      expect(literals).toEqual([]);
    }
  });

  it('forget nothing in the example that a pod expects to find', () => {
    const available = [...generated.map(({ name }) => name), ...example.map(({ metadata }) => metadata.name)];
    for (const { pod } of workloads) {
      const container = pod.containers[0]!;
      const volumes = pod.volumes!.map(({ configMap, secret }) => configMap?.name ?? secret?.secretName);
      const keys = container.env!.map(({ valueFrom }) => valueFrom?.secretKeyRef?.name);
      const all = (container.envFrom ?? []).map(
        ({ configMapRef, secretRef }) => (configMapRef ?? secretRef)?.name,
      );
      const expected = [...volumes, ...keys, ...all].filter((name) => name !== undefined);
      expect(available).toEqual(expect.arrayContaining(expected));
    }
  });

  it('pin every image', () => {
    const built = new Map(kustomization.images!.map(({ name, newTag }) => [name, `${name}:${newTag}`]));
    for (const { pod } of workloads) {
      const image = pod.containers[0]!.image!;
      expect(built.get(image) ?? image).toMatch(pinned);
    }
  });
});

describe('the pods', () => {
  it.each(names)(
    '%s passes the restricted pod security standard, with a root that it cannot write',
    (name) => {
      const { pod } = byName(name);
      expect(pod.securityContext).toMatchObject({
        runAsNonRoot: true,
        seccompProfile: { type: 'RuntimeDefault' },
      });
      expect(containerOf(name).securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
    },
  );

  it.each(names)('%s has a service account of its own, whose token it does not get', (name) => {
    const { pod } = byName(name);
    const accounts = ofKind<Manifest & { automountServiceAccountToken: boolean }>('ServiceAccount');
    expect(pod).toMatchObject({ serviceAccountName: name, automountServiceAccountToken: false });
    expect(accounts.filter(({ metadata }) => metadata.name === name)).toMatchObject([
      { automountServiceAccountToken: false },
    ]);
  });

  it.each(names)('%s says what it needs, and is probed on a port that it has', (name) => {
    const { resources, livenessProbe, readinessProbe, ports } = containerOf(name);
    expect(resources).toMatchObject({
      requests: { cpu: expect.any(String) },
      limits: { memory: expect.any(String) },
    });
    const probed = [livenessProbe, readinessProbe].map(
      (probe) => probe!.httpGet?.port ?? probe!.exec!.command![0],
    );
    const known = ['sh', ...ports!.map((port) => port.name)];
    expect(known).toEqual(expect.arrayContaining(probed));
  });

  it.each([
    ['proxy', 8080],
    ['worker', 8090],
  ])('%s listens on the port that its image exposes, and answers the probes there', (name, port) => {
    const { ports, livenessProbe, readinessProbe } = containerOf(name);
    expect(ports).toMatchObject([{ containerPort: port }]);
    expect(read('Dockerfile')).toContain(`EXPOSE ${port}`);
    expect([livenessProbe!.httpGet!.path, readinessProbe!.httpGet!.path]).toEqual(['/healthz', '/readyz']);
  });

  it('every mount has a volume', () => {
    for (const { pod, workload } of workloads) {
      const { volumeClaimTemplates: claims = [] } = workload.spec as { volumeClaimTemplates?: Manifest[] };
      const volumes = [
        ...pod.volumes!.map(({ name }) => name),
        ...claims.map(({ metadata }) => metadata.name),
      ];
      for (const { name } of pod.containers[0]!.volumeMounts!) expect(volumes).toContain(name);
    }
  });

  it('there are two proxies or more, two workers and three Vaults', () => {
    const [scaler] = ofKind<{ spec: object }>('HorizontalPodAutoscaler');
    expect(scaler!.spec).toMatchObject({ scaleTargetRef: { name: 'proxy' }, minReplicas: 2 });
    expect(byName('worker').workload.spec!.replicas).toBe(2);
    expect(byName('vault').workload.spec!.replicas).toBe(3);
  });

  it.each(['proxy', 'worker'])('%s has longer to stop than it takes', (name) => {
    const { value } = containerOf(name).env!.find((variable) => variable.name === 'SHUTDOWN_SECONDS')!;
    const pause = containerOf(name).lifecycle?.preStop?.sleep?.seconds ?? 0;
    expect(byName(name).pod.terminationGracePeriodSeconds!).toBeGreaterThan(Number(value) + pause);
  });

  it('every Service and disruption budget selects pods, and a Service a port of theirs', () => {
    const budgets = ofKind<{ spec: { selector: object } }>('PodDisruptionBudget').map(
      ({ spec }) => spec.selector,
    );
    for (const selector of budgets)
      expect(workloads.some(({ labels }) => selects(selector, labels))).toBe(true);
    for (const { spec } of ofKind<IService>('Service')) {
      const target = workloads.find(({ labels }) => selects({ matchLabels: spec!.selector! }, labels))!;
      const ports = target.pod.containers[0]!.ports!.map((port) => port.name);
      for (const { targetPort } of spec!.ports!) expect(ports).toContain(targetPort);
    }
  });
});

describe('the configuration of the apps in Kubernetes', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'kubernetes-'));
  afterAll(() => rmSync(scratch, { recursive: true }));

  function environmentOf(name: string): Record<string, string> {
    const file = join(scratch, 'file');
    writeFileSync(file, 'content');
    const entries = containerOf(name).env!.map(
      ({ name, value = 'a-secret-from-a-secret-object-in-kubernetes' }) => {
        if (name === 'CONNECTORS_CONFIG') return [name, join(repository, 'k8s/connectors.yaml')];
        return [name, value.startsWith('/') ? file : value];
      },
    );
    return Object.fromEntries(entries) as Record<string, string>;
  }

  it('is one that the proxy accepts', () => {
    expect(readProxyConfig(environmentOf('proxy')).config.VAULT_ADDR).toBe('https://vault:8200');
  });

  it('is one that the worker accepts', () => {
    expect(readWorkerConfig(environmentOf('worker')).CONSOLE).toBe(true);
  });

  it.each([
    ['proxy', proxyConfigSchema.shape],
    ['worker', workerConfigSchema.shape],
  ])('sets only variables that the %s knows, or that others are made of', (name, known) => {
    const { env } = containerOf(name);
    const own = env!.map((variable) => variable.name);
    const parts = env!.flatMap(({ value = '' }) =>
      [...value.matchAll(/\$\((\w+)\)/g)].map(([, part]) => part!),
    );
    expect([...Object.keys(known), ...parts]).toEqual(expect.arrayContaining(own));
  });

  it('keeps client secrets and the role of the worker from the proxy', () => {
    const text = JSON.stringify(byName('proxy'));
    expect(text).toContain('proxy-approle');
    expect(text).not.toMatch(/gateway|client-secrets|admin-token/);
  });
});

const ports = (list: { port?: number | string }[] = []) => list.map(({ port }) => port);

describe('the network policies', () => {
  const policies = ofKind<INetworkPolicy>('NetworkPolicy').map(({ metadata, spec }) => ({
    name: metadata!.name!,
    ...spec!,
  }));

  /** From which of our pods a pod takes connections on a port; `anyone` when the rule names nobody. */
  function callersOf(name: string, port: number): string[] {
    const rules = policies
      .filter(({ podSelector }) => selects(podSelector!, byName(name).labels))
      .flatMap(({ ingress = [] }) => ingress)
      .filter((rule) => ports(rule.ports).includes(port));
    if (rules.some(({ from }) => from === undefined)) return ['anyone'];
    const peers = rules.flatMap(({ from }) => from!).filter((peer) => peer.podSelector !== undefined);
    return names.filter((caller) => peers.some((peer) => selects(peer.podSelector!, byName(caller).labels)));
  }

  it('deny everything that is not named', () => {
    expect(policies[0]).toEqual({
      name: 'default-deny',
      podSelector: {},
      policyTypes: ['Ingress', 'Egress'],
    });
  });

  it('select pods that exist', () => {
    const selectors = policies.flatMap(({ podSelector, ingress = [], egress = [] }) => {
      const peers = [...ingress.flatMap(({ from = [] }) => from), ...egress.flatMap(({ to = [] }) => to)];
      return [
        podSelector!,
        ...peers.flatMap((peer) => (peer.podSelector === undefined ? [] : [peer.podSelector])),
      ];
    });
    for (const selector of selectors)
      expect(workloads.some(({ labels }) => selects(selector, labels))).toBe(true);
  });

  it('let only the apps reach Redis and Vault, anyone the proxy, and our own pods the console', () => {
    expect(callersOf('redis', 6379).sort()).toEqual(['proxy', 'worker']);
    expect(callersOf('vault', 8200).sort()).toEqual(['proxy', 'vault', 'worker']);
    expect(callersOf('vault', 8201)).toEqual(['vault']);
    expect(callersOf('proxy', 8080)).toEqual(['anyone']);
    expect(callersOf('worker', 8090).sort()).toEqual(names.toSorted());
  });

  it.each(['proxy', 'worker'])('let the %s out to Vault, Redis and https on public addresses', (name) => {
    const rules = policies
      .filter((policy) => policy.name !== 'dns' && selects(policy.podSelector!, byName(name).labels))
      .flatMap(({ egress = [] }) => egress);
    expect(rules.map((rule) => ports(rule.ports))).toEqual([[8200], [6379], [443]]);
    const [, , internet] = rules;
    const [{ ipBlock } = {}] = internet!.to!;
    expect(ipBlock!.except).toEqual(
      expect.arrayContaining(['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '169.254.0.0/16']),
    );
  });
});

const hasKubectl = spawnSync('kubectl', ['version', '--client']).status === 0;

describe.skipIf(!hasKubectl)('kubectl (skipped where it is not installed)', () => {
  it('builds the kustomization', () => {
    const built = execFileSync('kubectl', ['kustomize', 'k8s'], { cwd: repository, encoding: 'utf8' });
    expect(built.match(/^kind: /gm)).toHaveLength(applied.length + generated.length);
    expect(built).not.toContain('image: connectors-');
  });
});
