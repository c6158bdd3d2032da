import { connect, type Socket } from 'node:net';
import { failure, good, noAnswer, type Lane, type OnOutcome, type Outcome } from './lane.ts';
import { ResponseReader, type Answer } from './response-reader.ts';

const readBytes = 64 * 1024;

/** One HTTP/1.1 connection that is kept, and connected anew when it was lost. The request is one buffer that never changes. */
export class HttpLane implements Lane {
  dueAt = 0;
  sentAt = 0;
  busy = false;
  readonly #target: { host: string; port: number };
  readonly #request: Buffer;
  readonly #onOutcome: OnOutcome;
  #socket: Socket | undefined;

  constructor(target: { host: string; port: number }, request: Buffer, onOutcome: OnOutcome) {
    this.#target = target;
    this.#request = request;
    this.#onOutcome = onOutcome;
  }

  send(): void {
    this.busy = true;
    this.#socket ??= this.#connect();
    this.#socket.write(this.#request);
  }

  abandon(why: string): void {
    this.close();
    this.#finish(noAnswer(why));
  }

  close(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.destroy();
  }

  #connect(): Socket {
    const reader = new ResponseReader((answer) => {
      // Servers without keep-alive say so; the next request then needs a connection of its own.
      if (/\r\nconnection: *close/i.test(answer.head)) this.close();
      this.#finish(outcomeOf(answer));
    });
    const { host, port } = this.#target;
    const socket = connect({
      host,
      port,
      noDelay: true,
      // Reads go to one buffer that is used again; the stream's own reading costs more than the rest of a request.
      onread: {
        buffer: Buffer.allocUnsafe(readBytes),
        callback: (length, buffer) => {
          try {
            reader.push((buffer as Buffer).subarray(0, length));
          } catch (error) {
            socket.destroy(error as Error);
          }
          return true;
        },
      },
    });
    const lost = (why: string): void => {
      if (this.#socket !== socket) return;
      this.abandon(why);
    };
    socket.on('error', (error) => lost(error.message));
    socket.on('close', () => lost('the server closed the connection'));
    return socket;
  }

  #finish(outcome: Outcome): void {
    if (!this.busy) return;
    this.busy = false;
    this.#onOutcome(this, outcome);
  }
}

function outcomeOf({ status, head, body }: Answer): Outcome {
  if (status >= 200 && status < 300) return good;
  const hasReason = /"reason" ?:/.test(body) || /\r\nms-azureml-model-error-reason:/i.test(head);
  return failure(status, /\r\nretry-after:/i.test(head), hasReason, `${status} ${body}`);
}
