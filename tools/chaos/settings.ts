/** What the processes are configured with, in seconds: all as short as it may be, so that much happens in a minute. */
export const settings = {
  jobLock: 3,
  stalledInterval: 1,
  attempt: 3,
  request: 1,
  clockSkew: 1,
  sweepInterval: 5,
  cooldown: 5,
  shutdown: 10,
  refreshWait: 5,
  /** More than four times the sum of lock, interval and attempt. */
  tokenLife: 40,
};

/** How long after its end a fault may still be felt, in milliseconds. */
export const aftermathMs = (settings.jobLock + settings.stalledInterval + settings.attempt) * 1000;

export const workerCount = 3;
export const proxyCount = 2;
