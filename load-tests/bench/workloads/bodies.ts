import { irisRows, oipJson } from '../payloads.ts';
import type { Shot } from '../systems/system.ts';
import { sendOnce } from '../verify.ts';
import { closedLoop, prime, sampleOf, turns, type Run } from './closed.ts';

const inFlight = 8;
/** `5.1,3.5,1.4,0.2,` */
const bytesPerRow = 16;
const largeBytes = 1e6;
/** Large bodies take so long that a short measurement would see a handful. */
const largeMs = 5_000;

/** A body of about so many bytes, whose answer is labels alone. */
export function bodyOf(bytes: number): { body: Buffer; rows: number } {
  const rest = oipJson(irisRows(1), 'label').length - bytesPerRow;
  const rows = Math.max(1, Math.round((bytes - rest) / bytesPerRow));
  return { body: oipJson(irisRows(rows), 'label'), rows };
}

/** Closed loops with bodies of the sizes that the points say. */
export async function measureBodies(run: Run): Promise<void> {
  await prime(run);
  const sizes = new Map(run.points.map((x) => [x, bodyOf(x)]));
  for (const { repeat, x, subject } of turns(run)) {
    const { body, rows } = sizes.get(x) ?? bodyOf(x);
    const shot = { ...(subject.shot as Shot), body };
    if (repeat === 1) await verifyLabels(subject.name, shot, rows, run.session.context.signal);
    const times = x < largeBytes ? run.times : { ...run.times, durationMs: Math.max(largeMs, run.times.durationMs) };
    const measured = await closedLoop({ ...run, times }, { ...subject, shot }, inFlight);
    const sample = sampleOf(measured);
    const more = { 'MB/s': (sample.perSecond * body.length) / 1e6 };
    run.onSample({ ...sample, more, workload: run.workload.name, system: subject.name, x, repeat }, measured);
  }
}

async function verifyLabels(name: string, shot: Shot, rows: number, signal: AbortSignal): Promise<void> {
  const { status, body } = await sendOnce(shot, signal);
  const text = body.toString('utf8');
  if (status !== 200) throw new Error(`${name} answered ${status} to ${shot.body.length} bytes: ${text.slice(0, 300)}`);
  if (shot.reading === 'none') return;
  const { outputs } = JSON.parse(text) as { outputs: { name: string; data: number[] }[] };
  const labels = outputs.find((output) => output.name === 'label')?.data.flat() ?? [];
  if (labels.length !== rows || labels.some((label) => label !== 0)) {
    throw new Error(
      `${name} answered ${labels.length} labels, ${labels.slice(0, 5).join(', ')}, to ${rows} rows of setosa`,
    );
  }
}
