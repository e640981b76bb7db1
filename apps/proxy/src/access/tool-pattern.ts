/** A tool name in which `*` stands for any part, also an empty one, made ready to be compared with many names. */
export function compileToolPattern(pattern: string): (tool: string) => boolean {
  const [head = '', ...others] = pattern.split('*');
  const tail = others.pop();
  if (tail === undefined) return (tool) => tool === pattern;
  return (tool) => {
    if (!tool.startsWith(head) || !tool.endsWith(tail)) return false;
    let from = head.length;
    for (const part of others) {
      const at = tool.indexOf(part, from);
      if (at === -1) return false;
      from = at + part.length;
    }
    return from <= tool.length - tail.length;
  };
}
