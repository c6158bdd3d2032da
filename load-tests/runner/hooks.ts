import { registerHooks } from 'node:module';
import { RunError } from './errors.ts';

const modules: Readonly<Record<string, string>> = {
  k6: 'core',
  'k6/data': 'data',
  'k6/encoding': 'encoding',
  'k6/execution': 'execution',
  'k6/http': 'http',
  'k6/metrics': 'metrics',
  'k6/net/grpc': 'grpc',
  'k6/timers': 'timers',
};

/**
 * Lets scripts import k6's modules, and gives each virtual user its own copy of every script module: as in k6, a
 * variable at a module's top level belongs to one virtual user. The copy is marked by `?vu=N` in the module's address.
 */
export function installHooks(): void {
  registerHooks({
    resolve(specifier, context, nextResolve) {
      const copy = /\?vu=\d+$/.exec(context.parentURL ?? '')?.[0];
      if (copy === undefined) return nextResolve(specifier, context);
      const k6Module = modules[specifier];
      if (k6Module !== undefined) {
        return { url: new URL(`./k6/${k6Module}.ts`, import.meta.url).href, shortCircuit: true };
      }
      refuseForeign(specifier);
      const resolved = nextResolve(specifier, context);
      return { ...resolved, url: resolved.url + copy };
    },
  });
}

/** What k6 would not find either, or what the stand-in lacks. */
function refuseForeign(specifier: string): void {
  if (/^(\.\.?\/|\/|file:)/.test(specifier)) return;
  if (/^k6(\/|$)/.test(specifier)) {
    const known = Object.keys(modules).join(', ');
    throw new RunError('scriptException', `the stand-in runner has no '${specifier}'; it has ${known}`);
  }
  const why = /^https?:/.test(specifier) ? 'keep a copy beside the script' : "k6 has neither Node's modules nor npm's";
  throw new RunError('scriptException', `'${specifier}' cannot be imported by a load test: ${why}`);
}
