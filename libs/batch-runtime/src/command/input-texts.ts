import type { JobStep } from '@mooring/domain';

/** What a step's line gets for each input: a value as it is, data by its path on this machine, or by its address where that is wanted. */
export function inputTexts({ inputs, paths = {} }: Pick<JobStep, 'inputs' | 'paths'>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, input]) => [
      name,
      input.kind === 'literal' ? input.text : input.direct ? input.uri : (paths[name] ?? ''),
    ]),
  );
}
