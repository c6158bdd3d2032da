import { ModelInferResponse } from '@mooring/contracts/inference';
import { Protocol } from '@mooring/contracts/scoring';
import type { ScoreReply } from '@mooring/scoring-stream';
import { compareJson } from './compare-json.ts';
import { Differences } from './compare-numbers.ts';
import { compareInferResponses, compareRaw } from './compare-tensors.ts';

export interface ComparisonRule {
  tolerance: number;
  /** JSON paths that do not count, see compareJson. */
  ignore: readonly string[];
  /** Larger answers are compared byte by byte only. */
  bytesMax: number;
}

export interface Comparison {
  result: 'equal' | 'within' | 'differs' | 'failed';
  /** First difference; empty when equal. */
  where: string;
  maxDifference?: number;
}

/** Fields in which the Open Inference Protocol echoes names: a mirror's own name there is no difference. */
const oipEchoes = ['model_name', 'model_version'];

/**
 * Compares a mirrored answer with the live one. `failed`: the mirror gave no answer where the live deployment gave one.
 * The same refusal from both (say, 400 for a bad input) is `equal`. Never throws.
 */
export function compareReplies(
  protocol: Protocol,
  live: ScoreReply,
  mirror: ScoreReply,
  rule: ComparisonRule,
): Comparison {
  if (live.errorCode !== '' || mirror.errorCode !== '') return compareFailures(live, mirror);
  if (live.status !== mirror.status) return { result: 'differs', where: 'status' };
  if (live.body.equals(mirror.body)) return { result: 'equal', where: '' };
  if (Math.max(live.body.length, mirror.body.length) > rule.bytesMax) return { result: 'differs', where: 'body' };
  const found = new Differences(rule.tolerance);
  try {
    compareBodies(protocol, live, mirror, rule, found);
  } catch {
    // Not what its content type says, in one of the two: the bytes differ, and nothing more can be said.
    return { result: 'differs', where: 'body' };
  }
  const measured = found.maxDifference === undefined ? {} : { maxDifference: found.maxDifference };
  if (found.first !== undefined) return { result: 'differs', where: found.first, ...measured };
  if (found.firstWithin !== undefined) return { result: 'within', where: found.firstWithin, ...measured };
  return { result: 'equal', where: '' };
}

function compareFailures(live: ScoreReply, mirror: ScoreReply): Comparison {
  if (mirror.errorCode === '') return { result: 'differs', where: 'status' };
  const same = live.errorCode === mirror.errorCode && live.errorReason === mirror.errorReason;
  if (same && live.status === mirror.status) return { result: 'equal', where: '' };
  return { result: 'failed', where: mirror.errorReason || mirror.errorCode };
}

function compareBodies(
  protocol: Protocol,
  live: ScoreReply,
  mirror: ScoreReply,
  rule: ComparisonRule,
  found: Differences,
): void {
  if (protocol === Protocol.PROTOCOL_OIP_GRPC) {
    compareInferResponses(ModelInferResponse.decode(live.body), ModelInferResponse.decode(mirror.body), found);
    return;
  }
  const ignore = new Set(protocol === Protocol.PROTOCOL_OIP_REST ? [...rule.ignore, ...oipEchoes] : rule.ignore);
  if (live.inferenceHeaderLengthPlusOne > 0 && mirror.inferenceHeaderLengthPlusOne > 0) {
    compareBinary(live, mirror, ignore, found);
    return;
  }
  compareJson(parseAnswer(live.body), parseAnswer(mirror.body), ignore, found);
}

/** A script that returns `json.dumps(...)` answers with a JSON string that holds JSON: what is inside counts. */
function parseAnswer(body: Buffer): unknown {
  const value: unknown = JSON.parse(body.toString('utf8'));
  if (typeof value !== 'string' || !/^\s*[[{]/.test(value)) return value;
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return value;
  }
}

interface BinaryOutput {
  name?: unknown;
  datatype?: unknown;
  parameters?: { binary_data_size?: unknown };
}

/** Binary tensor extension: JSON first, then the raw tensors in the order in which the JSON names them. */
function compareBinary(live: ScoreReply, mirror: ScoreReply, ignore: ReadonlySet<string>, found: Differences): void {
  const [left, right] = [splitBinary(live), splitBinary(mirror)];
  compareJson(left.header, right.header, ignore, found);
  if (found.first !== undefined) return;
  left.tensors.forEach((tensor, index) => {
    const other = right.tensors[index];
    if (other === undefined) found.differs(`outputs[${index}]`);
    else compareRaw(tensor.bytes, other.bytes, tensor.datatype, tensor.name, found);
  });
}

function splitBinary(answer: ScoreReply): {
  header: unknown;
  tensors: { name: string; datatype: string; bytes: Buffer }[];
} {
  let offset = answer.inferenceHeaderLengthPlusOne - 1;
  const header = JSON.parse(answer.body.subarray(0, offset).toString('utf8')) as { outputs?: BinaryOutput[] };
  const tensors = (header.outputs ?? []).flatMap((output) => {
    const size = output.parameters?.binary_data_size;
    if (typeof size !== 'number') return [];
    const bytes = answer.body.subarray(offset, offset + size);
    offset += size;
    return [{ name: String(output.name), datatype: String(output.datatype), bytes }];
  });
  return { header, tensors };
}
