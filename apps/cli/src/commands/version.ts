import { readFile } from 'node:fs/promises';
import { defineCommand } from '../command.ts';
import { repositoryRoot } from '../shared/repository.ts';

export const command = defineCommand({
  summary: 'Print the versions of Mooring and Node',
  flags: {},
  examples: ['mooring version', 'mooring version --query mooring -o tsv'],
  async run(_args, context) {
    const { version } = JSON.parse(await readFile(`${repositoryRoot}/package.json`, 'utf8')) as { version: string };
    await context.print({ mooring: version, node: process.version });
  },
});
