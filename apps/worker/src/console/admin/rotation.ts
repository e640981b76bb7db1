import { z } from 'zod';

/** How long the secret before a new one stays good beside it. The body may be left out. */
export const rotation = z.preprocess(
  (body) => body ?? {},
  z.strictObject({
    overlapSeconds: z
      .int()
      .min(0)
      .max(7 * 24 * 3600)
      .default(24 * 3600),
  }),
);
