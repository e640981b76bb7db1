const stepMs = 250;

/**
 * Calls `elapsed` after this process has run for `ms`. The time in which it was stopped (a frozen virtual machine, a
 * blocked event loop) hardly counts: after it, timers fire before sockets are read, and a plain timer would give up
 * an answer that has long arrived.
 *
 * @returns ends the wait
 */
export function afterRunning(ms: number, elapsed: () => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  let lookOnce: NodeJS.Immediate | undefined;
  const wait = (left: number): void => {
    const step = Math.min(left, stepMs);
    timer = setTimeout(() => {
      if (left > step) wait(left - step);
      // Immediates come after sockets were read.
      else lookOnce = setImmediate(elapsed);
    }, step);
  };
  wait(ms);
  return () => {
    clearTimeout(timer);
    clearImmediate(lookOnce);
  };
}
