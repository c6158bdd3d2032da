export { eventually } from './eventually.ts';
export { fixture } from './fixture.ts';
export { seeded, seededBelow } from './seeded.ts';
export { tempDir, type TempDir } from './temp-dir.ts';
export { startTestNats, type TestNats } from './test-nats.ts';
export { startTraceCollector, type ExportedSpan, type TraceCollector } from './trace-collector.ts';
