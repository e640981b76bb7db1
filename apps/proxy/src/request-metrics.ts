import type { Metric, MetricValue, Registry } from 'prom-client';

/*
 * Figures that every request adds to. The library sorts, joins and checks the labels at each step; here that is left until
 * somebody asks for the figures.
 */

interface Figure {
  name: string;
  help: string;
  registers: Registry[];
}

type Value = MetricValue<string> & { metricName?: string };

function register(
  { registers, ...figure }: Figure,
  type: 'counter' | 'histogram',
  values: () => Value[],
): void {
  const metric = { ...figure, aggregator: 'sum', get: async () => ({ ...figure, type, values: values() }) };
  // All that a registry asks of one.
  for (const registry of registers) registry.registerMetric(metric as unknown as Metric);
}

/** A counter with one label or two: counts one more for these values of them. */
export function tally({
  labelNames: [outer, inner],
  ...figure
}: Figure & { labelNames: readonly [string, string?] }) {
  const counts = new Map<string, Map<string, number>>();
  const labelsOf = (first: string, second: string): Record<string, string> =>
    inner === undefined ? { [outer]: first } : { [outer]: first, [inner]: second };
  register(figure, 'counter', () =>
    [...counts].flatMap(([first, seconds]) =>
      Array.from(seconds, ([second, value]) => ({ labels: labelsOf(first, second), value })),
    ),
  );
  return (first: string, second = ''): void => {
    let seconds = counts.get(first);
    if (seconds === undefined) counts.set(first, (seconds = new Map()));
    seconds.set(second, (seconds.get(second) ?? 0) + 1);
  };
}

interface Times {
  /** How many lie between a bound and the one before it; the last are beyond all bounds. */
  counts: number[];
  sum: number;
}

/** A histogram with one label: counts what took so many seconds. */
export function timing({
  labelName,
  buckets,
  ...figure
}: Figure & { labelName: string; buckets: readonly number[] }) {
  const times = new Map<string, Times>();
  const valuesOf = ([label, { counts, sum }]: [string, Times]): Value[] => {
    const labels = { [labelName]: label };
    let count = 0;
    const cumulative = counts.map((each, index) => ({
      metricName: `${figure.name}_bucket`,
      labels: { le: buckets[index] ?? '+Inf', ...labels },
      value: (count += each),
    }));
    const whole = (part: string, value: number) => ({ metricName: `${figure.name}_${part}`, labels, value });
    return [...cumulative, whole('sum', sum), whole('count', count)];
  };
  register(figure, 'histogram', () => [...times].flatMap(valuesOf));
  return (label: string, seconds: number): void => {
    let own = times.get(label);
    if (own === undefined) times.set(label, (own = { counts: Array(buckets.length + 1).fill(0), sum: 0 }));
    let index = 0;
    while (seconds > (buckets[index] ?? Infinity)) index += 1;
    own.counts[index]! += 1;
    own.sum += seconds;
  };
}
