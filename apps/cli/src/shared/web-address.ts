export const webAddress = 'an http(s) address such as http://127.0.0.1:8082';

export function isWebAddress(text: string): boolean {
  return /^https?:$/.test(URL.parse(text)?.protocol ?? '');
}
