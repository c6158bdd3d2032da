/** `tools/mooring <words>`, to be pasted into a shell: words that a shell would take apart are in quotes. */
export function nextCommand(...words: readonly string[]): string {
  return ['tools/mooring', ...words.map(shellWord)].join(' ');
}

function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
