import { expect, it } from 'vitest';
import { createContext, type Io } from './context.ts';

/** What a command prints that got `value` from a server. */
async function printed(output: 'table' | 'json', value: unknown, table?: () => string): Promise<string> {
  let text = '';
  const io = { out: (piece: string) => void (text += piece), err: () => undefined } as unknown as Io;
  const context = createContext({ output, query: undefined } as never, io, new AbortController().signal);
  await context.print(value, table === undefined ? {} : { table });
  return text;
}

it('does not let names that a model or a server chose write to the terminal', async () => {
  const name = '\u001b[2J\u009b31mred\r';
  expect(await printed('table', [{ where: name }])).toMatch(/\?\[2J\?31mred/);
  expect(await printed('table', [], () => `Copies  luca (differs at ${name})\n  next line`)).toBe(
    'Copies  luca (differs at ?[2J?31mred?)\n  next line\n',
  );
  expect(JSON.parse(await printed('json', [{ where: name }]))).toEqual([{ where: name }]);
});
