const quote = 0x22;
const comma = 0x2c;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Thrown for a row that is not as it should be; its message becomes that of its ItemError. */
export class BadRow extends Error {
  override readonly name = 'BadRow';
}

/**
 * The fields of a CSV row, without the blanks around them and their quotes; two quotes in quotes are one. Throws BadRow. The row has
 * no line end of its own.
 */
export function csvFields(row: Uint8Array): string[] {
  const text = textOfRow(row).replace(/\r$/, '');
  if (!text.includes('"')) return text.split(',').map((field) => field.trim());
  const fields: string[] = [];
  for (let at = 0; ; at++) {
    const from = skipBlanks(text, at);
    if (text.charCodeAt(from) === quote) {
      const closing = closingQuote(text, from + 1);
      fields.push(text.slice(from + 1, closing).replaceAll('""', '"'));
      at = skipBlanks(text, closing + 1);
      if (at < text.length && text.charCodeAt(at) !== comma)
        throw new BadRow(`field ${fields.length} of the row goes on behind its closing quote`);
    } else {
      const end = text.indexOf(',', from);
      at = end < 0 ? text.length : end;
      fields.push(text.slice(from, at).trim());
    }
    if (at >= text.length) return fields;
  }
}

function textOfRow(row: Uint8Array): string {
  try {
    return utf8.decode(row);
  } catch {
    throw new BadRow('the row is not UTF-8 text');
  }
}

function closingQuote(text: string, from: number): number {
  for (let at = text.indexOf('"', from); at >= 0; at = text.indexOf('"', at + 2)) {
    if (text.charCodeAt(at + 1) !== quote) return at;
  }
  throw new BadRow('the row has a quote that does not end');
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (text.charCodeAt(at) === 0x20 || text.charCodeAt(at) === 0x09) at += 1;
  return at;
}
