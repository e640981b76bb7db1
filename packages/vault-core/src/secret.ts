import { inspect } from 'node:util';

const masked = '[secret]';

/**
 * A token, client secret or key that must not be printed. Template strings, `JSON.stringify`, `console.log`
 * and pino show `[secret]`; only `reveal()` returns the value, so every place that uses it can be found by name.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The plain value. Call it where the value leaves for its destination and nowhere else. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return masked;
  }

  toJSON(): string {
    return masked;
  }

  [inspect.custom](): string {
    return masked;
  }
}
