import type { ItemError, MiniBatch, PartFile, RowRange } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';
import { setImmediate } from 'node:timers/promises';
import { rmSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { FileProblem, fileProblemOf } from '../input/file-problem.ts';
import { PartWriter } from '../parts/part-writer.ts';
import { sourceOf } from '../parts/write-failed-part.ts';
import { RowBatch } from './row-batch.ts';
import { RowLinesWriter, type LineForm } from './row-lines-writer.ts';
import type { RowModel } from './row-model.ts';
import { readRows } from './read-rows.ts';

export interface ScoreRequest {
  batch: MiniBatch & { rows: RowRange };
  /** Path of the file of lines; absent: none is kept. */
  part: string | undefined;
  /** Path of the file of failed items. */
  errors: string;
  runs: number;
  columns: readonly string[] | undefined;
  form: LineForm;
}

export interface Scored {
  succeeded: number;
  failed: number;
  part?: PartFile;
  errors?: PartFile;
}

/** The disk refused what was to be written, which is nobody's fault here. */
export class NotWritten extends Error {
  override readonly name = 'NotWritten';
}

interface RowError {
  row: number;
  reason: string;
  message: string;
}

/** Failed rows that are held until the rows before them have run. */
const errorsHeldMax = 4_096;
/** How long others wait while rows are scored: whoever says stop, and the channel's end. */
const blockedMs = 20;

/**
 * Scores the rows of one mini-batch and writes a line for each that succeeds, and one for each that fails. A file that is not what was
 * listed, before or afterwards, fails all of its rows. Rejects with NotWritten, or what no data can cause.
 */
export async function scoreRows(model: RowModel, request: ScoreRequest): Promise<Scored> {
  const { rows } = request.batch;
  if (rows.problem !== undefined) return failAll(request, rows.problem);
  const run = new RowsRun(model, request);
  try {
    return await run.score();
  } catch (thrown) {
    run.abandon();
    return failAll(request, fileProblemOf(thrown));
  }
}

/** What was written until now does not count. */
async function failAll(request: ScoreRequest, why: { reason: string; message: string }): Promise<Scored> {
  const { batch, errors: path, part, runs } = request;
  for (const file of [path, part]) if (file !== undefined) rmSync(file, { force: true });
  const writer = new PartWriter(dirname(path), basename(path));
  const { reason } = why;
  const message = batch.rows.problem === undefined ? `${batch.rows.file.path} ${why.message}` : why.message;
  try {
    for (let place = 0; place < batch.items; place++) {
      writing(() =>
        writeError(writer, { item: batch.firstItem + place, source: sourceOf(batch, place), reason, message, runs }),
      );
    }
    const written = writing(() => writer.close());
    return { succeeded: 0, failed: batch.items, ...(written === undefined ? {} : { errors: written }) };
  } finally {
    writer.abandon();
  }
}

class RowsRun {
  readonly #model: RowModel;
  readonly #request: ScoreRequest;
  readonly #batch: RowBatch;
  readonly #part: PartWriter | undefined;
  readonly #lines: RowLinesWriter | undefined;
  readonly #errors: PartWriter;
  #held: RowError[] = [];
  #succeeded = 0;
  #failed = 0;
  #yieldedMs = performance.now();

  constructor(model: RowModel, request: ScoreRequest) {
    this.#model = model;
    this.#request = request;
    this.#batch = new RowBatch(model.inputs, model.rowsMax);
    const { part, errors, form, batch } = request;
    this.#part = part === undefined ? undefined : new PartWriter(dirname(part), basename(part));
    this.#lines = this.#part && new RowLinesWriter(this.#part, form, model.outputs, batch.rows.file.path);
    this.#errors = new PartWriter(dirname(errors), basename(errors));
  }

  async score(): Promise<Scored> {
    const { batch: miniBatch, columns } = this.#request;
    const { rows } = miniBatch;
    let row = rows.firstRow;
    for await (const take of readRows(rows, this.#model.inputs, columns)) {
      // Each call takes one row more; undefined: more bytes are needed.
      for (let took = take(this.#batch); took !== undefined; took = take(this.#batch)) {
        if (took === true) this.#batch.add(row);
        else this.#hold({ row, reason: 'BadRow', message: took });
        row += 1;
        if (this.#batch.rows === this.#batch.capacity) await this.#run();
      }
    }
    await this.#run();
    const found = row - rows.firstRow;
    if (found !== miniBatch.items)
      throw new FileProblem('FileChanged', `has ${found} rows where ${miniBatch.items} were listed`);
    return writing(() => this.#close());
  }

  abandon(): void {
    this.#part?.abandon();
    this.#errors.abandon();
  }

  #close(): Scored {
    this.#lines?.flush();
    const part = this.#part?.close();
    const errors = this.#errors.close();
    return {
      succeeded: this.#succeeded,
      failed: this.#failed,
      ...(part === undefined ? {} : { part }),
      ...(errors === undefined ? {} : { errors }),
    };
  }

  #hold(error: RowError): void {
    this.#held.push(error);
    if (this.#held.length >= errorsHeldMax && this.#batch.rows === 0) this.#writeErrors();
  }

  async #run(): Promise<void> {
    if (this.#batch.rows > 0) this.#runPart(0, this.#batch.rows);
    this.#batch.clear();
    this.#writeErrors();
    if (performance.now() - this.#yieldedMs < blockedMs) return;
    await setImmediate();
    this.#yieldedMs = performance.now();
  }

  /** Halves what fails until it is known which rows it is. */
  #runPart(from: number, to: number): void {
    const result = this.#tryRun(from, to);
    if (result instanceof PlatformError) {
      if (to - from === 1) {
        const row = this.#batch.numbers[from] as number;
        this.#held.push({ row, reason: 'ModelFailed', message: result.message });
        return;
      }
      const middle = (from + to) >>> 1;
      this.#runPart(from, middle);
      this.#runPart(middle, to);
      return;
    }
    this.#succeeded += to - from;
    writing(() => this.#lines?.write(result.outputs, this.#batch.numbers, from, to - from, result.hasRows));
  }

  #tryRun(from: number, to: number): ReturnType<RowModel['run']> | PlatformError {
    try {
      return this.#model.run(this.#batch, from, to);
    } catch (thrown) {
      if (thrown instanceof PlatformError) return thrown;
      throw thrown;
    }
  }

  #writeErrors(): void {
    if (this.#held.length === 0) return;
    const { batch, runs } = this.#request;
    const held = this.#held.toSorted((a, b) => a.row - b.row);
    this.#held = [];
    this.#failed += held.length;
    for (const { row, reason, message } of held) {
      const place = row - batch.rows.firstRow;
      const error = { item: batch.firstItem + place, source: sourceOf(batch, place), reason, message, runs };
      writing(() => writeError(this.#errors, error));
    }
  }
}

function writeError(writer: PartWriter, error: ItemError): void {
  writer.writeLine(JSON.stringify(error));
}

function writing<T>(work: () => T): T {
  try {
    return work();
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).syscall === undefined) throw thrown;
    throw new NotWritten((thrown as Error).message);
  }
}
