/** What is wrong with all that came back on a connection; a last answer may be cut short. Text stands for bytes, as latin1. */
export function answersProblem(text: string, methods: readonly string[]): string | undefined {
  let rest = text;
  for (let index = 0; rest !== ''; index += 1) {
    if (index >= methods.length + 1) return 'more answers than requests';
    const end = rest.indexOf('\r\n\r\n');
    if (end === -1) return isBegun(rest) ? undefined : `no answer: ${JSON.stringify(rest.slice(0, 80))}`;
    const [status = '', ...fields] = rest.slice(0, end).split('\r\n');
    const [, code = ''] = /^HTTP\/1\.1 ([1-5]\d\d) [\t\x20-\x7e]*$/.exec(status) ?? [];
    if (code === '') return `a malformed status line: ${JSON.stringify(status)}`;
    const malformed = fields.find(
      (field) => !/^[!#$%&'*+.^_`|~0-9A-Za-z-]+: [\t\x20-\x7e\x80-\xff]*$/.test(field),
    );
    if (malformed !== undefined) return `a malformed field: ${JSON.stringify(malformed)}`;
    rest = rest.slice(end + 4);
    if (code.startsWith('1')) {
      // It is about the same request as the one that follows.
      index -= 1;
      continue;
    }
    const hasNoBody = code === '204' || code === '304' || (methods[index] === 'HEAD' && !looksLikeBody(rest));
    const after = hasNoBody ? rest : behindBody(rest, fields);
    if (after === undefined) return 'a malformed body';
    rest = after;
  }
  return undefined;
}

function isBegun(text: string): boolean {
  return 'HTTP/1.1 '.startsWith(text) || text.startsWith('HTTP/1.1 ');
}

/** What Node cannot parse is answered with a body, whatever the method seems to be. */
function looksLikeBody(text: string): boolean {
  return text !== '' && !text.startsWith('HTTP/1.1 ');
}

/** What follows a body; empty if that is cut short, `undefined` if it is malformed. */
function behindBody(text: string, fields: readonly string[]): string | undefined {
  const of = (name: string) => fields.filter((field) => field.toLowerCase().startsWith(`${name}: `));
  const lengths = of('content-length');
  const codings = of('transfer-encoding');
  if (lengths.length + codings.length > 1) return undefined;
  if (lengths.length === 1) return text.slice(Number(/\d+$/.exec(lengths[0] ?? '')?.[0]));
  // HTTP/1.0: until the end.
  if (codings.length === 0) return '';
  let rest = text;
  for (;;) {
    const [line, size] = /^([0-9a-f]+)\r\n/i.exec(rest) ?? [];
    if (line === undefined || size === undefined) return /^[0-9a-f]*\r?$/i.test(rest) ? '' : undefined;
    rest = rest.slice(line.length);
    const length = parseInt(size, 16);
    if (length === 0) break;
    if (rest.length < length + 2) return '';
    if (rest.slice(length, length + 2) !== '\r\n') return undefined;
    rest = rest.slice(length + 2);
  }
  const trailers = /^(?:[^\r\n]+\r\n)*\r\n/.exec(rest)?.[0];
  return trailers === undefined ? '' : rest.slice(trailers.length);
}
