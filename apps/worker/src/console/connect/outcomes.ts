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
    action: 'It took too long, or this page was opened twice. Start again.',
  },
  wrong_browser: {
    result: 'failed',
    status: 400,
    title: 'This began in another browser',
    action: 'Start again, and stay in this browser. If you did not begin it yourself, close this page.',
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
    action:
      'Start again. If it refuses again, whoever runs this has to look at how the integration is set up.',
  },
  exchange_refused: {
    result: 'failed',
    status: 502,
    title: 'The provider gave no token',
    action:
      'Start again. If it happens again, whoever runs this has to look at how the integration is set up.',
  },
  provider_unavailable: {
    result: 'failed',
    status: 502,
    title: 'The provider does not answer',
    action: 'Start again in some minutes.',
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
    action: 'Whoever runs this has to give it its credentials at the provider.',
  },
  too_often: {
    result: 'failed',
    status: 429,
    title: 'Too many tries',
    action: 'Nothing was begun. Wait ten minutes, then start again.',
  },
  tenant_offboarded: {
    result: 'failed',
    status: 410,
    title: 'This tenant is closed',
    action: 'It was closed while you were on your way, so nothing was connected.',
  },
  vault_unavailable: {
    result: 'failed',
    status: 503,
    title: 'The connection cannot be saved now',
    action: 'Nothing was connected. Start again in some minutes.',
  },
  not_saved: {
    result: 'failed',
    status: 503,
    title: 'The connection could not be saved',
    action: 'What the provider granted was given back to it. Start again in some minutes.',
  },
} as const satisfies Record<string, Failure>;

export type FailureCode = keyof typeof failures;

/** What is other than expected of a connection that stands. */
export const warnings = {
  fewer_scopes: {
    title: 'Not all was granted',
    action: 'What needs the missing permissions will fail. Connect again and grant them.',
  },
  no_refresh_token: {
    title: 'It will end by itself',
    action: 'The provider gave nothing to renew it with: you will have to connect again when it expires.',
  },
  other_account: {
    title: 'It is another account than before',
    action: 'If that is a mistake, connect again with the account that you used before.',
  },
  several_sites: {
    title: 'There is more than one to choose from',
    action: 'The first one was taken. Choose another if you want to.',
  },
  fields_unknown: {
    title: 'Something is not known yet',
    action:
      'The provider did not say all that is needed to use the connection. Look it up again in a moment.',
  },
} as const satisfies Record<string, Outcome>;

export type WarningCode = keyof typeof warnings;

export function isFailure(code: string): code is FailureCode {
  return Object.hasOwn(failures, code);
}

export function isWarning(code: string): code is WarningCode {
  return Object.hasOwn(warnings, code);
}
