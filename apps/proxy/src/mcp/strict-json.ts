/** Deeper than any message has a reason to be. */
const maxDepth = 64;

/**
 * Reads JSON that every parser reads alike: UTF-8 without a mark at its beginning, no key twice in one object, however it is
 * written, and not too deep. Throws an Error that says what is wrong, and quotes nothing.
 */
export function parseStrictly(bytes: Uint8Array): unknown {
  const text = decode(bytes);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error('it is not JSON');
  }
  refuseAmbiguity(text);
  return value;
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Error('it is not UTF-8');
  }
}

/** Takes text that is JSON for certain. */
function refuseAmbiguity(text: string): void {
  /** The keys of each object that is open; `undefined` for an array. */
  const open: (Set<string> | undefined)[] = [];
  let isKeyNext = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (character === '{' || character === '[') {
      if (open.push(character === '{' ? new Set() : undefined) > maxDepth) throw new Error('it is too deep');
      isKeyNext = character === '{';
    } else if (character === '}' || character === ']') {
      open.pop();
      isKeyNext = false;
    } else if (character === ',') {
      isKeyNext = open.at(-1) !== undefined;
    } else if (character === '"') {
      const end = endOfString(text, at);
      if (isKeyNext) addKey(open.at(-1), text.slice(at, end));
      isKeyNext = false;
      at = end - 1;
    }
  }
}

function addKey(keys: Set<string> | undefined, written: string): void {
  // `"na\u006de"` is `"name"`.
  const key = JSON.parse(written) as string;
  if (keys?.has(key)) throw new Error('it has a key twice in one object');
  keys?.add(key);
}

/** The index after the quotation mark that ends the string which begins at `start`. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}
