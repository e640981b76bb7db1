import { z } from 'zod';

const defaultSeconds = 24 * 3600;

/** How long the secret before a new one stays good beside it. The body may be left out. */
export const rotation = z
  .strictObject({
    overlapSeconds: z
      .int()
      .min(0)
      .max(7 * 24 * 3600)
      .default(defaultSeconds),
  })
  .nullish()
  .transform((body) => body ?? { overlapSeconds: defaultSeconds });
