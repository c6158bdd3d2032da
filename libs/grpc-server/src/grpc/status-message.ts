const plain = /^[ -$&-~]*$/;

/** `grpc-message` as it travels: UTF-8, and every byte that is no printable ASCII, and `%`, as %XX. */
export function percentEncode(message: string): string {
  if (plain.test(message)) return message;
  let out = '';
  for (const byte of Buffer.from(message)) {
    if (byte >= 0x20 && byte <= 0x7e && byte !== 0x25) out += String.fromCharCode(byte);
    else out += `%${byte < 16 ? '0' : ''}${byte.toString(16).toUpperCase()}`;
  }
  return out;
}
