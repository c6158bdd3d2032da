import { readdir, readFile } from 'node:fs/promises';

/** Linux's page size on the machines that Node runs on; larger ones make the limit a little looser. */
const pageBytes = 4_096;
const lookMs = 250;
/** Of one tree; whoever starts more is not looked at further. */
const processesMax = 1_000;

/**
 * Calls `onOver` once when the process and all that it started hold more than `limitMib`; looks four times a second, and never where there is
 * no /proc. Returns what ends it.
 */
export function watchMemory(pid: number, limitMib: number, onOver: (mib: number) => void): () => void {
  const look = async (): Promise<void> => {
    const mib = await treeMib(pid).catch(() => Number.NaN);
    if (mib <= limitMib) return;
    clearInterval(timer);
    if (mib > limitMib) onOver(mib);
  };
  const timer = setInterval(() => void look(), lookMs);
  timer.unref();
  return () => clearInterval(timer);
}

async function treeMib(root: number): Promise<number> {
  let mib = await residentMib(root);
  const found = [root];
  for (let at = 0; at < found.length && found.length < processesMax; at += 1) {
    // One that ends meanwhile holds nothing.
    const children = await childrenOf(found[at] ?? 0).catch(() => []);
    found.push(...children);
    for (const child of children) mib += await residentMib(child).catch(() => 0);
  }
  return mib;
}

/** Children hang on the thread that made them. */
async function childrenOf(pid: number): Promise<number[]> {
  const threads = await readdir(`/proc/${pid}/task`);
  const lists = await Promise.all(threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/children`, 'latin1')));
  return lists.flatMap((list) => list.split(' ').filter(Boolean).map(Number));
}

async function residentMib(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/statm`, 'latin1');
  return (Number(text.split(' ')[1]) * pageBytes) / 2 ** 20;
}
