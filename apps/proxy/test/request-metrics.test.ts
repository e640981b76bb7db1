import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { tally, timing } from '../src/request-metrics.ts';

function figure() {
  const registry = new Registry();
  return { registry, name: 'figure', help: 'A figure', registers: [registry] };
}

test('a counter counts each pair of labels by itself, and goes on from one scrape to the next', async () => {
  const { registry, ...rest } = figure();
  const count = tally({ ...rest, labelNames: ['integration', 'status'] });
  count('github', '2xx');
  await registry.metrics();
  count('github', '2xx');
  count('github', '4xx');
  count('slack', '2xx');

  expect((await registry.metrics()).split('\n')).toEqual([
    '# HELP figure A figure',
    '# TYPE figure counter',
    'figure{integration="github",status="2xx"} 2',
    'figure{integration="github",status="4xx"} 1',
    'figure{integration="slack",status="2xx"} 1',
    '',
  ]);
});

test('a histogram counts what took as long as a bound under that bound, and all of it without end', async () => {
  const { registry, ...rest } = figure();
  const observe = timing({ ...rest, labelName: 'integration', buckets: [0.5, 1] });
  for (const seconds of [0.25, 0.5, 0.75, 4]) observe('github', seconds);

  expect((await registry.metrics()).split('\n')).toEqual([
    '# HELP figure A figure',
    '# TYPE figure histogram',
    'figure_bucket{le="0.5",integration="github"} 2',
    'figure_bucket{le="1",integration="github"} 3',
    'figure_bucket{le="+Inf",integration="github"} 4',
    'figure_sum{integration="github"} 5.5',
    'figure_count{integration="github"} 4',
    '',
  ]);
});

test('a label that holds a quote does not break the text', async () => {
  const { registry, ...rest } = figure();
  tally({ ...rest, labelNames: ['integration'] })('a"b\n');

  expect(await registry.metrics()).toContain(String.raw`figure{integration="a\"b\n"} 1`);
});
