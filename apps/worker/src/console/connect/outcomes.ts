import type { Result } from './return-url.ts';

interface Outcome {
  title: string;
  /** What the user does next. */
  action: string;
}

interface Failure extends Outcome {
  /** What the application that the user came from is told. */
  result: Exclude<Result, 'connected'>;
  status: number;
}

/** Why nothing was connected. Events name these codes, and so does docs/connecting.md. */
export const failures = {
  consent_denied: {
    result: 'denied',
    status: 200,
    title: 'You declined',
    action: 'Nothing was connected. Start again if you did not mean to.',
  },
  state_unknown: {
    result: 'failed',
    status: 400,
    title: 'This sign-in is over',
    action:
      'You took too long, or opened this page twice: then the first time counts. Start again if nothing was connected.',
  },
  wrong_browser: {
    result: 'failed',
    status: 400,
    title: 'This began in another browser',
    action:
      'Or you opened another link meanwhile, which ended the session that this began in. Start again, and stay in this browser. If you did not begin it yourself, close this page.',
  },
  wrong_issuer: {
    result: 'failed',
    status: 400,
    title: 'The answer came from somewhere else',
    action: 'It is not from the provider that you were sent to, so nothing was connected. Start again.',
  },
  wrong_identity: {
    result: 'failed',
    status: 400,
    title: 'The answer belongs to another sign-in',
    action: 'Nothing was connected. Start again.',
  },
  unsolicited: {
    result: 'failed',
    status: 400,
    title: 'Connect from here',
    action:
      'The provider sent you here before you began. Open the link of the application that you want to connect.',
  },
  provider_refused: {
    result: 'failed',
    status: 502,
    title: 'The provider refused',
    action: 'Start again. If it refuses again, the operator has to check how the integration is set up.',
  },
  exchange_refused: {
    result: 'failed',
    status: 502,
    title: 'The provider gave no token',
    action: 'Start again. If it happens again, the operator has to check how the integration is set up.',
  },
  provider_unavailable: {
    result: 'failed',
    status: 502,
    title: 'The provider does not answer',
    action: 'Start again in a few minutes.',
  },
  fields_missing: {
    result: 'failed',
    status: 502,
    title: 'The provider left something out',
    action: 'Without it the connection could not be used, so nothing was connected. Start again.',
  },
  not_ready: {
    result: 'failed',
    status: 503,
    title: 'This integration is not set up',
    action: 'The operator has to register it at the provider and set its client id and secret.',
  },
  too_often: {
    result: 'failed',
    status: 429,
    title: 'Too many tries',
    action: 'Nothing was started. Wait ten minutes, then start again.',
  },
  tenant_offboarded: {
    result: 'failed',
    status: 410,
    title: 'This tenant is closed',
    action: 'It was closed in the meantime, so nothing was connected.',
  },
  vault_unavailable: {
    result: 'failed',
    status: 503,
    title: 'The connection cannot be saved now',
    action: 'Nothing was connected. Start again in a few minutes.',
  },
  not_saved: {
    result: 'failed',
    status: 503,
    title: 'The connection could not be saved',
    action: 'The access that the provider granted was revoked. Start again in a few minutes.',
  },
} as const satisfies Record<string, Failure>;

export type FailureCode = keyof typeof failures;

/** What is other than expected of a connection that stands. */
export const warnings = {
  fewer_scopes: {
    title: 'Not everything was granted',
    action: 'Calls that need the missing permissions will fail. To grant them, connect again.',
  },
  no_refresh_token: {
    title: 'It will expire',
    action: 'The provider gave no refresh token: you will have to connect again when it expires.',
  },
  other_account: {
    title: 'This is a different account than before',
    action: 'If that is a mistake, connect again with the account that you used before.',
  },
  several_sites: {
    title: 'There is more than one to choose from',
    action: 'The first one was taken. Choose another if you want to.',
  },
  fields_unknown: {
    title: 'Something is missing',
    action:
      'The provider did not tell everything that is needed to use the connection. Look it up again in a moment.',
  },
} as const satisfies Record<string, Outcome>;

export type WarningCode = keyof typeof warnings;

export function isFailure(code: string): code is FailureCode {
  return Object.hasOwn(failures, code);
}

export function isWarning(code: string): code is WarningCode {
  return Object.hasOwn(warnings, code);
}
