/** Whose environment or rights a check looks at; `system` is what they share. */
export type Subject = 'worker' | 'proxy' | 'system';

/** What a check has found. */
export interface Finding {
  subject: Subject;
  /** A stable name, for programs. */
  check: string;
  /** `skipped`: it could not be looked at, and `fix` says what it takes. */
  status: 'ok' | 'warning' | 'failed' | 'skipped';
  /** What is the case, and what that means. Never a secret. */
  detail: string;
  /** What to do about it: a sentence that names the setting, or a command. */
  fix?: string;
}

/** Makes the findings about one subject. */
export function findingsOf(subject: Subject) {
  const finding =
    (status: 'warning' | 'failed' | 'skipped') =>
    (check: string, detail: string, fix: string): Finding => ({ subject, check, status, detail, fix });
  return {
    ok: (check: string, detail: string): Finding => ({ subject, check, status: 'ok', detail }),
    warning: finding('warning'),
    failed: finding('failed'),
    skipped: finding('skipped'),
  };
}
