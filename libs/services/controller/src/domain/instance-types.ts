import type { MooringSettings } from '@mooring/domain';

/** CPU cores (fractions allowed) and memory that one instance may use. */
export interface Limits {
  cpu: number;
  memoryMib: number;
}

const gib = 1024;

/** Sizes of the first D series, which follow no rule: [cores, GiB]. */
const dSeries: Readonly<Record<number, readonly [number, number]>> = {
  1: [1, 3.5],
  2: [2, 7],
  3: [4, 14],
  4: [8, 28],
  5: [16, 56],
  11: [2, 14],
  12: [4, 28],
  13: [8, 56],
  14: [16, 112],
  15: [20, 140],
};

/** GiB per core of the families whose number is the number of cores. */
const gibPerCore: Readonly<Record<string, number>> = { d: 4, e: 8, f: 2, b: 4, l: 8 };

/** `Standard_<family><size><features>[_v<version>]`, such as Standard_DS3_v2, Standard_F4s_v2, Standard_D2as_v4. */
const pattern = /^standard_(?<family>[a-z])(?<s>s?)(?<size>\d+)(?<features>[a-z]*)(?:_v(?<version>\d+))?$/i;

/** What an Azure VM size offers, or undefined for one that is not known (GPU sizes among them). */
export function limitsOfInstanceType(instanceType: string): Limits | undefined {
  const groups = pattern.exec(instanceType)?.groups;
  if (groups === undefined) return undefined;
  const family = (groups['family'] ?? '').toLowerCase();
  const size = Number(groups['size']);
  const version = Number(groups['version'] ?? '1');
  if (family === 'd' && version <= 2) {
    const [cpu, memoryGib] = dSeries[size] ?? [];
    return cpu === undefined || memoryGib === undefined ? undefined : { cpu, memoryMib: memoryGib * gib };
  }
  const perCore = gibPerCore[family];
  if (perCore === undefined || size < 1 || size > 416) return undefined;
  return { cpu: size, memoryMib: size * perCore * gib };
}

/**
 * The limits of one instance: the deployment's own `mooring.cpu` and `mooring.memory-mib`, else its instance type's; never
 * more than the machine has.
 */
export function resolveLimits(
  instanceType: string,
  settings: Pick<MooringSettings, 'cpu' | 'memoryMib'>,
  machine: Limits,
): { limits: Limits; warnings: string[] } {
  const ofType = limitsOfInstanceType(instanceType);
  const warnings: string[] = [];
  if (ofType === undefined && (settings.cpu === undefined || settings.memoryMib === undefined)) {
    warnings.push(
      `instance_type '${instanceType}' is not a size that local compute knows: an instance may use the whole machine ` +
        `(${machine.cpu} cores, ${machine.memoryMib} MiB). Set properties mooring.cpu and mooring.memory-mib to limit it.`,
    );
  }
  const wanted = { ...(ofType ?? machine) };
  if (settings.cpu !== undefined) wanted.cpu = settings.cpu;
  if (settings.memoryMib !== undefined) wanted.memoryMib = settings.memoryMib;
  return {
    limits: { cpu: Math.min(wanted.cpu, machine.cpu), memoryMib: Math.min(wanted.memoryMib, machine.memoryMib) },
    warnings,
  };
}
