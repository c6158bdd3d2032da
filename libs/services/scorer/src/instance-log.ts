import { pino, type Logger } from 'pino';

const letters: Readonly<Record<number, string>> = { 10: 'D', 20: 'D', 30: 'I', 40: 'W', 50: 'E', 60: 'E' };

/**
 * The instance's own lines between the prints of the user's script, in the form of Azure's inference server:
 * `2026-01-31 12:00:00,000 I [4711] mooring - model loaded in 120 ms`.
 */
export function instanceLog(write: (line: string) => void, level: string): Logger {
  return pino({ level, base: null }, { write: (line: string) => write(formatLine(line)) });
}

function formatLine(json: string): string {
  const { level, time, msg, err } = JSON.parse(json) as {
    level: number;
    time: number;
    msg?: string;
    err?: { stack?: string; message?: string };
  };
  const when = new Date(time).toISOString().replace('T', ' ').replace('.', ',').replace('Z', '');
  const cause = err === undefined ? '' : `: ${err.stack ?? err.message ?? ''}`;
  return `${when} ${letters[level] ?? 'I'} [${process.pid}] mooring - ${msg ?? ''}${cause}\n`;
}
