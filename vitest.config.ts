import { readdirSync } from 'node:fs';
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
    reporters: ['verbose'],
    coverage: { include: ['packages/*/src/**', 'apps/*/src/**'] },
  },
});
