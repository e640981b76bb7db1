import type { RotationQuirk } from './quirks.ts';

type Answer = Record<string, unknown>;

/**
 * Lets refresh tokens that were used live on as a quirk has it. The server inside rotates strictly: a token that is used twice
 * ends its grant, so it must see each of them once.
 */
export class UsedRefreshTokens {
  readonly #successors = new Map<string, string>();
  readonly #answers = new Map<string, { answer: Answer; at: number }>();
  readonly #used = new Set<string>();

  /** What was answered to this token before, as long as it is answered again. */
  answerAgain(quirk: RotationQuirk | undefined, token: string, now: number): Answer | undefined {
    this.#used.add(token);
    const before = this.#answers.get(token);
    if (before === undefined) return undefined;
    if (typeof quirk === 'number') return now - before.at < quirk ? before.answer : undefined;
    const isConfirmed = this.#used.has(String(before.answer['refresh_token']));
    return quirk === 'untilUsed' && !isConfirmed ? before.answer : undefined;
  }

  /** The one that the server inside takes for this one. */
  current(quirk: RotationQuirk | undefined, token: string): string {
    if (quirk !== 'stays' && quirk !== 'overlaps') return token;
    let newest = token;
    for (let next; (next = this.#successors.get(newest)) !== undefined;) newest = next;
    return newest;
  }

  /** Remembers what came for a token, and returns what is told of it. */
  replaced(
    quirk: RotationQuirk | undefined,
    token: string,
    spent: string,
    answer: Answer,
    now: number,
  ): Answer {
    const told = quirk === 'stays' ? { ...answer, refresh_token: token } : answer;
    this.#successors.set(spent, String(answer['refresh_token']));
    this.#answers.set(token, { answer: told, at: now });
    return told;
  }
}
