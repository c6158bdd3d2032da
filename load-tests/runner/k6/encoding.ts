type Variant = 'std' | 'rawstd' | 'url' | 'rawurl';

export function b64encode(input: string | ArrayBuffer | ArrayBufferView, variant: Variant = 'std'): string {
  const bytes = toBuffer(input);
  if (variant === 'std') return bytes.toString('base64');
  if (variant === 'rawstd') return bytes.toString('base64').replaceAll('=', '');
  const url = bytes.toString('base64url');
  return variant === 'rawurl' ? url : url.padEnd(Math.ceil(url.length / 4) * 4, '=');
}

/** With format `s` text, else bytes. */
export function b64decode(input: string, variant: Variant = 'std', format = 'b'): string | ArrayBuffer {
  // Node reads all four variants by either name.
  const bytes = Buffer.from(input, variant.includes('url') ? 'base64url' : 'base64');
  return format === 's' ? bytes.toString('utf8') : new Uint8Array(bytes).buffer;
}

function toBuffer(input: string | ArrayBuffer | ArrayBufferView): Buffer {
  if (typeof input === 'string') return Buffer.from(input, 'utf8');
  return input instanceof ArrayBuffer
    ? Buffer.from(input)
    : Buffer.from(input.buffer, input.byteOffset, input.byteLength);
}

export default { b64encode, b64decode };
