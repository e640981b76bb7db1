import { z } from 'zod';

/** How a provider wants to be asked to revoke a token. */
export const revocationSchema = z.strictObject({
  method: z.enum(['POST', 'DELETE']),
  /**
   * Who asks: `client` as in a token request, `basic` the client in a header whatever it does there, `bearer` whoever
   * has the token, `client_scheme` the secret behind the word `Client` and the id in the body, `none` nobody.
   */
  authentication: z.enum(['client', 'basic', 'bearer', 'client_scheme', 'none']),
  body: z.enum(['form', 'json', 'none']),
  /** The parameter that carries the token. */
  parameter: z.string().min(1),
  /** Which of a grant's tokens it takes; `any`: the refresh token, if there is one. */
  takes: z.enum(['any', 'access', 'refresh']),
  /** Reasons of a refusal (an error code, or `http_{status}`) that say that the token was dead already. */
  alreadyRevoked: z.array(z.string()),
});
