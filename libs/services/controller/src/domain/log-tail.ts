/** The log of one instance: a line that says whose it is, and its lines, oldest first. */
export interface LogPart {
  header: string;
  lines: readonly string[];
}

/**
 * The newest `tail` lines of several instances' logs, the newest instance last. Headers are extra. When not all lines fit,
 * older instances give way first.
 */
export function mergeLogs(parts: readonly LogPart[], tail: number): string {
  let left = tail;
  const shown: string[] = [];
  for (const part of parts.toReversed()) {
    const lines = left > 0 ? part.lines.slice(-left) : [];
    left -= lines.length;
    if (lines.length === 0 && part !== parts.at(-1)) continue;
    shown.unshift([part.header, ...lines].join('\n'));
  }
  return shown.length === 0 ? '' : `${shown.join('\n')}\n`;
}
