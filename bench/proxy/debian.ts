import { fileURLToPath } from 'node:url';
import { programFromDebianPackage, type DebianProgram, type Launch } from '@connectors/dev-servers';

const cache = fileURLToPath(new URL('../../node_modules/.cache/connectors/', import.meta.url));

/** A program of Debian or Ubuntu, unpacked into node_modules/.cache. */
function fetchProgram(program: DebianProgram): Promise<Launch> {
  return programFromDebianPackage(program, `${cache}${program.package}/unpacked`, {
    signal: AbortSignal.timeout(180_000),
    onProgress: (message) => console.log(message),
  });
}

/** nginx, as upstream and as the proxy that others are compared with. */
export const fetchNginx = () => fetchProgram({ package: 'nginx', path: 'usr/sbin/nginx' });

/** wrk makes the load: it needs little of the CPU that it shares with those who are measured. */
export const fetchWrk = () => fetchProgram({ package: 'wrk', path: 'usr/bin/wrk' });
