import { check } from 'k6';
import http from 'k6/http';
import type { Options } from 'k6/options';

/** One caller for ten seconds: does the path work at all, and is it not absurdly slow? */
export const options: Options = {
  scenarios: { smoke: { executor: 'constant-vus', vus: 1, duration: '10s' } },
  thresholds: { checks: ['rate==1'], http_req_duration: ['p(99)<500'] },
};

declare const __ENV: Record<string, string | undefined>;
declare function open(path: string): string;

const given = __ENV['BODY'] ?? '{"data": [[5.1, 3.5, 1.4, 0.2]]}';
// As curl does: @file means the text of the file. k6 opens files before the test begins only.
const body = given.startsWith('@') ? open(given.slice(1)) : given;

export default async function smoke(): Promise<void> {
  const headers = { authorization: `Bearer ${__ENV['KEY'] ?? ''}`, 'content-type': 'application/json' };
  const answer = await http.asyncRequest('POST', __ENV['URL'] ?? '', body, { headers, timeout: '10s' });
  check(answer, { 'answered 200': (response) => response.status === 200 });
}
