export function printJson(value: unknown): void {
  console.log(JSON.stringify(value, null, 2));
}

/** The lines of a table; the first row says how many columns there are. */
function inColumns(rows: string[][]): string[] {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

export function printTable(rows: string[][]): void {
  for (const line of inColumns(rows)) console.log(line);
}

/** A text of somebody else's must not drive the terminal. */
export function printable(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, '?');
}
