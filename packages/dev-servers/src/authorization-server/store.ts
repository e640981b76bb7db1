import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import { type Adapter, type AdapterPayload, type Configuration } from 'oidc-provider';

/** What must survive a restart for grants to stay alive: grants, tokens, sessions and keys. */
export interface Store {
  adapterFor: (model: string) => Adapter;
  /** The keys that sign ID tokens and cookies, minted when the store is new. */
  keys: { jwks: NonNullable<Configuration['jwks']>; cookieKey: string };
  close(): void;
}

const schema = `
  PRAGMA journal_mode = WAL;
  CREATE TABLE IF NOT EXISTS artifacts (
    model TEXT NOT NULL, id TEXT NOT NULL, payload TEXT NOT NULL,
    grant_id TEXT, uid TEXT, consumed INTEGER, expires_at INTEGER,
    PRIMARY KEY (model, id)
  ) STRICT;
  CREATE INDEX IF NOT EXISTS artifacts_of_grant ON artifacts (grant_id);
  CREATE INDEX IF NOT EXISTS artifacts_by_expiry ON artifacts (expires_at);
  CREATE TABLE IF NOT EXISTS keys (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
`;

/** Opens the file, or a database in memory when there is none. */
export function openStore(dataFile: string | undefined): Store {
  const database = new DatabaseSync(dataFile ?? ':memory:');
  database.exec(schema);
  const keep = (name: string, mint: () => string): string => {
    database.prepare('INSERT OR IGNORE INTO keys VALUES (?, ?)').run(name, mint());
    return String(database.prepare('SELECT value FROM keys WHERE name = ?').get(name)?.['value']);
  };
  return {
    adapterFor: (model) => artifactsOf(database, model),
    keys: {
      jwks: { keys: [JSON.parse(keep('signing', mintSigningKey))] },
      cookieKey: keep('cookies', () => randomBytes(32).toString('base64url')),
    },
    close: () => {
      if (database.isOpen) database.close();
    },
  };
}

function mintSigningKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return JSON.stringify({ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'ES256' });
}

// The library looks at a refresh token first and marks it as used some promises later. Nothing here waits
// for more than promises, so no other request comes in between, and a token that is used twice never succeeds twice.
function artifactsOf(database: DatabaseSync, model: string): Adapter {
  const columns = 'payload, consumed';
  const byId = database.prepare(`SELECT ${columns} FROM artifacts WHERE model = ? AND id = ?`);
  const byUid = database.prepare(`SELECT ${columns} FROM artifacts WHERE model = ? AND uid = ?`);
  const write = database.prepare('INSERT OR REPLACE INTO artifacts VALUES (?, ?, ?, ?, ?, ?, ?)');
  const expire = database.prepare('DELETE FROM artifacts WHERE expires_at < ?');
  const consume = database.prepare('UPDATE artifacts SET consumed = ? WHERE model = ? AND id = ?');
  return {
    async upsert(id, payload, expiresIn) {
      const now = epochSeconds();
      expire.run(now - 60);
      const { grantId = null, uid = null, consumed } = payload;
      const expiresAt = expiresIn ? now + expiresIn : null;
      write.run(model, id, JSON.stringify(payload), grantId, uid, consumed ? now : null, expiresAt);
    },
    async find(id) {
      return toPayload(byId.get(model, id));
    },
    async findByUid(uid) {
      return toPayload(byUid.get(model, uid));
    },
    async findByUserCode() {
      return undefined;
    },
    async consume(id) {
      consume.run(epochSeconds(), model, id);
    },
    async destroy(id) {
      database.prepare('DELETE FROM artifacts WHERE model = ? AND id = ?').run(model, id);
    },
    async revokeByGrantId(grantId) {
      database.prepare('DELETE FROM artifacts WHERE model = ? AND grant_id = ?').run(model, grantId);
    },
  };
}

function toPayload(row: Record<string, unknown> | undefined): AdapterPayload | undefined {
  if (!row) return undefined;
  const payload: AdapterPayload = JSON.parse(String(row['payload']));
  return row['consumed'] === null ? payload : { ...payload, consumed: Number(row['consumed']) };
}

function epochSeconds(): number {
  return Math.floor(Date.now() / 1000);
}
