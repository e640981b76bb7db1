import { once } from 'node:events';
import { createServer } from 'node:net';

/** Where everything listens; all on 127.0.0.1. */
export const ports = {
  proxy: port('PORT', 8080),
  console: port('CONSOLE_PORT', 8090),
  vault: port('VAULT_PORT', 8200),
  redis: port('REDIS_PORT', 6390),
  authorization: port('AUTHORIZATION_PORT', 9400),
  rest: port('REST_PORT', 9401),
  mcp: port('MCP_PORT', 9402),
};

function port(variable: string, fallback: number): { variable: string; number: number } {
  return { variable, number: Number(process.env[variable] ?? fallback) };
}

export function localUrl(name: keyof typeof ports): string {
  return `http://127.0.0.1:${ports[name].number}`;
}

/** Says of every port that is taken by somebody else how to choose another. */
export async function findTakenPorts(needed: (keyof typeof ports)[]): Promise<string[]> {
  const problems: string[] = [];
  for (const name of needed) {
    const { variable, number } = ports[name];
    if (!(await isFree(number)))
      problems.push(
        `Port ${number} (${name}) is taken: stop what listens there, or choose another: ${variable}=${number + 1000}`,
      );
  }
  return problems;
}

async function isFree(number: number): Promise<boolean> {
  const server = createServer();
  server.listen(number, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}
