import { readFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { resolve } from 'node:path';
import { messageOf, RunError } from './errors.ts';
import { findScope, requireInit, runIn, type Scope } from './scope.ts';

export type ScriptFunction = (data: unknown) => unknown;
export type ScriptExports = Readonly<Record<string, unknown>>;

/** Runs the script's top level for one virtual user. */
export async function loadScript(path: string, scope: Scope): Promise<ScriptExports> {
  const url = `${pathToFileURL(path).href}?vu=${scope.vu.id}`;
  try {
    return await runIn(scope, () => import(url) as Promise<ScriptExports>);
  } catch (error) {
    if (error instanceof RunError) throw error;
    const where = error instanceof Error ? (error.stack ?? error.message) : String(error);
    throw new RunError('scriptException', `the script's top level failed: ${where}`, { cause: error });
  }
}

export function findFunction(exports: ScriptExports, name: string): ScriptFunction | undefined {
  const found = exports[name];
  return typeof found === 'function' ? (found as ScriptFunction) : undefined;
}

const opened = new Map<string, Buffer>();

/** The names that k6 scripts find without an import. */
export function installGlobals(): void {
  const scopeValue = <T>(read: (scope: Scope) => T) => ({
    configurable: true,
    get(): T | undefined {
      const scope = findScope();
      return scope === undefined ? undefined : read(scope);
    },
  });
  Object.defineProperties(globalThis, {
    __ENV: scopeValue(({ test, scenario }) =>
      scenario === undefined ? test.environment : { ...test.environment, ...scenario.environment },
    ),
    __VU: scopeValue(({ vu }) => vu.id),
    __ITER: scopeValue(({ iteration }) => iteration),
    open: { configurable: true, value: open },
  });
}

/** Relative to the main script's folder, as in k6, or a file: address from `import.meta.resolve`. */
function open(path: string, mode?: string): string | ArrayBuffer {
  const { test } = requireInit('open()');
  const file = scriptPath(test.scriptFolder, path);
  let bytes = opened.get(file);
  if (bytes === undefined) {
    try {
      bytes = readFileSync(file);
    } catch (error) {
      throw new Error(`open('${path}'): ${messageOf(error)}`, { cause: error });
    }
    opened.set(file, bytes);
  }
  if (mode !== 'b') return bytes.toString('utf8');
  return new Uint8Array(bytes).buffer;
}

export function scriptPath(folder: string, path: string): string {
  return path.startsWith('file:') ? fileURLToPath(path.replace(/\?vu=\d+$/, '')) : resolve(folder, path);
}
