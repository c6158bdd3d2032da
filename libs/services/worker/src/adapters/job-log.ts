import { createWriteStream, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';

const bytesMax = 16 * 2 ** 20;

/** The log of one process of a job; what is too much is left out, and that is said in it. */
export function createJobLog(folder: string, name: string): Writable {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = createWriteStream(join(folder, `${name}.log`), { flags: 'a', mode: 0o600 });
  // A full disk must not end the worker; what the process said is lost then.
  file.on('error', () => undefined);
  let written = 0;
  return new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      if (written > bytesMax) return done();
      written += chunk.byteLength;
      if (written > bytesMax) file.write('... the rest is left out: this log is full\n');
      else file.write(chunk);
      done();
    },
    final: (done) => file.end(done),
  });
}
