import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import type { ReadStream } from 'node:tty';
import { UsageError } from './command.ts';

/** What a file holds, `-` for stdin, without the line's end. What is secret has no place among arguments: others see those. */
export async function readSecretFile(option: string, file: string): Promise<string> {
  try {
    const content = file === '-' ? await text(process.stdin) : readFileSync(file, 'utf8');
    return content.trim();
  } catch (error) {
    throw new UsageError(`${option} ${file} cannot be read: ${(error as NodeJS.ErrnoException).code}`);
  }
}

/** Asks for a secret at the terminal, without showing it; from a pipe takes all there is. */
export async function askSecret(question: string): Promise<string> {
  const { stdin, stderr } = process;
  if (!stdin.isTTY) return (await text(stdin)).trim();
  stderr.write(question);
  stdin.setRawMode(true);
  try {
    return (await readLine(stdin)).trim();
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
    stderr.write('\n');
  }
}

const interrupt = '\u0003';
const erase = '\u007F';

function readLine(stdin: ReadStream): Promise<string> {
  stdin.setEncoding('utf8').resume();
  let line = '';
  return new Promise((resolve, reject) => {
    stdin.on('data', function hear(chunk: string) {
      for (const character of chunk) {
        if (character === interrupt) return reject(new UsageError('interrupted'));
        if (character === '\r' || character === '\n') return resolve(line);
        line = character === erase ? line.slice(0, -1) : line + character;
      }
    });
  });
}
