import { availableParallelism } from 'node:os';
import type { Mutation } from './mutation.ts';
import { runTests } from './run-tests.ts';
import { openSandbox, type Sandbox } from './sandbox.ts';

/** A mutation, and the test that failed for it; none: it survived. */
export interface Finding {
  mutation: Mutation;
  failed: string[];
}

/**
 * Breaks the code in every way that is listed, one after the other in copies of the workspace, and runs the tests that
 * must notice.
 *
 * @param tell is told of each finding as it is made
 * @throws {Error} when tests fail without any mutation, or when none ran: then nothing is proven
 */
export async function checkMutations(
  mutations: readonly Mutation[],
  tell: (finding: Finding) => void = () => undefined,
): Promise<Finding[]> {
  const sandboxes = Array.from({ length: Math.min(availableParallelism(), 4) }, openSandbox);
  try {
    await demandSoundTests(sandboxes[0] as Sandbox, mutations);
    const findings: Finding[] = [];
    const left = [...mutations];
    const work = async (sandbox: Sandbox) => {
      for (let mutation = left.shift(); mutation !== undefined; mutation = left.shift()) {
        const finding = { mutation, failed: await failuresWith(sandbox, mutation) };
        findings.push(finding);
        tell(finding);
      }
    };
    await Promise.all(sandboxes.map(work));
    return findings;
  } finally {
    for (const sandbox of sandboxes) sandbox.remove();
  }
}

async function demandSoundTests({ folder }: Sandbox, mutations: readonly Mutation[]): Promise<void> {
  const { passed, failed } = await runTests(folder, [...mutations]);
  if (failed.length > 0) throw new Error(`These fail without any mutation:\n${failed.join('\n')}`);
  const idle = mutations.filter(({ name }) => !passed.some((test) => test.includes(name)));
  if (idle.length > 0) throw new Error(`No test is named: ${idle.map(({ name }) => name).join(', ')}`);
}

async function failuresWith(sandbox: Sandbox, mutation: Mutation): Promise<string[]> {
  using _applied = sandbox.apply(mutation);
  const { passed, failed } = await runTests(sandbox.folder, [mutation], 'first failure');
  // A file that cannot even be read proves nothing.
  if (passed.length + failed.length === 0) throw new Error(`No test ran without ${mutation.without}`);
  return failed;
}
