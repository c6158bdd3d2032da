/** The headers that callers of a model send. */
const known = [
  'Accept',
  'Accept-Encoding',
  'Accept-Language',
  'Authorization',
  'Azureml-Model-Deployment',
  'Cache-Control',
  'Connection',
  'Content-Encoding',
  'Content-Length',
  'Content-Type',
  'Cookie',
  'Expect',
  'Host',
  'Inference-Header-Content-Length',
  'Origin',
  'Referer',
  'Sec-Fetch-Mode',
  'Traceparent',
  'Tracestate',
  'Transfer-Encoding',
  'User-Agent',
  'X-Forwarded-For',
  'X-Forwarded-Proto',
  'X-Ms-Client-Request-Id',
  'X-Request-Id',
  'X-Request-Timeout-Ms',
];

// Filled once: callers can make up names, so what they send must not fill a table.
const lowerCase = new Map(known.flatMap((name) => [name, name.toLowerCase()].map((key) => [key, name.toLowerCase()])));

/** `name` in lower case; a look-up where it is a common one. */
export function lowerCaseName(name: string): string {
  return lowerCase.get(name) ?? name.toLowerCase();
}
