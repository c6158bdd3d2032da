/** Where a line of a terminal ends for most. */
const widthMax = 120;

/** A table for people: the scalar fields of each row, or the named ones. One object that is too wide for it has a line for each field. */
export function tableOf(value: unknown, fields?: readonly string[]): string {
  const items: unknown[] = Array.isArray(value) ? value : [value];
  const rows = items.map((row): Record<string, unknown> => (isObject(row) ? row : { value: row }));
  if (rows.length === 0) return '(none)';
  const names = fields ?? scalarFields(rows);
  const level = [names.map(title), ...rows.map((row) => names.map((name) => shortId(cellText(row[name]))))];
  const text = textOf(level);
  if (Array.isArray(value) || text.split('\n').every((line) => line.length <= widthMax)) return text;
  return textOf([['Field', 'Value'], ...names.map((_name, column) => level.map((line) => line[column] ?? ''))]);
}

/** `cells` line by line, the first one underlined, each column as wide as what it holds. */
function textOf(cells: readonly (readonly string[])[]): string {
  const widths = (cells[0] ?? []).map((_title, column) =>
    Math.max(...cells.map((line) => (line[column] ?? '').length)),
  );
  const lines = cells.map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  return [lines[0], widths.map((width) => '-'.repeat(width)).join('  '), ...lines.slice(1)].join('\n');
}

/** Tab-separated values without a header, for scripts; a value on its own is printed as it is. */
export function tsvOf(value: unknown): string {
  if (!Array.isArray(value)) return isObject(value) ? rowOf(value) : cellText(value);
  return value.map((row: unknown) => (isObject(row) || Array.isArray(row) ? rowOf(row) : cellText(row))).join('\n');
}

function rowOf(row: object): string {
  return Object.values(row)
    .map((item) => cellText(item).replace(/[\t\n]/g, ' '))
    .join('\t');
}

/** Long ids say little in a table and push everything else out of sight. */
const notInTables = new Set(['id', 'location', 'kind']);

function scalarFields(rows: readonly Record<string, unknown>[]): string[] {
  const names = new Set<string>();
  for (const row of rows) {
    for (const [name, item] of Object.entries(row)) {
      const scalar = typeof item !== 'object' || item === null;
      const small = name === 'traffic' || name === 'mirror_traffic';
      if ((scalar || small) && !notInTables.has(name)) names.add(name);
    }
  }
  // Better the long ones than an empty table.
  return names.size > 0 ? [...names] : [...new Set(rows.flatMap((row) => Object.keys(row)))];
}

function cellText(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'number' && !Number.isInteger(value)) return shortNumber(value);
  if (!isObject(value)) return Array.isArray(value) ? JSON.stringify(value) : String(value);
  // Traffic and tags, as the flags that set them are written.
  return Object.entries(value)
    .map(([key, item]) => `${key}=${typeof item === 'object' ? JSON.stringify(item) : String(item)}`)
    .join(' ');
}

function shortNumber(value: number): string {
  return String(Number(Math.abs(value) < 1 ? value.toPrecision(3) : value.toFixed(3)));
}

/** The end of an ARM id or a datastore's path, without most of a digest in it: the whole pushes everything else out of sight. */
function shortId(text: string): string {
  const inDatastore = /^azureml:\/\/(?:subscriptions\/.*?\/)?(datastores\/.+)$/i.exec(text)?.[1];
  if (inDatastore !== undefined) return `azureml://${inDatastore.split('/').map(shortDigest).join('/')}`;
  const inWorkspace = /^(?:azureml:)?\/subscriptions\/[^/]+\/.*?\/workspaces\/[^/]+\/(.+)$/i.exec(text)?.[1];
  if (inWorkspace === undefined) return text;
  const asset = /^\w+\/([^/]+)\/versions\/([^/]+)$/.exec(inWorkspace);
  if (asset === null) return inWorkspace;
  return `${shortDigest(asset[1])}:${shortDigest(asset[2])}`;
}

function shortDigest(name = ''): string {
  return /^[\da-f]{64}$/.test(name) ? `${name.slice(0, 12)}...` : name;
}

function title(name: string): string {
  const words = name
    .replaceAll('_', ' ')
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
