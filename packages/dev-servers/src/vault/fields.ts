import { VaultError } from './request.ts';

/** A JSON body or query as it came. Vault reads it leniently: numbers as strings, lists as `a,b`, durations as `1h`. */
export type Fields = Record<string, unknown>;

export function text(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw invalid(name, 'a string');
}

export function integer(fields: Fields, name: string): number | undefined {
  const value = fields[name];
  if (value === undefined || value === null) return undefined;
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof number === 'number' && Number.isSafeInteger(number)) return number;
  throw invalid(name, 'an int');
}

export function flag(fields: Fields, name: string): boolean | undefined {
  const value = fields[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'boolean') return value;
  if (['true', '1', 1].includes(value as string)) return true;
  if (['false', '0', 0, ''].includes(value as string)) return false;
  throw invalid(name, 'a bool');
}

export function strings(fields: Fields, name: string): string[] | undefined {
  const value = fields[name];
  if (value === undefined || value === null) return undefined;
  if (Array.isArray(value)) return value.map(String);
  return (text(fields, name) ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

export function integers(fields: Fields, name: string): number[] | undefined {
  return strings(fields, name)?.map((item) => integer({ [name]: item }, name) ?? 0);
}

export function object(fields: Fields, name: string): Fields | undefined {
  const value = fields[name];
  if (value === undefined || value === null) return undefined;
  if (isObject(value)) return value;
  throw invalid(name, 'a map');
}

export function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const units: Record<string, number> = {
  ns: 1e-9,
  us: 1e-6,
  µs: 1e-6,
  ms: 1e-3,
  s: 1,
  m: 60,
  h: 3600,
  d: 86400,
};

/** A duration in seconds: `90`, `"90"`, `"1h30m"`. */
export function seconds(fields: Fields, name: string): number | undefined {
  const value = fields[name];
  if (value === undefined || value === null || value === '') return undefined;
  const parsed = typeof value === 'number' ? value : parseDuration(text(fields, name) ?? '');
  if (parsed === undefined || !Number.isFinite(parsed)) {
    throw new VaultError(400, `time: invalid duration ${JSON.stringify(value)}`);
  }
  return Math.trunc(parsed);
}

function parseDuration(value: string): number | undefined {
  if (/^[+-]?\d+$/.test(value)) return Number(value);
  if (!/^-?(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h|d))+$/.test(value)) return undefined;
  const parts = value.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h|d)/g);
  const total = [...parts].reduce(
    (sum, [, count, unit]) => sum + Number(count) * (units[unit ?? ''] ?? 0),
    0,
  );
  return value.startsWith('-') ? -total : total;
}

/** As Go prints a duration: `1h0m0s`. */
export function formatDuration(total: number): string {
  const [hours, minutes, rest] = [Math.floor(total / 3600), Math.floor(total / 60) % 60, total % 60];
  if (hours > 0) return `${hours}h${minutes}m${rest}s`;
  return minutes > 0 ? `${minutes}m${rest}s` : `${rest}s`;
}

function invalid(name: string, wanted: string): VaultError {
  return new VaultError(
    400,
    `Field validation failed: error converting input for field "${name}": expected ${wanted}`,
  );
}
