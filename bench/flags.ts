import { parseArgs, type ParseArgsOptionsConfig } from 'node:util';

const most = 99_999;

/**
 * Reads the flags of a benchmark: counts with their defaults, and texts, which may be left out. Prints its usage and ends if it is asked
 * for that, or if a flag is wrong.
 */
export function readFlags<Count extends string, Text extends string = never>(
  usage: string,
  counts: Record<Count, number>,
  texts: readonly Text[] = [],
): Record<Count, number> & Partial<Record<Text, string>> {
  try {
    const names = [...Object.keys(counts), ...texts];
    const options: ParseArgsOptionsConfig = {
      ...Object.fromEntries(names.map((name) => [name, { type: 'string' } as const])),
      help: { type: 'boolean', short: 'h' },
    };
    const { help, ...given } = parseArgs({ options }).values as Record<string, string>;
    if (help) {
      console.log(usage);
      process.exit(0);
    }
    const read = Object.entries(given).map(([name, text]) => [
      name,
      name in counts ? count(name, text) : text,
    ]);
    return { ...counts, ...(Object.fromEntries(read) as Partial<Record<Text, string>>) };
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`);
    process.exit(2);
  }
}

function count(name: string, text: string): number {
  const value = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (value < 1) throw new Error(`--${name} ${text} is no number from 1 to ${most}`);
  return value;
}
