import { findingsOf, type Finding } from './finding.ts';
import { isLoopback } from './loopback.ts';

const { ok, failed, warning } = findingsOf('system');

/** Examines the address at which users and programs reach the console. */
export async function examineConsole(consoleUrl: string): Promise<Finding[]> {
  return [
    consoleUrl.startsWith('https:') || isLoopback(consoleUrl)
      ? ok('console.url', `connect links begin with ${consoleUrl}`)
      : failed(
          'console.url',
          `connect links begin with ${consoleUrl}: sign-ins can be read on the way`,
          'Set CONSOLE_URL to an https address, and end TLS in front of the console',
        ),
    await examineAnswer(consoleUrl),
  ];
}

async function examineAnswer(consoleUrl: string): Promise<Finding> {
  const check = 'console.reachable';
  const fix =
    'Start a worker with CONSOLE=on, or correct CONSOLE_URL; from inside a cluster its outer address may be out of reach';
  try {
    const response = await fetch(`${consoleUrl}/healthz`, {
      redirect: 'manual',
      signal: AbortSignal.timeout(5_000),
    });
    const text = await response.text();
    if (response.status === 200 && text.includes('"ok"')) return ok(check, 'the console answers there');
    return warning(check, `what answers at ${consoleUrl} is not the console (${response.status})`, fix);
  } catch {
    return warning(check, `nothing answers at ${consoleUrl} from here`, fix);
  }
}
