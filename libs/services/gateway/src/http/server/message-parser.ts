import { tokenCharacters } from './characters.ts';
import { ChunkDecoder } from './chunk-decoder.ts';
import type { HttpLimits } from './limits.ts';
import { headTooLarge, malformed, targetTooLong } from './problems.ts';
import { parseHead, type RequestHead } from './request-head.ts';

/** Told what a connection says, in order: `head`, `body` as often as it comes, `end`, and again. */
export interface MessageSink {
  head(head: RequestHead): void;
  body(piece: Buffer): void;
  end(): void;
}

export type ParserLimits = Pick<HttpLimits, 'headBytesMax' | 'lineBytesMax' | 'headersMax' | 'chunkExtraBytesMax'>;

const headEnd = Buffer.from('\r\n\r\n');
const lineEnd = Buffer.from('\r\n');
const [cr, lf] = [0x0d, 0x0a];
/** Some clients send an empty line behind a body; more than a few are no client's mistake. */
const blankLinesMax = 4;
/** Heads above this size are not kept: many idle connections must not hold much. */
const rememberedBytesMax = 2 * 1024;
const noBytes = Buffer.alloc(0);

/**
 * The requests of one connection out of its bytes, however those were cut. It is strict: what RFC 9112 lets a server
 * repair is refused, because the proxy in front may have repaired it in another way.
 */
export class MessageParser {
  readonly #limits: ParserLimits;
  readonly #sink: MessageSink;
  readonly #give = (piece: Buffer): void => this.#sink.body(piece);
  #rest: Buffer = noBytes;
  #paused = false;
  #running = false;
  /** Bytes of a body with a length that are still to come; undefined between messages. */
  #left: number | undefined;
  #chunks: ChunkDecoder | undefined;
  #blankLines = 0;
  /** Where to go on looking for the end of a head. */
  #searched = 0;
  /** The last head as it was sent: a caller that keeps its connection mostly says the same again. */
  #lastBytes: Buffer = noBytes;
  #lastHead: RequestHead | undefined;

  constructor(limits: ParserLimits, sink: MessageSink) {
    this.#limits = limits;
    this.#sink = sink;
  }

  /** True when the bytes so far end between two messages. */
  get between(): boolean {
    return this.#rest.length === 0 && this.#left === undefined && this.#chunks === undefined;
  }

  /** How much of the present body is still to come; infinite where that is not known. */
  get bytesLeft(): number {
    return this.#left ?? (this.#chunks === undefined ? 0 : Number.POSITIVE_INFINITY);
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** What came and has not been taken. */
  get heldBytes(): number {
    return this.#rest.length;
  }

  /**
   * Takes the next bytes, which stay the caller's: the sink gets views of them, and what is kept (while paused, or of what is not whole)
   * is copied. Throws PlatformError, and must not be used again then.
   */
  feed(bytes: Buffer): void {
    const alone = this.#rest.length === 0;
    this.#rest = alone ? bytes : Buffer.concat([this.#rest, bytes]);
    this.#run();
    if (alone && this.#rest.length > 0) this.#rest = Buffer.from(this.#rest);
  }

  pause(): void {
    this.#paused = true;
  }

  /** Goes on with what was kept. Throws as `feed` does. */
  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#run();
  }

  #run(): void {
    // Whoever is told something may pause and resume at once.
    if (this.#running) return;
    this.#running = true;
    while (!this.#paused && this.#step());
    this.#running = false;
  }

  /** One step; false when it needs more bytes. */
  #step(): boolean {
    if (this.#left !== undefined) return this.#takeLength(this.#left);
    if (this.#chunks !== undefined) return this.#takeChunks(this.#chunks);
    return this.#rest.length > 0 && this.#takeHead();
  }

  #drop(bytes: number): void {
    this.#rest = bytes === this.#rest.length ? noBytes : this.#rest.subarray(bytes);
  }

  #takeLength(left: number): boolean {
    const { length } = this.#rest;
    if (length === 0) return false;
    const piece = length <= left ? this.#rest : this.#rest.subarray(0, left);
    this.#drop(piece.length);
    this.#left = left === piece.length ? undefined : left - piece.length;
    this.#sink.body(piece);
    if (this.#left === undefined) this.#sink.end();
    return true;
  }

  #takeChunks(chunks: ChunkDecoder): boolean {
    if (this.#rest.length === 0) return false;
    const taken = chunks.take(this.#rest, 0, this.#give);
    this.#drop(taken);
    if (chunks.done) {
      this.#chunks = undefined;
      this.#sink.end();
    }
    return true;
  }

  #takeHead(): boolean {
    const last = this.#lastBytes;
    const repeated =
      this.#lastHead !== undefined &&
      this.#rest.length >= last.length &&
      last.compare(this.#rest, 0, last.length) === 0;
    if (repeated) return this.#begin(this.#lastHead as RequestHead, last.length);
    return this.#skipBlankLine() || this.#takeNewHead();
  }

  #skipBlankLine(): boolean {
    if (this.#rest[0] !== cr || this.#rest[1] !== lf) return false;
    this.#blankLines += 1;
    if (this.#blankLines > blankLinesMax) throw malformed('there is no request behind the empty lines');
    this.#drop(2);
    return true;
  }

  #takeNewHead(): boolean {
    const rest = this.#rest;
    if (rest[0] === cr && rest.length === 1) return false;
    // Nothing that begins like this becomes a request: TLS, for one, need not wait for the time-out.
    if (tokenCharacters[rest[0] as number] !== 1) throw malformed('its method cannot be read');
    const end = rest.indexOf(headEnd, this.#searched);
    this.#checkSize(end < 0 ? rest.length : end + headEnd.length);
    if (end < 0) {
      this.#searched = Math.max(0, rest.length - headEnd.length + 1);
      return false;
    }
    const bytes = end + headEnd.length;
    const head = parseHead(rest.toString('latin1', 0, end + lineEnd.length), this.#limits.headersMax);
    this.#remember(head, rest.subarray(0, bytes));
    return this.#begin(head, bytes);
  }

  #remember(head: RequestHead, bytes: Buffer): void {
    const worthIt = bytes.length <= rememberedBytesMax;
    this.#lastHead = worthIt ? head : undefined;
    // A copy: a view would keep the body behind it in memory.
    this.#lastBytes = worthIt ? Buffer.from(bytes) : noBytes;
  }

  #checkSize(bytes: number): void {
    const { headBytesMax, lineBytesMax } = this.#limits;
    if (bytes <= lineBytesMax) return;
    const line = this.#rest.subarray(0, lineBytesMax).indexOf(lineEnd);
    if (line < 0) throw targetTooLong(lineBytesMax);
    if (bytes > headBytesMax) throw headTooLarge(headBytesMax);
  }

  #begin(head: RequestHead, bytes: number): boolean {
    this.#drop(bytes);
    this.#searched = 0;
    this.#blankLines = 0;
    this.#sink.head(head);
    if (head.contentLength === undefined) this.#chunks = new ChunkDecoder(this.#limits.chunkExtraBytesMax);
    else if (head.contentLength > 0) this.#left = head.contentLength;
    else this.#sink.end();
    return true;
  }
}
