import { parseArgs, type ParseArgsOptionsConfig } from 'node:util';
import { UsageError } from './command.ts';

/**
 * Reads the options of a command, `--json` among them, and its operands.
 *
 * @param names of the operands; one that ends in `?` may be left out
 * @throws UsageError
 */
export function readOptions(args: string[], names: string[], options: ParseArgsOptionsConfig) {
  const { values, positionals } = parse(args, { ...options, json: { type: 'boolean' } });
  const missing = names[positionals.length];
  if (missing !== undefined && !missing.endsWith('?')) throw new UsageError(`The ${missing} is missing.`);
  const stray = positionals[names.length];
  if (stray !== undefined) throw new UsageError(`What is ${stray} for?`);
  return { values, operands: positionals };
}

function parse(args: string[], options: ParseArgsOptionsConfig) {
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
