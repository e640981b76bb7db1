import { parseDocument } from 'yaml';
import { z } from 'zod';

const fileSchema = z.strictObject({ integrations: z.record(z.string(), z.unknown()) });

/**
 * Reads the map `integrations` out of the text of `connectors.yaml`; the entries are not judged yet.
 *
 * @returns problems that name the line but never quote it, since somebody may have written a secret there
 */
export function readConnectorsFile(text: string): { entries: [string, unknown][]; problems: string[] } {
  const document = parseDocument(text);
  if (document.errors.length > 0) {
    return refused(
      document.errors.map(({ code, linePos }) => `not valid YAML, line ${linePos?.[0].line}: ${code}`),
    );
  }
  if (document.contents === null) return { entries: [], problems: [] };

  const content = toPlainData(document);
  if (content === undefined) return refused(['aliases are unknown or too many']);
  const file = fileSchema.safeParse(content);
  if (!file.success) {
    return refused(file.error.issues.map(({ path, message }) => [...path, message].map(String).join(': ')));
  }
  // `name:` with nothing below it switches the integration on without overrides.
  return {
    entries: Object.entries(file.data.integrations).map(([id, entry]) => [id, entry ?? {}]),
    problems: [],
  };
}

function toPlainData(document: ReturnType<typeof parseDocument>): unknown {
  try {
    return document.toJS();
  } catch {
    return undefined;
  }
}

function refused(problems: string[]): { entries: [string, unknown][]; problems: string[] } {
  return { entries: [], problems: problems.map((problem) => `connectors.yaml: ${problem}`) };
}
