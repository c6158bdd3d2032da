import type { Command } from './command.ts';

type Load = () => Promise<{ command: Command }>;

export interface Noun {
  summary: string;
  /** A noun without verbs is a command itself. */
  load?: Load;
  verbs?: Readonly<Record<string, Load>>;
  /** What comes later: the noun is known, and says so. */
  later?: string;
  /** Verbs of `az ml` that come later, with the capability that they wait for. */
  laterVerbs?: Readonly<Record<string, string>>;
}

/**
 * Every command, by its path: `online-endpoint create` is `commands/online-endpoint/create.ts`. Only the file of the
 * command that runs is loaded, so that `--help` is quick however many there are.
 */
export const nouns: Readonly<Record<string, Noun>> = {
  up: { summary: 'Start the platform', load: () => import('./commands/up.ts') },
  down: { summary: 'Stop the platform', load: () => import('./commands/down.ts') },
  restart: {
    summary: 'Replace processes of the platform while it serves',
    load: () => import('./commands/restart.ts'),
  },
  demo: {
    summary: 'Tell a story on the platform of the data folder, which is started if it does not run',
    verbs: { cars: () => import('./commands/demo/cars.ts') },
  },
  'online-endpoint': {
    summary: 'Stable addresses that score requests',
    verbs: {
      create: () => import('./commands/online-endpoint/create.ts'),
      update: () => import('./commands/online-endpoint/update.ts'),
      show: () => import('./commands/online-endpoint/show.ts'),
      list: () => import('./commands/online-endpoint/list.ts'),
      delete: () => import('./commands/online-endpoint/delete.ts'),
      invoke: () => import('./commands/online-endpoint/invoke.ts'),
      'get-credentials': () => import('./commands/online-endpoint/get-credentials.ts'),
      'regenerate-keys': () => import('./commands/online-endpoint/regenerate-keys.ts'),
      'mirror-report': () => import('./commands/online-endpoint/mirror-report.ts'),
      history: () => import('./commands/online-endpoint/history.ts'),
    },
  },
  'online-deployment': {
    summary: 'A model, its code and its environment behind an endpoint',
    verbs: {
      create: () => import('./commands/online-deployment/create.ts'),
      update: () => import('./commands/online-deployment/update.ts'),
      show: () => import('./commands/online-deployment/show.ts'),
      list: () => import('./commands/online-deployment/list.ts'),
      delete: () => import('./commands/online-deployment/delete.ts'),
      history: () => import('./commands/online-deployment/history.ts'),
      'get-logs': () => import('./commands/online-deployment/get-logs.ts'),
      autotune: () => import('./commands/online-deployment/autotune.ts'),
    },
  },
  model: {
    summary: 'Registered models',
    verbs: {
      create: () => import('./commands/model/create.ts'),
      show: () => import('./commands/model/show.ts'),
      list: () => import('./commands/model/list.ts'),
      update: () => import('./commands/model/update.ts'),
      archive: () => import('./commands/model/archive.ts'),
      restore: () => import('./commands/model/restore.ts'),
    },
    laterVerbs: { download: 'downloads of models', share: 'shared registries', package: 'packaged models' },
  },
  environment: {
    summary: 'Python packages that scoring scripts run in',
    verbs: {
      create: () => import('./commands/environment/create.ts'),
      show: () => import('./commands/environment/show.ts'),
      list: () => import('./commands/environment/list.ts'),
      update: () => import('./commands/environment/update.ts'),
      archive: () => import('./commands/environment/archive.ts'),
      restore: () => import('./commands/environment/restore.ts'),
    },
    laterVerbs: { share: 'shared registries' },
  },
  request: {
    summary: 'Requests that were answered lately',
    verbs: { explain: () => import('./commands/request/explain.ts') },
  },
  audit: { summary: 'Who changed what', verbs: { list: () => import('./commands/audit/list.ts') } },
  version: { summary: 'Versions of Mooring and Node', load: () => import('./commands/version.ts') },
  completion: {
    summary: 'Completion for a shell',
    verbs: { bash: () => import('./commands/completion/bash.ts'), zsh: () => import('./commands/completion/zsh.ts') },
  },
  'batch-endpoint': { summary: 'Jobs over many files', later: 'batch endpoints' },
  'batch-deployment': { summary: 'What a batch endpoint runs', later: 'batch deployments' },
  job: { summary: 'Runs of batch endpoints', later: 'jobs' },
  'serverless-endpoint': { summary: 'Catalog models by the token', later: 'serverless endpoints' },
  'marketplace-subscription': { summary: 'Offers of vendor models', later: 'marketplace subscriptions' },
  data: { summary: 'Registered data', later: 'data assets' },
};
