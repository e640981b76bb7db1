import { z } from 'zod';

/** Where the value of a field comes from. If the value is a URL, `part: host` takes only its host. */
export const sourceSchema = z.union([
  /** A field of the token response; dots lead into objects. */
  z.strictObject({ response: z.string().min(1), part: z.literal('host').optional() }),
  /** A parameter of the callback. */
  z.strictObject({ callback: z.string().min(1), part: z.literal('host').optional() }),
  /** The answer of another address, asked with the new access token; dots lead into objects and lists. */
  z.strictObject({
    lookup: z.url({ protocol: /^https?$/ }),
    /** Through the first item of a list: where there are others, the user may choose another. */
    path: z.string().min(1),
    /** Where the name of that item stands. */
    label: z.string().min(1).optional(),
    part: z.literal('host').optional(),
  }),
]);

/** A part of an address or a header that differs, for example the id of an installation. */
export const fieldSchema = z.strictObject({
  /** A regular expression (flag `u`) for the value as a whole: it is anchored when it is used. */
  pattern: z.string().refine(isRegExp, 'must be a regular expression'),
  optional: z.boolean().optional(),
  /** The operator sets it for the whole integration, under `values`, and no credential brings its own. */
  configured: z.boolean().optional(),
  /** Of a configured one that the operator leaves out. */
  default: z.string().optional(),
  /** Left out: whoever connects the tenant is asked for it. */
  from: sourceSchema.optional(),
});

export type FieldRule = z.infer<typeof fieldSchema>;
export type ValueSource = z.infer<typeof sourceSchema>;

/** Whether a pattern is a valid regular expression. */
export function isRegExp(pattern: string): boolean {
  try {
    return new RegExp(pattern, 'u') instanceof RegExp;
  } catch {
    return false;
  }
}
