import { failureTable, type FailureCase } from '../../packages/refresh/test/hazards/failure-table.ts';
import { page, table } from './markdown.ts';

export function failuresPage(): string {
  return page('Failures', [
    'What happens to a credential when its refresh fails. Every row is a test: a worker gets this answer, and nothing happens but what the row says. The stored tokens are never touched.',
    table(
      ['Class', 'Meaning'],
      [
        ['permanent', 'The grant is gone. Nothing is tried until the user connects again.'],
        ['transient', 'The provider is failing for now. The refresh is retried with a backoff.'],
        [
          'throttled',
          'Too many requests. The credential waits as long as the provider asks, all others of the integration for up to 5 minutes.',
        ],
        ['operator', 'The operator has to fix something. No credential is given up because of it.'],
        ['lost_response', 'The provider may have issued tokens that did not arrive.'],
      ],
    ),
    'The backoff doubles from 2 seconds up to an hour. An attempt is **in doubt** if the provider may have rotated the refresh token: if it then refuses the stored one, the user has to connect again, and the reason is `response_lost` instead of the provider’s. If no answer came at all, nobody asks again before the deadline of the attempt. `oidc` stands for every provider that follows the RFCs.',
    table(
      ['Provider', 'Meaning', 'Answer', 'Class', 'Event', 'Credential', 'Job', 'Next try', 'Attempt'],
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
