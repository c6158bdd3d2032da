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
  'batch-endpoint': {
    summary: 'Stable addresses that make jobs over many files',
    verbs: {
      create: () => import('./commands/batch-endpoint/create.ts'),
      update: () => import('./commands/batch-endpoint/update.ts'),
      show: () => import('./commands/batch-endpoint/show.ts'),
      list: () => import('./commands/batch-endpoint/list.ts'),
      delete: () => import('./commands/batch-endpoint/delete.ts'),
      invoke: () => import('./commands/batch-endpoint/invoke.ts'),
      'list-jobs': () => import('./commands/batch-endpoint/list-jobs.ts'),
      'get-credentials': () => import('./commands/batch-endpoint/get-credentials.ts'),
      'regenerate-keys': () => import('./commands/batch-endpoint/regenerate-keys.ts'),
    },
  },
  'batch-deployment': {
    summary: 'What the jobs of a batch endpoint run: a model and its code, or a pipeline',
    verbs: {
      create: () => import('./commands/batch-deployment/create.ts'),
      update: () => import('./commands/batch-deployment/update.ts'),
      show: () => import('./commands/batch-deployment/show.ts'),
      list: () => import('./commands/batch-deployment/list.ts'),
      delete: () => import('./commands/batch-deployment/delete.ts'),
      'list-jobs': () => import('./commands/batch-deployment/list-jobs.ts'),
    },
  },
  job: {
    summary: 'Runs of batch endpoints',
    verbs: {
      show: () => import('./commands/job/show.ts'),
      list: () => import('./commands/job/list.ts'),
      stream: () => import('./commands/job/stream.ts'),
      cancel: () => import('./commands/job/cancel.ts'),
      download: () => import('./commands/job/download.ts'),
      resume: () => import('./commands/job/resume.ts'),
      verify: () => import('./commands/job/verify.ts'),
      'get-logs': () => import('./commands/job/get-logs.ts'),
    },
    laterVerbs: {
      create: 'jobs without an endpoint',
      archive: 'archived jobs',
      restore: 'archived jobs',
      update: 'changes of a job’s tags',
    },
  },
  data: {
    summary: 'Registered data',
    verbs: {
      create: () => import('./commands/data/create.ts'),
      show: () => import('./commands/data/show.ts'),
      list: () => import('./commands/data/list.ts'),
      update: () => import('./commands/data/update.ts'),
      archive: () => import('./commands/data/archive.ts'),
      restore: () => import('./commands/data/restore.ts'),
    },
    laterVerbs: { import: 'imports of data', mount: 'mounts of data', share: 'shared registries' },
  },
  component: {
    summary: 'Steps of pipelines, and pipelines',
    verbs: {
      create: () => import('./commands/component/create.ts'),
      show: () => import('./commands/component/show.ts'),
      list: () => import('./commands/component/list.ts'),
      update: () => import('./commands/component/update.ts'),
      archive: () => import('./commands/component/archive.ts'),
      restore: () => import('./commands/component/restore.ts'),
    },
    laterVerbs: { share: 'shared registries' },
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
  'serverless-endpoint': { summary: 'Catalog models by the token', later: 'serverless endpoints' },
  'marketplace-subscription': { summary: 'Offers of vendor models', later: 'marketplace subscriptions' },
};
