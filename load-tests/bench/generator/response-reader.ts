/** What of an answer the load generator looks at. */
export interface Answer {
  status: number;
  /** Header block in latin1, for refusals that must say when to come again. */
  head: string;
  /** Only of answers that are not 2xx, and at most the first few kilobytes. */
  body: string;
}

const headEnd = Buffer.from('\r\n\r\n');
const lineEnd = Buffer.from('\r\n');
const headBytesMax = 64 * 1024;
const keptBodyBytes = 4 * 1024;

/**
 * Cuts HTTP/1.1 responses to POST out of a connection's bytes. It parses only what framing needs; everything else would be
 * CPU that the server under test does not get. Throws when the bytes are no such response.
 */
export class ResponseReader {
  readonly #onAnswer: (answer: Answer) => void;
  /** The beginning of a head or chunk-size line whose end has not come yet. */
  #held: Buffer | undefined;
  #state: 'head' | 'body' | 'chunk-size' | 'chunk' | 'trailers' = 'head';
  #left = 0;
  #answer: Answer = { status: 0, head: '', body: '' };

  constructor(onAnswer: (answer: Answer) => void) {
    this.#onAnswer = onAnswer;
  }

  /** `bytes` may be reused by the caller afterwards. */
  push(bytes: Buffer): void {
    let input = bytes;
    if (this.#held !== undefined) {
      input = Buffer.concat([this.#held, bytes]);
      this.#held = undefined;
    }
    let at = 0;
    while (at < input.length) {
      const next = this.#step(input, at);
      if (next < 0) {
        if (input.length - at > headBytesMax) throw new Error('a response head that does not end');
        this.#held = Buffer.from(input.subarray(at));
        return;
      }
      at = next;
    }
  }

  /** Where to go on; negative when more bytes are needed. */
  #step(input: Buffer, at: number): number {
    if (this.#state === 'head') return this.#head(input, at);
    if (this.#state === 'body' || this.#state === 'chunk') return this.#content(input, at);
    const end = input.indexOf(lineEnd, at);
    if (end < 0) return -1;
    const line = input.toString('latin1', at, end);
    if (this.#state === 'chunk-size') this.#chunkSize(line);
    else if (line === '') this.#done();
    return end + 2;
  }

  #head(input: Buffer, at: number): number {
    const end = input.indexOf(headEnd, at);
    if (end < 0) return -1;
    const head = input.toString('latin1', at, end + 2);
    const status = Number(head.slice(9, 12));
    if (!head.startsWith('HTTP/1.') || !(status >= 100)) throw new Error(`not an HTTP answer: ${head.slice(0, 40)}`);
    this.#answer = { status, head, body: '' };
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    if (length !== undefined) {
      this.#state = 'body';
      this.#left = Number(length);
      if (this.#left === 0) this.#done();
    } else if (/\r\ntransfer-encoding: *chunked/i.test(head)) this.#state = 'chunk-size';
    else if (status >= 200 && status !== 204) throw new Error('an answer without a length');
    else if (status >= 200) this.#done();
    return end + 4;
  }

  #chunkSize(line: string): void {
    // The line end of the chunk before.
    if (line === '') return;
    const size = Number.parseInt(line, 16);
    if (!(size >= 0)) throw new Error(`not a chunk size: ${line.slice(0, 40)}`);
    this.#left = size;
    this.#state = size === 0 ? 'trailers' : 'chunk';
  }

  #content(input: Buffer, at: number): number {
    const end = Math.min(input.length, at + this.#left);
    if (this.#answer.status >= 300 && this.#answer.body.length < keptBodyBytes) {
      this.#answer.body += input.toString('latin1', at, Math.min(end, at + keptBodyBytes));
    }
    this.#left -= end - at;
    if (this.#left === 0) {
      if (this.#state === 'body') this.#done();
      else this.#state = 'chunk-size';
    }
    return end;
  }

  #done(): void {
    this.#state = 'head';
    this.#onAnswer(this.#answer);
  }
}
