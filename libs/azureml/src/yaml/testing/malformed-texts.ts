import type { YamlKind } from '../drafts.ts';

export interface MalformedFile {
  title: string;
  kind: YamlKind;
  content: string | Uint8Array;
  /** Part of what must be said. */
  says?: RegExp;
}

const repeated = (count: number, line: (index: number) => string, separator = '\n'): string =>
  Array.from({ length: count }, (_, index) => line(index)).join(separator);
const bytes = (...parts: (string | number[])[]): Uint8Array =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from(part))));

/** Texts that are no YAML, or YAML that no resource file should hold, whatever kind is asked for. */
const texts: readonly (readonly [title: string, content: string | Uint8Array, says?: RegExp])[] = [
  ['nothing', '', /is empty/],
  ['white space', ' \n\n  \n', /is empty/],
  ['only a comment', '# name: fern\n', /is empty/],
  ['only a document mark', '---\n', /is empty/],
  ['only a directive', '%YAML 1.2\n', /is empty|Missing directives-end/],
  ['null', 'null', /is empty/],
  ['a tilde', '~', /is empty/],
  ['a word', 'fern', /'fern' is not allowed .*with: name/],
  ['a number', '1', /1 is not allowed/],
  ['a boolean', 'true', /true is not allowed/],
  ['a list', '- name: fern', /a list is not allowed/],
  ['an empty list', '[]', /a list is not allowed/],
  ['an empty mapping', '{}', /name: is missing/],
  ['JSON that is cut', '{"name": "fern"', /line 1, column 16/],
  ['HTML', '<html><body>404</body></html>', /is not allowed/],
  ['a Python script', 'def init():\n    global model\n    model = load()\n', /line 2|is not a field/],
  ['a shell script', '#!/bin/sh\nset -e\necho "name: fern"\n', /line 2/],
  ['a tab as indentation', 'name: fern\ntags:\n\tteam: x\n', /Tabs are not allowed/],
  ['an unfinished quote', 'name: "fern\n', /Missing closing "quote/],
  ['an unfinished single quote', "name: 'fern\n", /Missing closing 'quote/],
  ['an unfinished list', 'tags: [a, b\n', /Flow sequence/],
  ['an unfinished mapping', 'tags: {a: b\n', /Flow map/],
  ['a stray bracket', 'name: fern\n]\n', /flow-seq-end/],
  ['a stray brace', 'name: fern}\n}\n', /flow-map-end/],
  ['a mapping inside a line', 'name: fern: x\n', /Nested mappings/],
  ['a mapping that is indented by chance', 'name: fern\n  tags: x\n', /line 1|line 2/],
  ['a reserved character', 'name: @fern\n', /reserved character @/],
  ['a backtick', 'name: `fern`\n', /reserved character `/],
  ['a wrong escape', 'name: "\\q"\n', /Invalid escape/],
  ['half of a surrogate pair', 'name: "\\ud800"\n', /is not allowed|Invalid escape/],
  ['an unknown anchor', 'name: *who\n', /Unresolved alias/],
  ['an alias as a key', 'tags: &t x\n*t : y\n', /no single value/],
  ['an alias of itself', 'tags: &t {a: *t}\n', /./],
  ['a mapping as a key', '? {a: b}\n: c\n', /no single value/],
  ['a list as a key', '[a, b]: c\n', /no single value/],
  ['a key without a name', ': fern\n', /is not a field/],
  ['a Python object', 'name: !!python/object/apply:os.system ["true"]\n', /Unresolved tag/],
  ['a tag of its own', 'name: !fern x\n', /Unresolved tag/],
  ['an include tag', '!include other.yml\n', /Unresolved tag/],
  ['a key twice', 'name: fern\nname: moss\n', /name: is there twice .*each key once/],
  ['a key twice, once in quotes', 'name: fern\n"name": moss\n', /name: is there twice/],
  ['a key twice in a mapping', 'name: fern\ntags: {a: 1, a: 2}\n', /tags\.a: is there twice/],
  ['a merge of a word', 'name: fern\n<<: word\n', /./],
  ['two documents', 'name: fern\n---\nname: moss\n', /holds 2 YAML documents/],
  ['a hundred documents', repeated(100, (index) => `---\nname: fern${index}`), /YAML documents/],
  ['a thousand documents', repeated(1000, (index) => `---\nname: fern${index}`), /documents/],
  ['a NUL', 'name: fe\0rn\n', /line 1, column 9: holds the control character 0x00/],
  ['an escape character', 'name: fern\ntags: {a: \x1b[2J}\n', /line 2, column 11: holds the control character 0x1b/],
  ['a bell', 'name: fern\x07\n', /0x07/],
  ['a delete character', 'name: fern\x7f\n', /0x7f/],
  ['Latin-1', bytes('name: fern\ndescription: caf', [0xe9], '\n'), /on line 2, is part of no character/],
  ['a cut character', bytes('name: f', [0xe2, 0x82]), /not text in UTF-8/],
  ['an overlong character', bytes('name: ', [0xc0, 0xaf]), /not text in UTF-8/],
  ['UTF-16, little endian', bytes([0xff, 0xfe], [...Buffer.from('name: fern', 'utf16le')]), /UTF-16/],
  ['UTF-16, big endian', bytes([0xfe, 0xff], [0, 110, 0, 97]), /UTF-16/],
  ['UTF-16 without a mark', bytes([...Buffer.from('name: fern', 'utf16le')]), /control character 0x00/],
  ['a ZIP archive', bytes([0x50, 0x4b, 3, 4, 0x14, 0, 0, 0, 8, 0, 0xff]), /not text in UTF-8/],
  ['an ONNX model', bytes([8, 9, 0x12, 7], 'skl2onnx', [0x3a, 0xa9, 2]), /not text in UTF-8/],
  ['random bytes', bytes(Array.from({ length: 4096 }, (_, index) => (index * 7919 + 13) % 256)), /UTF-8|control/],
  ['a line that never ends', 'x'.repeat(1_000_000), /is not allowed/],
  ['a key of a megabyte', `${'k'.repeat(1_000_000)}: 1`, /line 1, column 1/],
  ['more than a megabyte', `name: ${'x'.repeat(1_100_000)}`, /has more than 1048576 bytes/],
  ['brackets without end', '['.repeat(1_000_000), /nested deeper than 64 levels/],
  ['braces without end', '{a: '.repeat(200_000), /nested deeper than 64 levels/],
  ['lists in lists in one line', '- '.repeat(400_000), /nested deeper than 64 levels/],
  ['lists in lists in brackets', `tags: ${'['.repeat(65)}${']'.repeat(65)}`, /nested deeper than 64 levels/],
  ['question marks', '? '.repeat(400_000), /nested deeper than 64 levels/],
  ['mappings in mappings', repeated(500, (index) => `${' '.repeat(index)}a:`), /nested deeper than 64 levels/],
  [
    'mappings in mappings until the stack ends',
    repeated(1300, (index) => `${' '.repeat(index)}a:`),
    /nested deeper than 64 levels/,
  ],
  ['a hundred thousand keys', repeated(100_000, (index) => `k${index}: 1`), /more than 20000 words/],
  ['a hundred thousand items', repeated(100_000, () => '- 1'), /more than 20000 words/],
  ['two thousand keys', repeated(2000, (index) => `k${index}: 1`), /has 1980 more unknown fields/],
  ['anchors on anchors', '&a '.repeat(300_000), /more than 20000 words/],
  ['colons', ': '.repeat(400_000), /more than 20000 words/],
  ['empty lines', '\n'.repeat(1_000_000), /more than 20000 words/],
  ['directives', '%YAML 1.2\n'.repeat(50_000), /more than 20000 words/],
  ['commas', `[${','.repeat(9000)}]`, /Unexpected , in flow sequence/],
  [
    'a thousand aliases',
    `name: &n fern\ntags:\n${repeated(1000, (index) => `  t${index}: *n`)}`,
    /more than 100 aliases/,
  ],
  [
    'an alias bomb of lists',
    `a0: &a0 [x]\n${repeated(11, (index) => `a${index + 1}: &a${index + 1} [${Array(9).fill(`*a${index}`).join(', ')}]`)}`,
    /Excessive alias count/,
  ],
  [
    'an alias bomb of merges',
    `a0: &a0 {x: 1}\n${repeated(45, (index) => `a${index + 1}: &a${index + 1} {<<: [*a${index}, *a${index}]}`)}`,
    /Excessive alias count/,
  ],
  ['prototypes', '__proto__: {polluted: yes}\nconstructor: x\n', /__proto__: is not a field/],
];

const kinds: readonly YamlKind[] = ['online-endpoint', 'online-deployment', 'model', 'environment'];

/** The kinds by turns, so that each reader meets a quarter of the texts. */
export const malformedTexts: readonly MalformedFile[] = texts.map(([title, content, says], index) => ({
  title,
  content,
  kind: kinds[index % kinds.length] ?? 'model',
  ...(says === undefined ? {} : { says }),
}));
