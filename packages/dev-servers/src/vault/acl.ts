import type { Capability, PathRule } from './policy-hcl.ts';
import type { Operation } from './request.ts';

interface Pattern {
  /** Without the trailing `*`. */
  text: string;
  segments: string[];
  isPrefix: boolean;
  wildcards: number;
  firstWildcard: number;
  capabilities: Set<Capability>;
}

/** What a token may do: the union of its policies. */
export class Acl {
  readonly isRoot: boolean;
  readonly #exact = new Map<string, Set<Capability>>();
  readonly #patterns: Pattern[] = [];

  constructor(rules: PathRule[], isRoot = false) {
    this.isRoot = isRoot;
    for (const [path, granted] of merge(rules)) {
      if (path.endsWith('*') || path.split('/').includes('+')) this.#patterns.push(pattern(path, granted));
      else this.#exact.set(path, granted);
    }
    this.#patterns.sort(byPriority);
  }

  /** The capabilities on a path; only the most specific rule counts. */
  capabilities(path: string, operation?: Operation): ReadonlySet<Capability> {
    const bare = operation === 'list' ? path.replace(/\/$/, '') : path;
    const granted =
      this.#exact.get(path) ??
      this.#exact.get(bare) ??
      this.#patterns.find((candidate) => matches(candidate, path))?.capabilities;
    return granted && !granted.has('deny') ? granted : new Set();
  }

  allows(path: string, operation: Operation): boolean {
    return this.isRoot || this.capabilities(path, operation).has(operation);
  }

  sudo(path: string): boolean {
    return this.isRoot || this.capabilities(path).has('sudo');
  }
}

/** Rules of several policies for one and the same path string add up; `deny` among them wins. */
function merge(rules: PathRule[]): Map<string, Set<Capability>> {
  const merged = new Map<string, Set<Capability>>();
  for (const { path, capabilities } of rules) {
    merged.set(path, new Set([...(merged.get(path) ?? []), ...capabilities]));
  }
  return merged;
}

function pattern(path: string, capabilities: Set<Capability>): Pattern {
  const isPrefix = path.endsWith('*');
  const text = isPrefix ? path.slice(0, -1) : path;
  const segments = text.split('/');
  const wildcards = segments.filter((segment) => segment === '+').length;
  const firstPlus = text.search(/(?<=^|\/)\+(?=\/|$)/);
  return {
    text,
    segments,
    isPrefix,
    wildcards,
    firstWildcard: firstPlus === -1 ? text.length : firstPlus,
    capabilities,
  };
}

function matches(candidate: Pattern, path: string): boolean {
  const { segments, isPrefix } = candidate;
  if (candidate.wildcards === 0) return path.startsWith(candidate.text);
  const parts = path.split('/');
  if (isPrefix ? parts.length < segments.length : parts.length !== segments.length) return false;
  return segments.every((segment, index) => {
    const part = parts[index] ?? '';
    if (segment === '+' || segment === part) return true;
    return isPrefix && index === segments.length - 1 && part.startsWith(segment);
  });
}

/** Vault's published priority, the winner first: https://developer.hashicorp.com/vault/docs/concepts/policies */
function byPriority(a: Pattern, b: Pattern): number {
  return (
    b.firstWildcard - a.firstWildcard ||
    Number(a.isPrefix) - Number(b.isPrefix) ||
    a.wildcards - b.wildcards ||
    b.text.length - a.text.length ||
    (a.text < b.text ? 1 : -1)
  );
}
