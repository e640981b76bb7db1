/** Whether a URL is of this very machine: nobody listens on the way. */
export function isLoopback(url: string): boolean {
  const { hostname } = new URL(url);
  return /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
}
