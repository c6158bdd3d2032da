import { PlatformError } from '@mooring/errors';
import { MessageParser } from '../message-parser.ts';
import { defaultLimits } from '../limits.ts';
import type { RequestHead } from '../request-head.ts';

export interface ParsedMessage {
  head: RequestHead;
  body: string;
  complete: boolean;
}

export interface Parsed {
  messages: ParsedMessage[];
  /** Reason of the refusal, if what came was refused; nothing was parsed behind it. */
  refused: string | undefined;
}

/** What the parser makes of `pieces`; one character is one byte. */
export function parse(pieces: readonly Buffer[]): Parsed {
  const messages: ParsedMessage[] = [];
  const parser = new MessageParser(defaultLimits, {
    head: (head) => void messages.push({ head, body: '', complete: false }),
    body: (piece) => {
      (messages.at(-1) as ParsedMessage).body += piece.toString('latin1');
    },
    end: () => {
      (messages.at(-1) as ParsedMessage).complete = true;
    },
  });
  try {
    for (const piece of pieces) parser.feed(piece);
  } catch (thrown) {
    if (!(thrown instanceof PlatformError)) throw thrown;
    return { messages, refused: thrown.reason };
  }
  return { messages, refused: undefined };
}

export function parseText(text: string): Parsed {
  return parse([Buffer.from(text, 'latin1')]);
}
