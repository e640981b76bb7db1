import { spawn, type ChildProcess } from 'node:child_process';

/**
 * Ends `child` when this process is gone, `kill -9` included: a shell holds the other end of a pipe
 * that the kernel closes with us. It is detached, so that Ctrl-C does not end it before its time.
 */
export function endWithParent(child: ChildProcess): void {
  if (child.pid === undefined) return;
  const watch = spawn('sh', ['-c', 'read -r _; kill "$1"', 'sh', `${child.pid}`], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  watch.unref();
  child.once('exit', () => watch.kill('SIGKILL'));
}
