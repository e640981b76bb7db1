import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as apps from 'kubernetes-models/apps/v1';
import * as autoscaling from 'kubernetes-models/autoscaling/v2';
import * as networking from 'kubernetes-models/networking.k8s.io/v1';
import * as policy from 'kubernetes-models/policy/v1';
import * as core from 'kubernetes-models/v1';
import { filesBelow, readYaml, repository } from './deployables.ts';

export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string };
}

type Model = new (data: never) => { validate(): void };

const models: Record<string, object> = {
  v1: core,
  'apps/v1': apps,
  'autoscaling/v2': autoscaling,
  'networking.k8s.io/v1': networking,
  'policy/v1': policy,
};

/** All objects in the files below k8s/, those of the example included. */
export function readManifests(): { file: string; manifest: Manifest }[] {
  const files = filesBelow('k8s').filter((file) => file.endsWith('.yaml'));
  return files
    .filter((file) => !/\/(kustomization|connectors)\.yaml$/.test(file))
    .flatMap((file) => (readYaml(file) as Manifest[]).map((manifest) => ({ file, manifest })));
}

/** @throws {Error} naming each field that is missing or of a wrong form */
export function validate(manifest: Manifest): void {
  const model = (models[manifest.apiVersion] as Record<string, Model> | undefined)?.[manifest.kind];
  if (model === undefined) throw new Error(`unknown: ${manifest.apiVersion} ${manifest.kind}`);
  new model(manifest as never).validate();
}

/**
 * The schemas of Kubernetes let unknown fields pass, and so does a server in its default mode. The compiler does not, in a literal.
 *
 * @returns what the compiler says
 */
export function findUnknownFields(manifests: readonly Manifest[]): string[] {
  const folder = mkdtempSync(join(repository, 'tools/node_modules/.manifests-'));
  try {
    const literals = manifests.map((manifest, index) => {
      const type = `import('kubernetes-models/${manifest.apiVersion}').I${manifest.kind}`;
      // One line each, so that the number of the line leads back to the manifest.
      return `export const manifest${index}: ${type} = ${JSON.stringify(manifest)};`;
    });
    writeFileSync(join(folder, 'manifests.ts'), literals.join('\n'));
    const options = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', '--ignoreConfig'];
    execFileSync(join(repository, 'node_modules/.bin/tsc'), [...options, 'manifests.ts'], { cwd: folder });
    return [];
  } catch (error) {
    const { stdout } = error as { stdout?: Buffer };
    if (stdout === undefined) throw error;
    return String(stdout).trim().split('\n');
  } finally {
    rmSync(folder, { recursive: true });
  }
}
