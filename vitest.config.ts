import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

const members = ['packages', 'apps'].flatMap((folder) =>
  readdirSync(new URL(folder, import.meta.url)).map((name) => `${folder}/${name}`),
);

export default defineConfig({
  test: {
    projects: [...members, 'tools'].map((root) => ({
      test: {
        name: root.replace(/^(packages|apps)\//, ''),
        root,
        include: ['test/**/*.test.ts'],
        testTimeout: 60_000,
        hookTimeout: 120_000,
        expect: { poll: { timeout: 10_000 } },
      },
    })),
    // Tests wait for processes more than they compute: with one worker less than cores, two cores would be half idle.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    reporters: ['verbose'],
    coverage: { include: ['packages/*/src/**', 'apps/*/src/**'] },
  },
});
