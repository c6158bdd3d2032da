import type { Step } from '@mooring/sdk';

/** Shows what long work is doing, on stderr. */
export interface Progress {
  step(step: Step): void;
  /** Removes what is shown only while it works. */
  end(): void;
}

export interface Terminal {
  /** Writes to stderr. */
  write(text: string): void;
  /** One line is rewritten; else each new step is a line of its own. */
  isTty: boolean;
  columns: number;
}

const tickMs = 1000;

/** Steps with the seconds since the start. `now` gives ms. */
export function startProgress(terminal: Terminal, now: () => number = Date.now): Progress {
  const startedAt = now();
  let shown = '';
  let line = '';
  const seconds = (): string => `${Math.round((now() - startedAt) / 1000)} s`;
  const draw = (): void => {
    const text = `${line} (${seconds()})`.slice(0, Math.max(20, terminal.columns - 1));
    if (line !== '') terminal.write(`\r\x1b[K${text}`);
  };
  const timer = terminal.isTty ? setInterval(draw, tickMs) : undefined;
  timer?.unref();
  return {
    step: ({ step, percentComplete }) => {
      line = percentComplete === undefined ? step : `${step} ${percentComplete} %`;
      if (terminal.isTty) draw();
      else if (step !== shown) terminal.write(`[${seconds()}] ${step}\n`);
      shown = step;
    },
    end: () => {
      clearInterval(timer);
      if (terminal.isTty && line !== '') terminal.write('\r\x1b[K');
    },
  };
}

export const noProgress: Progress = { step: () => undefined, end: () => undefined };
