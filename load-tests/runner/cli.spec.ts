import { describe, expect, it } from 'vitest';
import { parseCommandLine } from './cli.ts';

const folders = ['/nowhere', `${import.meta.dirname}/..`];
const parse = (...args: string[]) => parseCommandLine(args, folders, { HOME: '/h', UNSET: undefined, FROM: 'system' });

describe('command line', () => {
  it('finds the script in the first folder that has it, and takes `run` as k6 does', () => {
    expect(parse('run', 'scenarios/smoke.ts')?.scriptPath).toMatch(/\/load-tests\/scenarios\/smoke\.ts$/);
    expect(parse('scenarios/smoke.ts')?.scriptFolder).toMatch(/\/load-tests\/scenarios$/);
  });

  it('adds -e to what the system has, where a name alone takes the value from there', () => {
    const environment = parse('scenarios/smoke.ts', '-e', 'KEY=a=b', '--env', 'FROM')?.environment;
    expect(environment).toEqual({ HOME: '/h', FROM: 'system', KEY: 'a=b' });
  });

  it('reads what replaces the script options', () => {
    const command = parse('-u', '3', '-d', '5s', '--stage', '1s:2,2s:0', '--tag', 'a=b', 'scenarios/smoke.ts');
    expect(command?.overrides).toEqual({
      vus: 3,
      duration: '5s',
      stages: [
        { duration: '1s', target: 2 },
        { duration: '2s', target: 0 },
      ],
      tags: { a: 'b' },
    });
  });

  it.each([
    [[], /name one script/],
    [['a.ts', 'b.ts'], /name one script/],
    [['scenarios/none.ts'], /there is no script .*none\.ts/],
    [['scenarios/smoke.ts', '--vus', '0'], /--vus: '0' is no whole number/],
    [['scenarios/smoke.ts', '-e', '=x'], /-e|--env: '=x' is not of the form/],
    [['scenarios/smoke.ts', '--out', 'influxdb=x'], /writes json=FILE only/],
    [['scenarios/smoke.ts', '--stage', '10'], /write for example 30s:20/],
    [['scenarios/smoke.ts', '--nonsense'], /--nonsense/],
  ])('refuses %j with a word of what is wrong', (args, message) => {
    expect(() => parse(...args)).toThrow(message);
  });

  it('asks for nothing else when help is wanted', () => {
    expect(parse('--help')).toBeUndefined();
  });
});
