/*
 * An agent that calls a REST API through the proxy, as if the proxy were the API. It holds an agent key and never sees a token.
 *
 *     AGENT_KEY=cak_… node examples/rest-agent.ts demo /account
 */

const { PROXY_URL = 'http://127.0.0.1:8080', AGENT_KEY = '' } = process.env;
const [integration = 'demo', path = '/account'] = process.argv.slice(2);

/** One call; waits as long as it is told to, a few times. */
async function call(tries = 3): Promise<Response> {
  const response = await fetch(`${PROXY_URL}/proxy/${integration}${path}`, {
    headers: { Authorization: `Bearer ${AGENT_KEY}` },
  });
  const wait = response.headers.get('Retry-After');
  if (wait === null || tries === 1) return response;
  console.error(`${response.status}, asked to wait ${wait} s`);
  await response.body?.cancel();
  await new Promise((resolve) => setTimeout(resolve, Number(wait) * 1_000));
  return call(tries - 1);
}

const response = await call();
// With this header the answer is the proxy's own, a problem document of RFC 9457; without it, the API's.
const code = response.headers.get('Connectors-Error');
if (code === null) {
  console.log(await response.text());
} else {
  const problem = (await response.json()) as { detail: string; action: string; connectUrl?: string };
  console.error(`${code}: ${problem.detail}. ${problem.action}`);
  if (problem.connectUrl !== undefined) console.error(`Ask the user to open ${problem.connectUrl}`);
  process.exitCode = 1;
}
