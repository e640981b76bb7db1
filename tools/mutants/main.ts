import { checkMutations, type Finding } from './check.ts';
import { mutations } from './mutations.ts';

// What is left in the temporary directory is removed at exit.
process.once('SIGINT', () => process.exit(130));

console.log(`${mutations.length} rules of the refresh, taken out one at a time:\n`);
const findings = await checkMutations(mutations, (finding) => console.log(row(finding)));
const survivors = findings.filter(({ failed }) => failed.length === 0);
console.log(`\n${findings.length - survivors.length} noticed, ${survivors.length} survived`);
process.exitCode = survivors.length === 0 ? 0 : 1;

function row({ mutation, failed }: Finding): string {
  const tests = failed.length === 0 ? ['SURVIVED: no test failed'] : failed;
  return [`without ${mutation.without}`, ...tests.map((test) => `    ${test}`)].join('\n');
}
