import { existsSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { startEmbeddedVault, type EmbeddedVaultOptions } from './server.ts';

const usage = `usage: node main.ts [--port 8200] [--host 127.0.0.1] [--data-dir DIR] [--root-token-file FILE] [--audit-log FILE]`;

function readOptions(): EmbeddedVaultOptions {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '8200' },
      host: { type: 'string', default: '127.0.0.1' },
      'data-dir': { type: 'string' },
      'root-token-file': { type: 'string' },
      'audit-log': { type: 'string' },
    },
  });
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65535)
    throw new Error(`--port ${values.port} is no port`);
  const { 'data-dir': dataDir, 'root-token-file': tokenFile, 'audit-log': auditLog } = values;
  if (tokenFile !== undefined && !existsSync(tokenFile)) throw new Error(`there is no file ${tokenFile}`);
  return {
    port,
    host: values.host,
    ...(dataDir === undefined ? {} : { dataDir }),
    ...(tokenFile === undefined ? {} : { rootToken: readFileSync(tokenFile, 'utf8').trim() }),
    ...(auditLog === undefined ? {} : { auditLog }),
  };
}

function explain(error: unknown, options: EmbeddedVaultOptions | undefined): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE') {
    return `Port ${options?.port} is taken: stop what listens there, or choose another with --port.`;
  }
  if (message.includes('database is locked')) {
    return `Another process uses ${options?.dataDir}: stop it, or choose another --data-dir.`;
  }
  return options === undefined ? `${message}\n${usage}` : message;
}

let options: EmbeddedVaultOptions | undefined;
try {
  options = readOptions();
  const vault = await startEmbeddedVault(options);
  const kept = options.dataDir ?? 'memory only';
  console.log(`Embedded Vault at ${vault.url} (data: ${kept}). It is for one machine, not for production.`);
  const stop = () => void vault.close().then(() => process.exit(0));
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  // Sent when a parent that forked us is gone, however it went.
  process.once('disconnect', stop);
} catch (error) {
  console.error(explain(error, options));
  process.exitCode = 1;
}
