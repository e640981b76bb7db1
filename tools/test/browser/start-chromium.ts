import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { programFromDebianPackage } from '@connectors/dev-servers';
import { chromium, type Browser, type LaunchOptions } from 'playwright-core';

const execute = promisify(execFile);

const debianChromium = { package: 'chromium', path: 'usr/lib/chromium/chromium' };
const cache = join(import.meta.dirname, '../../../node_modules/.cache/connectors/chromium/unpacked');

/** A machine without a network is not waited for longer, in milliseconds. */
const patienceMs = 180_000;

/**
 * Starts a Chromium: the one on the PATH, else the one of the operating system's package, which is unpacked (not
 * installed) into node_modules/.cache.
 *
 * @returns why there is none, in words, when none can be had
 */
export async function startChromium(): Promise<Browser | string> {
  try {
    const launch = await findChromium();
    return await chromium.launch({ ...launch, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
  } catch (error) {
    return `no Chromium here: ${String(error).split('\n')[0]}`;
  }
}

async function findChromium(): Promise<LaunchOptions> {
  for (const name of ['chromium', 'chromium-browser', 'google-chrome']) {
    const found = await execute('which', [name]).catch(() => undefined);
    if (found !== undefined) return { executablePath: found.stdout.trim() };
  }
  const { args } = await programFromDebianPackage(debianChromium, cache, {
    signal: AbortSignal.timeout(patienceMs),
    onProgress: () => undefined,
  });
  const [variable = '', executablePath = ''] = args;
  const [name = '', value = ''] = variable.split('=');
  return { executablePath, env: { ...process.env, [name]: value } };
}
