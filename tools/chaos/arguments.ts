import { parseArgs } from 'node:util';

export interface Arguments {
  /** How long faults happen and agents call, the quiet time after the last fault included. */
  seconds: number;
  seed: number;
  tenants: number;
}

export const usage = `usage: npx pnpm@12 chaos [--seconds 60] [--seed 1] [--tenants 200]

Runs workers, proxies, Redis and Vault, lets agents call through them, and breaks things by a random schedule.
Exits with 0 if no refresh token was spent twice by live workers, no grant was lost without an excuse, and no request
failed outside the time around a fault; else with 1, and says where the logs are.

  --seconds  how long, from 30 to 3600
  --seed     which schedule, from 0 to 4294967295: the same one gives the same faults at the same times
  --tenants  how many, each with one credential, from 1 to 2000`;

const limits = { seconds: [30, 3_600], seed: [0, 2 ** 32 - 1], tenants: [1, 2_000] } as const;

/** Reads the command line. A string is what is wrong with it; `help` asks for the usage. */
export function readArguments(args: string[]): Arguments | 'help' | { problem: string } {
  try {
    const { values } = parseArgs({
      args,
      options: {
        help: { type: 'boolean', short: 'h' },
        seconds: { type: 'string', default: '60' },
        seed: { type: 'string', default: '1' },
        tenants: { type: 'string', default: '200' },
      },
    });
    if (values.help === true) return 'help';
    return {
      seconds: readNumber('seconds', values.seconds),
      seed: readNumber('seed', values.seed),
      tenants: readNumber('tenants', values.tenants),
    };
  } catch (error) {
    return { problem: (error as Error).message };
  }
}

function readNumber(name: keyof typeof limits, text: string): number {
  const [min, max] = limits[name];
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new Error(`--${name} must be a whole number from ${min} to ${max}`);
}
