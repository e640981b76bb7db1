import type { FastifyInstance } from 'fastify';
import type { Registry } from 'prom-client';

export interface HealthDeps {
  /** Whether Vault is initialised, unsealed and answering. */
  isVaultUp(): Promise<boolean>;
  isRedisUp(): boolean;
  /** Whether requests can be served without Vault. */
  hasCredentials(): boolean;
  metrics: Registry;
  /** Refreshes the figures that are looked up rather than counted. */
  collect(): void;
  now: () => number;
}

/** Anybody may ask how we are: Vault is not asked as often. */
const askVaultEveryMs = 1_000;

/** `/healthz`: the process lives. `/readyz`: it can serve, and which of its parts do not work. `/metrics`. */
export function registerHealth(app: FastifyInstance, deps: HealthDeps): void {
  let asked: { at: number; answer: Promise<boolean> } | undefined;
  const isVaultUp = (): Promise<boolean> => {
    const at = deps.now();
    if (asked === undefined || at >= asked.at + askVaultEveryMs) asked = { at, answer: deps.isVaultUp() };
    return asked.answer;
  };
  app.get('/healthz', () => ({ status: 'ok' }));
  app.get('/readyz', async (_request, reply) => {
    const vault = await isVaultUp();
    const redis = deps.isRedisUp();
    // Traffic is not turned away while the cache can serve it.
    const canServe = vault || deps.hasCredentials();
    const status = vault && redis ? 'ok' : canServe ? 'degraded' : 'unavailable';
    return reply.code(canServe ? 200 : 503).send({ status, vault: word(vault), redis: word(redis) });
  });
  app.get('/metrics', async (_request, reply) => {
    deps.collect();
    return reply.type(deps.metrics.contentType).send(await deps.metrics.metrics());
  });
}

function word(isUp: boolean): 'ok' | 'down' {
  return isUp ? 'ok' : 'down';
}
