/** YAML's whole milliseconds and seconds, and REST's ISO-8601 durations (azureml-contract 1): 3000 ms is `PT3S`. */

export function isoFromMs(ms: number): string {
  // Through text, so that 100 ms is 0.1 and not 0.1000000000000001.
  const seconds = (ms / 1000).toFixed(3).replace(/\.?0+$/, '');
  return `PT${seconds}S`;
}

export function isoFromSeconds(seconds: number): string {
  return `PT${seconds}S`;
}

const isoDuration = /^P(?:(\d+(?:\.\d+)?)D)?(?:T(?:(\d+(?:\.\d+)?)H)?(?:(\d+(?:\.\d+)?)M)?(?:(\d+(?:\.\d+)?)S)?)?$/i;

/** Whole milliseconds, or undefined where the text is no duration of days, hours, minutes and seconds. */
export function msFromIso(text: string): number | undefined {
  const match = isoDuration.exec(text);
  if (match === null || match.slice(1).every((part) => part === undefined)) return undefined;
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = match.slice(1).map((part) => Number(part ?? 0));
  return Math.round((((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000);
}
