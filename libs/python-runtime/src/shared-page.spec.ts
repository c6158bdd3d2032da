import { readSync, writeSync } from 'node:fs';
import { expect, it } from 'vitest';
import { SharedPage } from './shared-page.ts';

it('a shared page tells what was begun and what is not sent, and has no name in the file system', () => {
  const page = new SharedPage();
  expect(page.begunId()).toBe(0);
  expect(page.unsent()).toEqual(Buffer.alloc(0));
  const head = Buffer.alloc(16);
  head.writeUInt32LE(7, 0);
  head.writeUInt32LE(5, 4);
  writeSync(page.fd, Buffer.concat([head, Buffer.from('five+old')]), 0, 24, 0);
  expect(page.begunId()).toBe(7);
  expect(page.unsent()).toEqual(Buffer.from('five+'));
  expect(page.recall(8, 3)).toBe(true);
  const recalled = Buffer.alloc(8);
  readSync(page.fd, recalled, 0, 8, 8);
  expect([recalled.readUInt32LE(0), recalled.readUInt32LE(4)]).toEqual([8, 3]);
  head.writeUInt32LE(2 ** 31, 4);
  writeSync(page.fd, head, 0, 16, 0);
  expect(page.unsent()).toBeUndefined();
  page.close();
  page.close();
  expect(page.unsent()).toBeUndefined();
  expect(page.begunId()).toBeUndefined();
  expect(page.recall(1, 1)).toBe(false);
});
