import { isObject } from './fields.ts';

export const capabilities = ['create', 'read', 'update', 'patch', 'delete', 'list', 'sudo', 'deny'] as const;
export type Capability = (typeof capabilities)[number];

export interface PathRule {
  /** Exact, with `+` for one segment, or ending in `*` for a prefix. */
  path: string;
  capabilities: Capability[];
}

/** The text is no policy, or uses a part of the language that is not evaluated here and must not be ignored. */
export class PolicySyntaxError extends Error {}

/**
 * Parses a policy in HCL or JSON: `path "…" { capabilities = […] }` and comments.
 *
 * @throws {PolicySyntaxError}
 */
export function parsePolicy(source: string): PathRule[] {
  return source.trimStart().startsWith('{') ? parseJson(source) : parseHcl(source);
}

type Token = { kind: 'string' | 'word' | 'mark'; text: string; line: number };

const lexemes =
  /\s+|#[^\n]*|\/\/[^\n]*|\/\*[\s\S]*?\*\/|"((?:[^"\\\n]|\\.)*)"|([A-Za-z_][\w-]*)|([{}[\]=,])/y;

function tokenize(source: string): Token[] {
  const tokens: Token[] = [];
  let line = 1;
  lexemes.lastIndex = 0;
  while (lexemes.lastIndex < source.length) {
    const match = lexemes.exec(source);
    if (!match) throw new PolicySyntaxError(`At line ${line}: illegal character`);
    const [whole, string, word, mark] = match;
    if (string !== undefined) tokens.push({ kind: 'string', text: unescape(string, line), line });
    else if (word !== undefined) tokens.push({ kind: 'word', text: word, line });
    else if (mark !== undefined) tokens.push({ kind: 'mark', text: mark, line });
    line += whole.split('\n').length - 1;
  }
  return tokens;
}

function unescape(body: string, line: number): string {
  try {
    return JSON.parse(`"${body}"`) as string;
  } catch {
    throw new PolicySyntaxError(`At line ${line}: invalid string`);
  }
}

function parseHcl(source: string): PathRule[] {
  const tokens = tokenize(source);
  const rules: PathRule[] = [];
  let at = 0;

  function take(wanted: string): Token {
    const token = tokens[at++];
    if (!token) throw new PolicySyntaxError(`unexpected end of the policy, expected ${wanted}`);
    const fits =
      wanted === 'string' ? token.kind === 'string' : token.kind !== 'string' && token.text === wanted;
    if (!fits) throw new PolicySyntaxError(`At line ${token.line}: expected ${wanted}, found ${token.text}`);
    return token;
  }

  function takeStrings(): string[] {
    const items: string[] = [];
    take('[');
    while (tokens[at]?.text !== ']' || tokens[at]?.kind === 'string') {
      items.push(take('string').text);
      if (tokens[at]?.text !== ']') take(',');
    }
    take(']');
    return items;
  }

  while (at < tokens.length) {
    take('path');
    const path = take('string').text;
    if (tokens[at]?.text === '=') at += 1;
    take('{');
    take('capabilities');
    take('=');
    rules.push(rule(path, takeStrings()));
    take('}');
  }
  return rules;
}

function parseJson(source: string): PathRule[] {
  let policy: unknown;
  try {
    policy = JSON.parse(source);
  } catch {
    throw new PolicySyntaxError('invalid JSON');
  }
  const paths = isObject(policy) && isObject(policy['path']) ? Object.entries(policy['path']) : [];
  return paths.map(([path, body]) => {
    const list = isObject(body) ? body['capabilities'] : undefined;
    if (!Array.isArray(list)) throw new PolicySyntaxError(`path "${path}": capabilities must be a list`);
    return rule(path, list.map(String));
  });
}

function rule(path: string, words: string[]): PathRule {
  const unknown = words.find((word) => !capabilities.includes(word as Capability));
  if (unknown !== undefined) throw new PolicySyntaxError(`path "${path}": invalid capability "${unknown}"`);
  if (path.includes('+*')) {
    throw new PolicySyntaxError(`path "${path}": invalid use of wildcards ('+*' is forbidden)`);
  }
  if (path.includes('{{')) throw new PolicySyntaxError(`path "${path}": templates are not evaluated here`);
  return { path: path.replace(/^\//, ''), capabilities: words as Capability[] };
}
