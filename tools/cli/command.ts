/** What `connectors {name}` does. */
export interface Command {
  /** One line, for the list of commands. */
  summary: string;
  usage: string;
  /** Whether it does something without any argument; else that shows how it is used. */
  takesNothing?: boolean;
  /** @throws UsageError, CommandError */
  run(args: string[]): Promise<void>;
}

/** The command line is wrong: exit code 2. */
export class UsageError extends Error {}

/** It could not be done: exit code 1. The message says what to do next. */
export class CommandError extends Error {}
