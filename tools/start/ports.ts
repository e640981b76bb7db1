import { isFree } from '../fleet/port.ts';

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

interface Port {
  variable: string;
  number: number;
}

function port(variable: string, fallback: number): Port {
  return { variable, number: Number(process.env[variable] || fallback) };
}

export function localUrl(name: keyof typeof ports): string {
  return `http://127.0.0.1:${ports[name].number}`;
}

/** The ports that are listened on, by what listens there. */
function neededPorts(): [name: string, port: Port][] {
  return Object.entries(ports).filter(
    ([name]) =>
      !(name === 'vault' && process.env['VAULT_ADDR']) && !(name === 'redis' && process.env['REDIS_URL']),
  );
}

/** Says of every port that cannot be listened on how to choose another. */
export async function findPortProblems(): Promise<string[]> {
  const needed = neededPorts();
  const problems = misconfiguredPorts(needed.map(([, port]) => port));
  for (const [name, { variable, number }] of needed) {
    if (isPort(number) && !(await isFree(number)))
      problems.push(
        `Port ${number} (${name}) is taken: stop what listens there, or choose another: ${variable}=${another(number)}`,
      );
  }
  return problems;
}

/** What is wrong with the ports in themselves, whoever listens on them. */
function misconfiguredPorts(needed: Port[]): string[] {
  const problems: string[] = [];
  const users = Map.groupBy(needed, ({ number }) => number);
  for (const [number, sharers] of users) {
    const variables = sharers.map(({ variable }) => variable).join(' and ');
    if (!isPort(number)) problems.push(`${variables}: a port is a whole number from 1 to 65535.`);
    else if (sharers.length > 1)
      problems.push(`${variables} are both ${number}: give each a port of its own.`);
  }
  return problems;
}

function isPort(number: number): boolean {
  return Number.isInteger(number) && number >= 1 && number <= 65_535;
}

function another(number: number): number {
  return number > 64_535 ? number - 1000 : number + 1000;
}
