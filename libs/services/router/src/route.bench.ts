/** `node route.bench.ts`: CPU of one routed call without any network, microseconds. */
import { FakeInstance, jsonReply } from './testing/fake-instance.ts';
import { testRouter } from './testing/test-router.ts';

const calls = 200_000;
const router = testRouter();
const answer = jsonReply({});
for (const id of ['a', 'b', 'c', 'd']) {
  const fake = router.instance('martina', new FakeInstance(id));
  // Answers at once and keeps nothing: what is measured is the router.
  fake.score = () => Promise.resolve(answer);
}
const round = async (): Promise<number> => {
  const before = process.cpuUsage();
  for (let i = 0; i < calls; i += 16) await Promise.all(Array.from({ length: 16 }, () => router.score()));
  const { user, system } = process.cpuUsage(before);
  return (user + system) / calls;
};
await round();
console.log(`route: ${(await round()).toFixed(1)} us CPU per call, 16 in flight, 4 instances`);
