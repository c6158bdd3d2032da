/** One picture of several panels, as SVG by hand: it must be legible beside text, in light and dark pages. */

export interface Point {
  x: number;
  y: number;
  /** Least and most of the repeats. */
  least: number;
  most: number;
}

export interface Series {
  name: string;
  colour: string;
  points: readonly Point[];
}

export interface Panel {
  title: string;
  /** What is drawn upwards or along the bars. */
  yTitle: string;
  xTitle: string;
  /** Bars: one for each series at each x. Lines: x on a logarithmic axis. */
  kind: 'bars' | 'lines';
  series: readonly Series[];
}

const width = 860;
const left = 170;
const right = 190;
const barHeight = 16;
const rowGap = 14;
const titleHeight = 46;
const axisHeight = 44;
const lineHeight = 260;
export function chart(panels: readonly Panel[]): string {
  let top = 0;
  const drawn = panels.map((panel) => {
    const { height, content } = panel.kind === 'bars' ? bars(panel) : lines(panel);
    const placed = `<g transform="translate(0 ${top})">${content}</g>`;
    top += height;
    return placed;
  });
  const style = 'font-family="system-ui, Helvetica, Arial, sans-serif" font-size="13" fill="#1a1a1a"';
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${top}" width="${width}" height="${top}" ${style}>
<rect width="${width}" height="${top}" fill="#ffffff"/>
${drawn.join('\n')}
</svg>
`;
}

function heading({ title }: Panel): string {
  return text(14, 28, title, 'font-size="15" font-weight="600"');
}

function bars(panel: Panel): { height: number; content: string } {
  const xs = [...new Set(panel.series.flatMap(({ points }) => points.map(({ x }) => x)))];
  const scale = niceMax(Math.max(...panel.series.flatMap(({ points }) => points.map(({ most }) => most)), 0));
  const along = (value: number): number => left + (value / scale) * (width - left - right);
  let y = titleHeight;
  const rows: string[] = [];
  for (const x of xs) {
    rows.push(text(14, y + 12, `${short(x)} ${panel.xTitle}`, 'font-weight="600"'));
    y += 4;
    for (const { name, colour, points } of panel.series) {
      const point = points.find((candidate) => candidate.x === x);
      if (point === undefined) continue;
      y += barHeight;
      rows.push(bar(y, along, name, point, colour));
      y += 4;
    }
    y += barHeight + rowGap;
  }
  const bottom = y;
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const at = along(scale * share);
    const rule = `<line x1="${at}" y1="${titleHeight}" x2="${at}" y2="${bottom}" stroke="#dddddd"/>`;
    return rule + text(at, bottom + 16, short(scale * share), 'text-anchor="middle" fill="#555555"');
  });
  const title = text(
    left,
    bottom + 34,
    `${panel.yTitle}; the thin line is the spread of the repeats`,
    'fill="#555555"',
  );
  return { height: bottom + axisHeight + 8, content: heading(panel) + ticks.join('') + rows.join('\n') + title };
}

function bar(y: number, along: (value: number) => number, name: string, point: Point, colour: string): string {
  const middle = y + barHeight / 2;
  const end = along(point.y);
  return [
    text(left - 8, middle + 4, name, 'text-anchor="end"'),
    `<rect x="${left}" y="${y}" width="${round(end - left)}" height="${barHeight}" fill="${colour}"/>`,
    `<line x1="${round(along(point.least))}" y1="${middle}" x2="${round(along(point.most))}" y2="${middle}" stroke="#000000"/>`,
    text(Math.max(end, along(point.most)) + 6, middle + 4, short(point.y)),
  ].join('');
}

function lines(panel: Panel): { height: number; content: string } {
  const all = panel.series.flatMap(({ points }) => points);
  const xs = [...new Set(all.map(({ x }) => x))].toSorted((a, b) => a - b);
  const first = Math.log(xs[0] ?? 1);
  const span = Math.log(xs.at(-1) ?? 1) - first || 1;
  const ys = all.map(({ y }) => y).filter((y) => y > 0);
  const highest = 10 ** Math.ceil(Math.log10(Math.max(...ys, 1)));
  const lowest = 10 ** Math.floor(Math.log10(Math.min(...ys, highest / 10)));
  const bottom = titleHeight + lineHeight;
  const atX = (x: number): number => left - 90 + ((Math.log(x) - first) / span) * (width - left - right + 90);
  const atY = (y: number): number =>
    bottom - ((Math.log10(Math.max(y, lowest)) - Math.log10(lowest)) / Math.log10(highest / lowest)) * lineHeight;
  const decades = Math.round(Math.log10(highest / lowest));
  const grid = Array.from({ length: decades + 1 }, (_, index) => lowest * 10 ** index).map(
    (value) =>
      `<line x1="${left - 90}" y1="${round(atY(value))}" x2="${width - right}" y2="${round(atY(value))}" stroke="#dddddd"/>` +
      text(left - 98, atY(value) + 4, short(value), 'text-anchor="end" fill="#555555"'),
  );
  const marks = xs.map((x) => text(atX(x), bottom + 18, short(x), 'text-anchor="middle" fill="#555555"'));
  const ends = spreadOut(panel.series.map(({ points }) => atY(points.at(-1)?.y ?? lowest)));
  const curves = panel.series.map(({ name, colour, points }, index) => {
    const path = points.map(({ x, y }) => `${round(atX(x))},${round(atY(y))}`).join(' ');
    const dots = points.map(
      ({ x, y }) => `<circle cx="${round(atX(x))}" cy="${round(atY(y))}" r="3" fill="${colour}"/>`,
    );
    const label = text(width - right + 10, (ends[index] ?? 0) + 4, name, `fill="${colour}" font-weight="600"`);
    return `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>${dots.join('')}${label}`;
  });
  const titles = text(
    left - 90,
    bottom + 38,
    `${panel.yTitle} against ${panel.xTitle}, both logarithmic`,
    'fill="#555555"',
  );
  return {
    height: bottom + axisHeight + 8,
    content: heading(panel) + [...grid, ...marks, ...curves, titles].join('\n'),
  };
}

/** Labels that would lie on each other are moved apart. */
function spreadOut(wanted: readonly number[]): number[] {
  const order = [...wanted.keys()].toSorted((a, b) => (wanted[a] ?? 0) - (wanted[b] ?? 0));
  const result = [...wanted];
  let last = -Infinity;
  for (const index of order) {
    result[index] = Math.max(result[index] ?? 0, last + 15);
    last = result[index] ?? 0;
  }
  return result;
}

function niceMax(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1e-9)));
  return ([1, 2, 4, 6, 8, 10].find((step) => step * power >= value) ?? 10) * power;
}

function short(value: number): string {
  if (value >= 1e6) return `${Number((value / 1e6).toPrecision(3))}M`;
  if (value >= 1e4) return `${Number((value / 1e3).toPrecision(3))}k`;
  return String(Number(value.toPrecision(3)));
}

function text(x: number, y: number, content: string, attributes = ''): string {
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return `<text x="${round(x)}" y="${round(y)}" ${attributes}>${escaped}</text>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
