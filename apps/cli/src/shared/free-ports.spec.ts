import { createServer, type AddressInfo } from 'node:net';
import { tempDir } from '@mooring/testing';
import { expect, it } from 'vitest';
import { runLine } from '../testing/run-line.ts';
import { checkPorts } from './free-ports.ts';

it('tells at once every address that the platform could not listen on', async () => {
  const other = createServer();
  await new Promise<void>((done) => other.listen(0, '127.0.0.1', done));
  const taken = `127.0.0.1:${(other.address() as AddressInfo).port}`;
  const free = '127.0.0.1:0';
  await checkPorts({ http: free, grpc: free, management: free });
  const folder = tempDir();
  const line = ['up', '--http', taken, '--grpc', '192.0.2.1:0', '--management', free];
  const { code, err } = await runLine(line, { environment: { MOORING_DATA: folder.path } });
  folder.remove();
  await new Promise<void>((done) => other.close(() => done()));
  expect(code).toBe(5);
  expect(err).toBe(
    `PORT_TAKEN: the platform cannot listen
  --http: ${taken} is in use by another process (expected another, such as --http 127.0.0.1:0, which takes a free port)
  --grpc: 192.0.2.1:0 is no address of this machine (expected another, such as --grpc 127.0.0.1:0, which takes a free port)
Next: end what uses it, or give other addresses
`,
  );
});
