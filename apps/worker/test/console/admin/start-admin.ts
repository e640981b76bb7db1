import { adminToken, startInProcess, type World } from '../../start-world.ts';

interface Answer {
  status: number;
  headers: Headers;
  // Answers are asserted on, not computed with.
  // eslint-disable-next-line typescript/no-explicit-any
  body: any;
}

/** A worker, and calls of its admin API as a program makes them. */
export async function startAdmin(world: World, env: Record<string, string> = {}) {
  const worker = await startInProcess({ ...world.env, ...env });

  async function call(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const response = await fetch(`${worker.url}/admin${path}`, {
      method,
      headers: {
        authorization: `Bearer ${adminToken}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: text === '' ? undefined : JSON.parse(text),
    };
  }

  return { ...worker, call };
}

export type Admin = Awaited<ReturnType<typeof startAdmin>>;
