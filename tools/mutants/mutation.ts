import type { Selection } from './run-tests.ts';

/** One rule of the refresh taken out of the code, and the tests that must notice. */
export interface Mutation extends Selection {
  /** What is missing: a row of the table that is printed. */
  without: string;
  /** Below the root of the workspace. */
  file: string;
  /** Stands in the file exactly once. */
  text: string;
  replacement: string;
}
