import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { nextCommand } from './next-command.ts';

it('leaves plain words as they are', () => {
  expect(nextCommand('down', '--data', '/var/lib/mooring-1.2')).toBe('tools/mooring down --data /var/lib/mooring-1.2');
});

it.each(['a b', "it's", '$(true)', '~', '', 'a\nb', '"', '*'])('a shell reads %j as one word', (word) => {
  const line = nextCommand(word).replace('tools/mooring', 'printf %s');
  expect(execFileSync('sh', ['-c', line], { encoding: 'utf8' })).toBe(word);
});
