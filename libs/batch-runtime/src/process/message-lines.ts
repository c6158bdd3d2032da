const lineEnd = 0x0a;

/**
 * Messages between a worker and its processes: a line of JSON each. The other ends are python/mooring_batch/lines.py and
 * rows/rows-process.ts. Throws when a line is longer than `lineBytesMax` or no JSON object.
 */
export function messageDecoder(
  lineBytesMax: number,
  onMessage: (message: Record<string, unknown>) => void,
): (bytes: Buffer) => void {
  let parts: Buffer[] = [];
  let held = 0;
  return (bytes) => {
    let from = 0;
    for (let end = bytes.indexOf(lineEnd); end !== -1; end = bytes.indexOf(lineEnd, from)) {
      const line = Buffer.concat([...parts, bytes.subarray(from, end)]);
      parts = [];
      held = 0;
      from = end + 1;
      onMessage(objectOf(line));
    }
    if (from === bytes.length) return;
    parts.push(bytes.subarray(from));
    held += bytes.length - from;
    if (held > lineBytesMax) throw new RangeError(`a message of more than ${lineBytesMax} bytes`);
  };
}

function objectOf(line: Buffer): Record<string, unknown> {
  const value = JSON.parse(line.toString('utf8')) as unknown;
  if (typeof value !== 'object' || value === null) throw new RangeError('a message that is no object');
  return value as Record<string, unknown>;
}

export function messageLine(message: object): string {
  return `${JSON.stringify(message)}\n`;
}
