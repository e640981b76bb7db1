import type { Member } from '../fleet/member.ts';

/** Notices processes that end although nobody made them. */
export class Crashes {
  readonly found: string[] = [];
  readonly #expected = new Set<number>();

  /** Also for a process that was started again. */
  watch(member: Member): void {
    const { name, pid } = member;
    void member.ended.then((how) => {
      if (!this.#expected.has(pid)) this.found.push(`${name} ended by itself: ${how}`);
    });
  }

  /** This process is about to be ended. */
  expect({ pid }: Member): void {
    this.#expected.add(pid);
  }
}
