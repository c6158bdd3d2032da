import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { bashCompletion, completionWords } from './completion.ts';

const script = await bashCompletion();

/** What bash offers after these words; the last is the one that is being typed. */
function offered(...words: string[]): string[] {
  const call = `COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _mooring; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const output = execFileSync('bash', ['--norc', '-c', `${script}\n${call}`], { encoding: 'utf8' });
  return output.split('\n').filter((word) => word !== '');
}

describe('completion', () => {
  it('offers the nouns that there are', () => {
    expect(offered('mooring', 'onl')).toEqual(['online-endpoint', 'online-deployment']);
    expect(offered('mooring', 'batch')).toEqual(['batch-endpoint', 'batch-deployment']);
    expect(offered('mooring', 'serverless')).toEqual([]);
  });

  it('offers the verbs of a noun', () => {
    expect(offered('mooring', 'online-deployment', 'get')).toEqual(['get-logs']);
    expect(offered('mooring', 'completion', '')).toEqual(['bash', 'zsh']);
  });

  it('offers the flags of a command, of a noun that is one too', () => {
    expect(offered('mooring', 'online-endpoint', 'invoke', '--req')).toEqual(['--request-file']);
    expect(offered('mooring', 'up', '--top')).toEqual(['--topology']);
    expect(offered('mooring', 'online-endpoint', 'create', '-n', 'x', '--fi')).toEqual(['--file']);
  });

  it('offers no flag that is hidden or refused', async () => {
    const words = (await completionWords()).flatMap((line) => line.words);
    expect(words).not.toContain('--local');
    expect(words).not.toContain('--subscription');
  });
});
