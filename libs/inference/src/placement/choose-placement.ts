import type { ModelPlacement, Placement } from '@mooring/domain';

/** A longer run holds up others too much to be inlined. */
export const inlineRunUsMax = 300;
/** A longer run is worth the way to a thread and back, about 50 us, so that the event loop stays free. */
export const threadsRunUsMin = 1_000;

export interface Measured {
  /** One row, one run; 0 = it refused the made-up input. */
  runUs: number;
  /** Why it must not be inlined, whatever it takes. */
  unsafe: string | undefined;
}

type Choice = Pick<ModelPlacement, 'chosen' | 'why'>;

/** Where a model runs. A pin is kept except where it would put others at risk. */
export function choosePlacement(pinned: Placement, { runUs, unsafe }: Measured): Choice {
  const measured = runUs === 0 ? 'it refused made-up input, so it could not be measured' : `one run takes ${runUs} us`;
  if (pinned === 'process' || pinned === 'threads') {
    return { chosen: pinned, why: `mooring.placement says so; ${measured}` };
  }
  if (pinned === 'inline' && unsafe === undefined && runUs > 0) {
    return { chosen: 'inline', why: `mooring.placement says so; ${measured}` };
  }
  const refused = pinned === 'inline' ? `not inline as mooring.placement asks: ${unsafe ?? measured}; ` : '';
  if (runUs === 0) return { chosen: 'threads', why: refused + measured };
  if (runUs > threadsRunUsMin) {
    return { chosen: 'threads', why: `${refused}${measured}, too long to hold up the scorer (${threadsRunUsMin} us)` };
  }
  if (refused !== '') return { chosen: 'process', why: refused + measured };
  if (runUs > inlineRunUsMax) {
    return { chosen: 'process', why: `${measured}, too long to hold up other models (${inlineRunUsMax} us)` };
  }
  if (unsafe !== undefined) return { chosen: 'process', why: `${measured}, but ${unsafe}` };
  return { chosen: 'inline', why: `${measured}, and nothing that it is asked can take long or grow` };
}
