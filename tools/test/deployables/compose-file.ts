import { z } from 'zod';
import { readYaml } from './deployables.ts';

const duration = z.string().regex(/^\d+(ms|s|m|h)$/);
const ids = z.string().regex(/^\d+:\d+$/);
/** Compose takes numbers too, but YAML has its own ideas about `on` and `010`. */
const environment = z.record(z.string().regex(/^[A-Z][A-Z0-9_]*$/), z.string());

const service = z.strictObject({
  image: z.string(),
  build: z.strictObject({ context: z.string(), target: z.string() }).optional(),
  container_name: z.string().optional(),
  command: z.union([z.string(), z.array(z.string())]).optional(),
  entrypoint: z.array(z.string()).optional(),
  init: z.boolean().optional(),
  user: ids.optional(),
  restart: z.enum(['no', 'always', 'on-failure', 'unless-stopped']),
  read_only: z.boolean().optional(),
  cap_add: z.array(z.string()).optional(),
  cap_drop: z.array(z.string()).optional(),
  security_opt: z.array(z.string()).optional(),
  stop_grace_period: duration.optional(),
  depends_on: z
    .union([
      z.array(z.string()),
      z.record(
        z.string(),
        z.strictObject({
          condition: z.enum(['service_started', 'service_healthy', 'service_completed_successfully']),
        }),
      ),
    ])
    .optional(),
  environment,
  ports: z.array(z.string().regex(/^127\.0\.0\.1:\d+:\d+$/)).default([]),
  volumes: z.array(z.string().regex(/^[^:]+:\/[^:]+(:ro)?$/)).default([]),
  tmpfs: z.array(z.string()).optional(),
  networks: z.array(z.string()),
  healthcheck: z
    .strictObject({
      test: z.tuple([z.enum(['CMD', 'CMD-SHELL'])], z.string()),
      interval: duration,
      timeout: duration,
      retries: z.int(),
    })
    .optional(),
});

/** The part of the Compose specification that our files use. A key that is not here is a slip of the pen. */
const composeFile = z.strictObject({
  name: z.string(),
  include: z.array(z.string()).default([]),
  services: z.record(z.string(), service),
  networks: z.record(z.string(), z.strictObject({ name: z.string() })).default({}),
  volumes: z.record(z.string(), z.null()).default({}),
});

export type ComposeFile = z.infer<typeof composeFile>;
export type Service = z.infer<typeof service>;

/** @throws {z.ZodError} */
export function readComposeFile(path: string): ComposeFile {
  const [document] = readYaml(path) as [Record<string, unknown>];
  const entries = Object.entries(document).filter(([key]) => !key.startsWith('x-'));
  return composeFile.parse(Object.fromEntries(entries));
}

/** Puts variables in, as Compose does: `${A}`, `${A-default}`, `${A:-default}`, `${A:?message}`. */
export function interpolate(text: string, given: Readonly<Record<string, string>>): string {
  return text.replaceAll(
    /\$\{(\w+)(?:(:?[-?])([^}]*))?\}/g,
    (_all, name: string, operator = '', word = '') => {
      const value = given[name];
      if (value !== undefined && !(value === '' && String(operator).startsWith(':'))) return value;
      if (String(operator).endsWith('?')) throw new Error(`${name}: ${word}`);
      return String(word);
    },
  );
}
