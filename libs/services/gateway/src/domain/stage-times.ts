import type { ScoreReply } from '@mooring/scoring-stream';

/** Where the time of a request went, in ms. The parts add up to the whole, because `transport` is what is left over. */
export interface StageTimes {
  read: number;
  auth: number;
  route: number;
  transport: number;
  queue: number;
  batchWait: number;
  preprocess: number;
  compute: number;
  postprocess: number;
  write: number;
}

export const stageNames = [
  'read',
  'auth',
  'route',
  'transport',
  'queue',
  'batchWait',
  'preprocess',
  'compute',
  'postprocess',
  'write',
] as const satisfies readonly (keyof StageTimes)[];

/** Marks on one clock, in ms. A mark that was never reached is undefined: the request ended before it. */
export interface Marks {
  began: number;
  authenticated: number | undefined;
  bodyRead: number | undefined;
  answered: number | undefined;
  ended: number;
}

/**
 * Stage times from the gateway's own marks and what the router and the instance say of theirs. Their clocks differ from
 * ours, so what they report can exceed the time that passed here by a little: then it is scaled down to fit.
 */
export function stageTimes(marks: Marks, reply: ScoreReply | undefined): StageTimes {
  const answered = marks.answered ?? marks.ended;
  const authenticated = marks.authenticated ?? answered;
  const bodyRead = marks.bodyRead ?? answered;
  const inside = answered - bodyRead;
  const timing = reply?.timing;
  const reported = ((reply?.routerUs ?? 0) + (timing?.totalUs ?? 0)) / 1_000;
  const scale = reported > inside && reported > 0 ? inside / reported : 1;
  const ms = (us: number | undefined): number => ((us ?? 0) / 1_000) * scale;
  const parts = {
    route: ms(reply?.routerUs),
    queue: ms(timing?.queueUs),
    batchWait: ms(timing?.batchWaitUs),
    preprocess: ms(timing?.preprocessUs),
    compute: ms(timing?.computeUs),
    postprocess: ms(timing?.postprocessUs),
  };
  const named = parts.route + parts.queue + parts.batchWait + parts.preprocess + parts.compute + parts.postprocess;
  return {
    read: bodyRead - authenticated,
    auth: authenticated - marks.began,
    ...parts,
    transport: Math.max(0, inside - named),
    write: marks.ended - answered,
  };
}

/** Value of a `server-timing` header: the stages so far, in ms. */
export function serverTiming(times: StageTimes): string {
  let text = '';
  let total = 0;
  for (let index = 0; index < stageNames.length; index += 1) {
    const ms = times[stageNames[index] as keyof StageTimes];
    total += ms;
    if (ms > 0) text += (durations[index] as string) + thousandths(ms) + ', ';
  }
  return `${text}total;dur=${thousandths(total)}`;
}

const durations = stageNames.map((stage) => `${stage};dur=`);

const belowOne = Array.from({ length: 1_000 }, (_unused, us) => `0.${String(us).padStart(3, '0')}`);

/** Milliseconds to the microsecond, as `toFixed(3)` writes them; most are less than one, and looked up. */
export function thousandths(ms: number): string {
  const us = Math.round(ms * 1_000);
  return us >= 0 && us < 1_000 ? (belowOne[us] as string) : ms.toFixed(3);
}
