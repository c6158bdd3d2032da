import { Agent, request } from 'node:http';
import { Client, credentials, Metadata } from '@grpc/grpc-js';

const answerMs = 20_000;
const agent = new Agent({ keepAlive: true });
const clients = new Map<string, Client>();

/** Milliseconds until the answer; rejects when it is none. */
export function probeRest(url: string, key: string, body: Buffer): Promise<number> {
  const from = performance.now();
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json', 'content-length': body.length };
  return new Promise((resolve, reject) => {
    const call = request(url, { method: 'POST', agent, headers }, (answer) => {
      answer.resume().once('end', () => {
        if (answer.statusCode === 200) resolve(performance.now() - from);
        else reject(new Error(`an honest request was answered ${answer.statusCode}`));
      });
    });
    call.on('error', reject);
    call.setTimeout(answerMs, () => call.destroy(new Error('no answer in time')));
    call.end(body);
  });
}

export function probeGrpc(address: string, path: string, key: string, message: Buffer): Promise<number> {
  const client = clients.get(address) ?? new Client(address, credentials.createInsecure());
  clients.set(address, client);
  const from = performance.now();
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${key}`);
  const same = (bytes: Buffer): Buffer => bytes;
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(path, same, same, message, metadata, { deadline: Date.now() + answerMs }, (error) => {
      if (error === null) resolve(performance.now() - from);
      else reject(error);
    });
  });
}
