/** All settings come from the environment (`-e NAME=VALUE`); what is not given has a default. */

export type Surface = 'score' | 'oip' | 'grpc';

export function text(name: string, fallback: string): string {
  const given = __ENV[name];
  return given === undefined || given === '' ? fallback : given;
}

export function whole(name: string, fallback: number): number {
  const given = Number(text(name, String(fallback)));
  if (!Number.isInteger(given) || given < 0) throw new Error(`${name}: '${text(name, '')}' is no whole number`);
  return given;
}

/** The text, or with @FILE the file's; give an absolute path, k6 reads others from the scenarios' folder. */
export function textOrFile(name: string, fallback: string): string {
  const given = text(name, fallback);
  return given.startsWith('@') ? open(given.slice(1)) : given;
}

/** `30s`, `5m` or `1h` in seconds: scenarios that follow each other are computed from it. */
export function seconds(name: string, fallback: string): number {
  const given = text(name, fallback);
  const parts = /^(\d+)(s|m|h)$/.exec(given);
  if (parts === null) throw new Error(`${name}: '${given}' is no duration; write for example 30s, 5m or 1h`);
  return Number(parts[1]) * (parts[2] === 'h' ? 3600 : parts[2] === 'm' ? 60 : 1);
}

function chosenSurfaces(): Surface[] {
  const names = text('SURFACE', 'score').split(',');
  const wrong = names.find((name) => name !== 'score' && name !== 'oip' && name !== 'grpc');
  if (wrong !== undefined) throw new Error(`SURFACE: '${wrong}' is none of score, oip and grpc`);
  return names as Surface[];
}

export const settings = {
  /** The gateway's HTTP, without a slash at the end. */
  baseUrl: text('BASE_URL', 'http://127.0.0.1:8080'),
  /** The router's public gRPC. */
  grpcTarget: text('GRPC_TARGET', '127.0.0.1:8081'),
  grpcTls: text('GRPC_TLS', 'false') === 'true',
  endpoint: text('ENDPOINT', 'cars'),
  /** Empty: the endpoint's traffic decides. */
  deployment: text('DEPLOYMENT', ''),
  key: text('KEY', ''),
  /** What the caller is willing to wait; sent along with each request. */
  deadlineMs: whole('DEADLINE_MS', 5000),
  surfaces: chosenSurfaces(),
};
