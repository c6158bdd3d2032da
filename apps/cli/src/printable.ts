/** What a file, a server or a model wrote, for a terminal: nothing of it may move the cursor or colour the screen. */
export function printable(text: string): string {
  return text.replace(/[^\P{Cc}\n\t]/gu, '?');
}
