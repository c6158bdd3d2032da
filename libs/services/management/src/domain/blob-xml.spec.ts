import { describe, expect, it } from 'vitest';
import { errorXml, listingXml, readBlockList } from './blob-xml.ts';

describe('a block list', () => {
  it('gives its ids in order, however they are laid out', () => {
    const xml = `<?xml version="1.0" encoding="utf-8"?>
      <BlockList>
        <Latest>MDA=</Latest><Uncommitted>MDE=</Uncommitted>
        <Committed> MDI= </Committed>
      </BlockList>`;
    expect(readBlockList(xml)).toEqual(['MDA=', 'MDE=', 'MDI=']);
    expect(readBlockList('\uFEFF<BlockList></BlockList>')).toEqual([]);
    expect(readBlockList('<BlockList/>')).toEqual([]);
  });

  it.each([
    ['nothing', ''],
    ['no XML', 'MDA='],
    ['another element', '<Blocks><Latest>MDA=</Latest></Blocks>'],
    ['another item', '<BlockList><Newest>MDA=</Newest></BlockList>'],
    ['an item that is not closed', '<BlockList><Latest>MDA=</BlockList>'],
    ['an item closed by another', '<BlockList><Latest>MDA=</Committed></BlockList>'],
    ['an id that is no Base64', '<BlockList><Latest>../x</Latest></BlockList>'],
    ['an empty id', '<BlockList><Latest></Latest></BlockList>'],
    ['text between items', '<BlockList>x<Latest>MDA=</Latest></BlockList>'],
    ['an entity', '<!DOCTYPE a [<!ENTITY e "x">]><BlockList><Latest>&e;</Latest></BlockList>'],
    ['an id too long', `<BlockList><Latest>${'A'.repeat(101)}</Latest></BlockList>`],
  ])('is refused when it is %s', (_what, xml) => {
    expect(() => readBlockList(xml)).toThrow(/block list/);
  });

  it('is read in time that grows with its length', () => {
    const began = performance.now();
    expect(() => readBlockList(`<BlockList>${' '.repeat(500_000)}x</BlockList>`)).toThrow(/breaks/);
    const many = `<BlockList>${'<Latest>MDA=</Latest>'.repeat(50_000)}</BlockList>`;
    expect(readBlockList(many)).toHaveLength(50_000);
    expect(performance.now() - began).toBeLessThan(2_000);
  });
});

describe('answers in XML', () => {
  it('list blobs with what their clients look at, markup and control characters made harmless', () => {
    const entry = {
      path: 'a<b>&"\u0001.txt',
      bytes: 3,
      etag: '"0x1"',
      modifiedAt: new Date(0),
      metadata: { upload_status: 'completed' },
    };
    const xml = listingXml({ container: 'c', prefix: 'a', max: 10, entries: [entry], next: 'a<b' });
    expect(xml).toContain('<Name>a&lt;b&gt;&amp;&quot;\u{FFFD}.txt</Name>');
    expect(xml).toContain('<Content-Length>3</Content-Length>');
    expect(xml).toContain('<Last-Modified>Thu, 01 Jan 1970 00:00:00 GMT</Last-Modified>');
    expect(xml).toContain('<upload_status>completed</upload_status>');
    expect(xml).toContain('<NextMarker>a&lt;b</NextMarker>');
  });

  it('say what went wrong', () => {
    expect(errorXml('BlobNotFound', 'no <such>')).toContain(
      '<Code>BlobNotFound</Code><Message>no &lt;such&gt;</Message>',
    );
  });
});
