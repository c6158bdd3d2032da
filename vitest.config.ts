import { defineConfig } from 'vitest/config';

const measuring = ['change', 'explain', 'overload'].map((name) => `apps/platform/e2e/${name}.e2e.spec.ts`);
const e2e = { testTimeout: 180_000, hookTimeout: 300_000, retry: 1 };

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['libs/**/*.spec.ts', 'apps/*/src/**/*.spec.ts', 'tools/**/*.spec.ts', 'load-tests/**/*.spec.ts'],
          exclude: ['**/node_modules/**', '**/*.{integration,conformance}.spec.ts'],
        },
      },
      {
        test: {
          name: 'integration',
          include: [
            'libs/**/*.integration.spec.ts',
            'apps/*/src/**/*.integration.spec.ts',
            'tools/**/*.integration.spec.ts',
            'load-tests/**/*.integration.spec.ts',
          ],
          exclude: ['**/node_modules/**'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          // Real processes on a machine that others use, too. The output names each test that needed its second try.
          retry: 1,
        },
      },
      {
        // Against programs of others that not every machine can build; `tools/test` says so where it leaves them out.
        test: {
          name: 'conformance',
          include: ['libs/**/*.conformance.spec.ts'],
          exclude: ['**/node_modules/**'],
          testTimeout: 180_000,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['apps/platform/e2e/**/*.e2e.spec.ts'],
          exclude: ['**/node_modules/**', ...measuring],
          ...e2e,
        },
      },
      {
        // Their figures mean something only while no other platform runs.
        test: { name: 'e2e-measuring', include: measuring, ...e2e, fileParallelism: false },
      },
    ],
  },
});
