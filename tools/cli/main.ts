import { CommandError, UsageError, type Command } from './command.ts';
import { clients } from './clients/clients.ts';
import { disconnect, importTokens, offboard, refresh } from './credentials/change.ts';
import { connect } from './credentials/connect.ts';
import { events } from './credentials/events.ts';
import { list, show } from './credentials/list.ts';
import { doctor } from './doctor/doctor.ts';
import { keys } from './keys/keys.ts';

const commands: Record<string, Command> = {
  connect,
  list,
  show,
  refresh,
  disconnect,
  import: importTokens,
  offboard,
  events,
  keys,
  clients,
  doctor,
};

const usage = `usage: npx pnpm@12 connectors <command> [options]

${Object.entries(commands)
  .map(([name, { summary }]) => `  ${name.padEnd(11)} ${summary}`)
  .join('\n')}

connectors <command> --help lists its options. Commands talk to the console at CONSOLE_URL, with ADMIN_TOKEN; without them, to
the system that \`npx pnpm@12 start\` runs here. Exit codes: 0 done, 1 failed, 2 wrong command line.`;

const [name, ...args] = process.argv.slice(2);
process.exitCode = await main();

async function main(): Promise<number> {
  if (name === undefined || name === '--help' || name === '-h') return tell(usage, name === undefined);
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) return fail(`There is no command ${name}.\n\n${usage}`, 2);
  const isBare = args.length === 0 && command.takesNothing !== true;
  if (isBare || args.includes('--help') || args.includes('-h')) return tell(command.usage, isBare);
  try {
    await command.run(args);
    return 0;
  } catch (error) {
    if (error instanceof UsageError) return fail(`${error.message}\n\n${command.usage}`, 2);
    if (error instanceof CommandError) return fail(error.message, 1);
    throw error;
  }
}

/** Help that nobody asked for is no result. */
function tell(text: string, isMistake: boolean): number {
  if (isMistake) return fail(text, 2);
  console.log(text);
  return 0;
}

function fail(text: string, exitCode: number): number {
  console.error(text);
  return exitCode;
}
