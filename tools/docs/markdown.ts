const notice = '<!-- Generated from the code by `npx pnpm@12 run docs`. Do not edit: change the code. -->';

/** A page that is made from the code. */
export function page(title: string, parts: string[]): string {
  return `${[`# ${title}`, notice, ...parts].join('\n\n')}\n`;
}

export function table(head: string[], rows: string[][]): string {
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function line(cells: string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}
