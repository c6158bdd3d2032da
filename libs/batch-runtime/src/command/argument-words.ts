import { givenParts, readCommandLine, type LineValues } from '@mooring/domain';

/** The words of a line, as a shell would part them, but nothing else of a shell: a value is never parted or read as quotes. */
export function argumentWords(line: string, values: LineValues): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (const part of givenParts(readCommandLine(line).parts, values)) {
    if (part.kind === 'value') {
      word = (word ?? '') + part.value;
      continue;
    }
    for (const character of part.text) {
      if (quote === '' && /\s/.test(character)) {
        if (word !== undefined) words.push(word);
        word = undefined;
      } else if (quote === '' && (character === "'" || character === '"')) {
        quote = character;
        word ??= '';
      } else if (character === quote) quote = '';
      else word = (word ?? '') + character;
    }
  }
  return word === undefined ? words : [...words, word];
}
