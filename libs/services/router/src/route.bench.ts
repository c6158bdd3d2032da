/**
 * `node route.bench.ts`: CPU of one routed call without any network, microseconds; with one endpoint and with a thousand more of
 * three deployments each, in turn. And of one that is refused, since its deployment is full.
 */
import { FakeInstance, hang, jsonReply, routing } from './testing/fake-instance.ts';
import { testRouter, type TestRouter } from './testing/test-router.ts';

const calls = 100_000;
const rounds = 5;

function routerWith(moreEndpoints: number): TestRouter {
  const router = testRouter();
  const answer = jsonReply({});
  for (const id of ['a', 'b', 'c', 'd']) {
    const fake = router.instance('martina', new FakeInstance(id));
    // Answers at once and keeps nothing: what is measured is the router.
    fake.score = () => Promise.resolve(answer);
  }
  for (let n = 0; n < moreEndpoints; n += 1) {
    const record = routing({ endpoint: `more-${n}`, names: ['martina', 'luca', 'emma'] });
    router.directory.applyRouting(`more-${n}`, record, n + 2);
  }
  return router;
}

/** As many calls as it takes are open, and are never answered. */
function fullRouter(): TestRouter {
  const record = routing({ names: ['martina'] });
  for (const route of Object.values(record.deployments)) route.maxConcurrentRequestsPerInstance = 8;
  const router = testRouter({ record });
  router.instance('martina', new FakeInstance('a', hang));
  for (let call = 0; call < 16; call += 1) void router.score();
  return router;
}

async function usPerCall(router: TestRouter): Promise<number> {
  const before = process.cpuUsage();
  for (let i = 0; i < calls; i += 16) await Promise.all(Array.from({ length: 16 }, () => router.score()));
  const { user, system } = process.cpuUsage(before);
  return (user + system) / calls;
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

const [one, many] = [routerWith(0), routerWith(1_000)];
await usPerCall(one);
await usPerCall(many);
const pairs: { one: number; many: number }[] = [];
for (let round = 0; round < rounds; round += 1) {
  pairs.push({ one: await usPerCall(one), many: await usPerCall(many) });
}
const shown = (of: 'one' | 'many'): string => `${median(pairs.map((pair) => pair[of])).toFixed(1)} us CPU per call`;
console.log(`route, 16 in flight, 4 instances: ${shown('one')}; among 3,000 more deployments: ${shown('many')}`);
console.log(`ratio ${median(pairs.map((pair) => pair.many / pair.one)).toFixed(2)}, medians of ${rounds} rounds`);

const full = fullRouter();
await usPerCall(full);
const refused: number[] = [];
for (let round = 0; round < rounds; round += 1) refused.push(await usPerCall(full));
console.log(`refused: ${median(refused).toFixed(1)} us CPU per call`);
