import { failureTable, type FailureCase } from '../../packages/refresh/test/hazards/failure-table.ts';
import { page, table } from './markdown.ts';

export function failuresPage(): string {
  return page('Failures', [
    'What becomes of a credential when its refresh fails. Every row is a test: a worker meets this answer, and what the row says is all that happens. The tokens that are stored stay untouched in every row.',
    table(
      ['Class', 'Meaning'],
      [
        ['permanent', 'The grant is gone. Nothing is tried until the user connects again.'],
        ['transient', 'The provider fails for now.'],
        [
          'throttled',
          'Too many requests. The whole integration waits as long as the provider asks, up to 5 minutes; the credential waits to the end.',
        ],
        ['operator', 'The operator has to mend something. No credential is given up for it.'],
        ['lost_response', 'The provider may have issued tokens that did not arrive.'],
      ],
    ),
    'A backoff doubles from 2 seconds to an hour. An attempt is **in doubt** when the provider may have rotated the refresh token: if it then calls the stored one dead, the credential needs its user with the reason `response_lost`, and not the provider’s. Where no answer came at all, nobody asks again before the deadline of the attempt. `oidc` stands for every provider that does as the RFCs say.',
    table(
      ['Provider', 'It says', 'Answer', 'Class', 'Event', 'Credential', 'Job', 'Next try', 'Attempt'],
      failureTable.map((row) => [
        row.provider,
        row.says,
        describeAnswer(row.answer),
        row.class,
        `\`${row.event}\`: \`${row.reason}\``,
        `\`${row.status}\``,
        row.job,
        typeof row.nextTry === 'number' ? `after ${row.nextTry} s` : row.nextTry,
        row.attempt,
      ]),
    ),
  ]);
}

function describeAnswer(answer: FailureCase['answer']): string {
  if (answer === 'cut') return 'none';
  const { status, headers = {}, body } = answer;
  const told = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return [String(status), ...told, ...(typeof body === 'object' ? [JSON.stringify(body)] : [])]
    .map((part) => `\`${part}\``)
    .join(' ');
}
