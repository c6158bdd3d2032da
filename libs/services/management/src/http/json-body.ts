import { PlatformError } from '@mooring/errors';

const depthMax = 32;

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** A JSON body; undefined when it is empty. Throws `invalid_argument` / BODY_NOT_JSON saying where it breaks. */
export function readJsonBody(bytes: Uint8Array): unknown {
  if (bytes.byteLength === 0) return undefined;
  const text = decode(bytes);
  checkDepth(text);
  try {
    // Looking at every key is slow; only where the word may be, plainly or as escapes, it is needed.
    return (/__proto__|\\u/.test(text) ? JSON.parse(text, refuseProto) : JSON.parse(text)) as unknown;
  } catch (thrown) {
    if (thrown instanceof PlatformError) throw thrown;
    // The parser's message quotes the text, which may hold secrets; only the place is told.
    const place = /position (\d+)/.exec((thrown as Error).message)?.[1];
    throw notJson(place === undefined ? 'is not JSON' : `is not JSON: it breaks at character ${place}`);
  }
}

function decode(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw notJson('is not UTF-8 text');
  }
}

/** Objects with such a key behave in surprising ways when they are copied. */
function refuseProto(this: unknown, key: string, value: unknown): unknown {
  if (key === '__proto__') throw notJson("holds a key '__proto__'");
  return value;
}

/** Nothing that this API takes is nested deeply, and recursion over what is would end the process. */
function checkDepth(text: string): void {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charCodeAt(at);
    if (inString) {
      if (character === 0x5c) at += 1;
      else if (character === 0x22) inString = false;
    } else if (character === 0x22) inString = true;
    else if (character === 0x7b || character === 0x5b) {
      depth += 1;
      if (depth > depthMax) throw notJson(`is nested deeper than ${depthMax} levels`);
    } else if (character === 0x7d || character === 0x5d) depth -= 1;
  }
}

function notJson(problem: string): PlatformError {
  return PlatformError.invalid(
    'the request',
    [{ path: '(body)', problem, expected: 'a JSON object' }],
    'BODY_NOT_JSON',
  );
}
