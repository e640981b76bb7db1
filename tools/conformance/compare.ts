import type { Results } from './run-suite.ts';

export interface Comparison {
  scenario: string;
  /** What its checks came to directly and through the proxy, such as `12 passed, 1 failed`. */
  direct: string;
  proxied: string;
  /** The checks that came to something else, as `{check} {status}`. */
  onlyDirect: string[];
  onlyProxied: string[];
}

/** One line for each scenario that either run knows, by name. */
export function compare(direct: Results, proxied: Results): Comparison[] {
  const scenarios = [...new Set([...direct.keys(), ...proxied.keys()])].toSorted();
  return scenarios.map((scenario) => {
    const [ours, theirs] = [proxied.get(scenario) ?? [], direct.get(scenario) ?? []];
    return {
      scenario,
      direct: summarize(theirs),
      proxied: summarize(ours),
      onlyDirect: without(theirs, ours),
      onlyProxied: without(ours, theirs),
    };
  });
}

export function differs({ onlyDirect, onlyProxied }: Comparison): boolean {
  return onlyDirect.length + onlyProxied.length > 0;
}

function summarize(checks: readonly string[]): string {
  const count = (status: string) => checks.filter((check) => check.endsWith(` ${status}`)).length;
  const [passed, failed] = [count('SUCCESS'), count('FAILURE')];
  const others = checks.length - passed - failed;
  const parts = [`${passed} passed`, failed > 0 && `${failed} failed`, others > 0 && `${others} other`];
  return checks.length === 0 ? 'not run' : parts.filter((part) => part !== false).join(', ');
}

/** A check that a scenario makes several times counts as often as it is made. */
function without(checks: readonly string[], others: readonly string[]): string[] {
  const left = [...others];
  return checks.filter((check) => {
    const index = left.indexOf(check);
    if (index >= 0) left.splice(index, 1);
    return index < 0;
  });
}
