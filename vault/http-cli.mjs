// Stands in for the `vault` CLI where there is none: `status`, and a batch of requests on standard input.
// Speaks for init-vault.sh only; see there for what a line of a batch means.
import { readFileSync, writeFileSync } from 'node:fs';

const address = process.env.VAULT_ADDR ?? 'http://127.0.0.1:8200';

/** A failure that ends the batch; the message is what `init-vault.sh` shows. */
class Failure extends Error {}

async function ask(method, path, body) {
  const answer = await fetch(new URL(`/v1/${path}`, address), {
    method,
    headers: { 'X-Vault-Token': process.env.VAULT_TOKEN ?? '' },
    signal: AbortSignal.timeout(10_000),
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  }).catch((error) => {
    throw new Failure(`${address} does not answer (${error.cause?.code ?? error.name})`);
  });
  const text = await answer.text();
  return { status: answer.status, body: text === '' ? {} : JSON.parse(text) };
}

/** `key=value`, `key=@file`, or `@file` for a whole JSON body, as the CLI has them. */
function bodyOf(args) {
  const body = {};
  for (const arg of args) {
    const [key, ...rest] = arg.split('=');
    const value = rest.join('=');
    if (key.startsWith('@')) Object.assign(body, JSON.parse(readFileSync(key.slice(1), 'utf8')));
    else body[key] = value.startsWith('@') ? readFileSync(value.slice(1), 'utf8') : value;
  }
  return body;
}

function render(body, field) {
  const value = field === '-' ? body : body.data?.[field];
  if (value === undefined || value === null) return undefined;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

async function runLine(line) {
  const [verb, file, field, path, ...args] = line.split(' ');
  const { status, body } = await ask(
    verb === 'read' ? 'GET' : 'PUT',
    path,
    verb === 'read' ? undefined : bodyOf(args),
  );
  const isAbsent = verb !== 'write' && [204, 400, 404].includes(status);
  if (status >= 400 && !isAbsent)
    throw new Failure(`${path}: Code: ${status}. ${(body.errors ?? []).join('; ').trim()}`);
  if (status >= 400) writeFileSync(`${file}.error`, (body.errors ?? []).join('; '));
  const shown = status >= 400 ? undefined : render(body, field);
  if (shown !== undefined && file !== '-') writeFileSync(file, shown);
}

// As `vault status` ends: 0 unsealed, 2 sealed or not initialised, 1 no answer.
async function status() {
  const { body } = await ask('GET', 'sys/seal-status');
  process.exitCode = body.sealed ? 2 : 0;
}

async function batch() {
  const lines = readFileSync(0, 'utf8').split('\n');
  for (const line of lines.filter((each) => each !== '')) await runLine(line);
}

try {
  await (process.argv[2] === 'status' ? status() : batch());
} catch (error) {
  console.error(error instanceof Failure ? error.message : String(error));
  process.exitCode = 1;
}
