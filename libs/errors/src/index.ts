export { PlatformError, type PlatformErrorOptions, type FieldProblem } from './platform-error.ts';
export { boundary, errorCodes, codeFromGrpc, codeFromHttp, type ErrorCode, type Boundary } from './code-table.ts';
export { didYouMean, nearMiss } from './near-miss.ts';
