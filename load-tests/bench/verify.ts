import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { request as httpRequest } from 'node:http';
import { scriptNumbers } from './payloads.ts';
import { firstRawOutput } from './models/infer-response.ts';
import type { Reading, Shot } from './systems/system.ts';

const answerMs = 30_000;
const tolerance = 1e-3;

export interface RawAnswer {
  status: number;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  body: Buffer;
}

/** Sends the shot once, with ordinary clients: the load generator trusts that what it gets is right. */
export async function sendOnce(shot: Shot, signal: AbortSignal): Promise<RawAnswer> {
  return shot.protocol === 'http' ? sendHttp(shot, signal) : sendGrpc(shot);
}

/** Throws unless the answer has the expected numbers. */
export function checkAnswer(
  reading: Reading,
  { status, headers, body }: RawAnswer,
  output: string,
  expected: readonly number[],
): void {
  if (status !== 200) throw new Error(`answered ${status} ${body.toString('utf8').slice(0, 300)}`);
  if (reading === 'none') return;
  const got = numbersIn(reading, headers, body, output);
  const wanted = reading === 'sum' ? [scriptNumbers.reduce((sum, value) => sum + value, 0)] : expected;
  const isRight =
    got.length === wanted.length &&
    got.every((value, index) => Math.abs(value - (wanted[index] ?? Number.NaN)) <= tolerance * Math.abs(value) + 1e-5);
  if (!isRight)
    throw new Error(`answered ${got.slice(0, 4).join(', ')} where session.run gives ${wanted.slice(0, 4).join(', ')}`);
}

function numbersIn(reading: Reading, headers: RawAnswer['headers'], body: Buffer, output: string): number[] {
  if (reading === 'grpc') return floatsIn(firstRawOutput(body, output));
  if (reading === 'oip-binary') {
    const jsonBytes = Number(headers['inference-header-content-length']);
    return floatsIn(body.subarray(jsonBytes));
  }
  let value = JSON.parse(body.toString('utf8')) as unknown;
  // Azure's server may answer JSON inside a JSON string.
  if (typeof value === 'string') value = JSON.parse(value) as unknown;
  if (reading === 'sum') return flatten(field(value, 'sum') ?? outputData(value, 'sum'));
  return flatten(reading === 'oip' ? outputData(value, output) : field(value, output));
}

function field(value: unknown, name: string): unknown {
  return (value as Record<string, unknown> | null)?.[name];
}

function outputData(value: unknown, output: string): unknown {
  const outputs = (field(value, 'outputs') ?? []) as { name: string; data: unknown }[];
  return outputs.find(({ name }) => name === output)?.data;
}

function flatten(value: unknown): number[] {
  return Array.isArray(value) ? value.flatMap(flatten) : [Number(value)];
}

function floatsIn(bytes: Buffer): number[] {
  return Array.from({ length: bytes.length >> 2 }, (_, index) => bytes.readFloatLE(index * 4));
}

function sendHttp({ host, port, path, headers, body }: Shot, signal: AbortSignal): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const end = AbortSignal.any([signal, AbortSignal.timeout(answerMs)]);
    const options = {
      host,
      port,
      path,
      method: 'POST',
      headers: { ...headers, 'content-length': body.length },
      signal: end,
    };
    const call = httpRequest(options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
      );
    });
    call.on('error', reject);
    call.end(body);
  });
}

function sendGrpc({ host, port, path, headers, body }: Shot): Promise<RawAnswer> {
  const client = new Client(`${host}:${port}`, credentials.createInsecure());
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  const same = (bytes: Buffer): Buffer => bytes;
  return new Promise<RawAnswer>((resolve, reject) => {
    client.makeUnaryRequest(path, same, same, body, metadata, { deadline: Date.now() + answerMs }, (error, answer) => {
      if (error === null) resolve({ status: 200, headers: {}, body: answer ?? Buffer.alloc(0) });
      else reject(new Error(error.message));
    });
  }).finally(() => client.close());
}
