import { UsageError } from '../command.ts';

const units: Record<string, number> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** Seconds of a text such as `90d`, `24h`, `30m`, `10s` or `0`. */
export function readDuration(option: string, text: string): number {
  const [, count, unit = 's'] = /^(\d{1,9})([smhd])?$/.exec(text) ?? [];
  const seconds = Number(count) * (units[unit] ?? Number.NaN);
  if (Number.isNaN(seconds) || (text !== '0' && /\d$/.test(text))) {
    throw new UsageError(`${option} must be a time such as 90d, 24h, 30m or 0, not ${text}`);
  }
  return seconds;
}

/** When a text says that something ends, as ISO 8601: a time from now on, or a date. */
export function readEnd(option: string, text: string, now: number): string {
  const date = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  const end = Number.isNaN(date) ? now + readDuration(option, text) * 1_000 : date;
  return new Date(end).toISOString();
}
