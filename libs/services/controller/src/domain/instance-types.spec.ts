import { describe, expect, it } from 'vitest';
import { limitsOfInstanceType, resolveLimits } from './instance-types.ts';

const machine = { cpu: 2, memoryMib: 8192 };
const none = { cpu: undefined, memoryMib: undefined };

describe('limitsOfInstanceType', () => {
  it.each([
    ['Standard_DS1_v2', 1, 3.5],
    ['Standard_DS2_v2', 2, 7],
    ['Standard_DS3_v2', 4, 14],
    ['Standard_DS4_v2', 8, 28],
    ['Standard_D13_v2', 8, 56],
    ['Standard_F2s_v2', 2, 4],
    ['Standard_F16s', 16, 32],
    ['Standard_E2s_v3', 2, 16],
    ['Standard_E4as_v4', 4, 32],
    ['Standard_D2as_v4', 2, 8],
    ['standard_d4s_v5', 4, 16],
  ])('knows %s: %d cores, %d GiB', (name, cpu, gib) => {
    expect(limitsOfInstanceType(name)).toEqual({ cpu, memoryMib: gib * 1024 });
  });

  it.each(['Standard_NC6s_v3', 'Standard_DS6_v2', 'large', '', 'Standard_D', 'Standard_D0s_v3'])(
    'does not guess %s',
    (name) => expect(limitsOfInstanceType(name)).toBeUndefined(),
  );
});

describe('resolveLimits', () => {
  it('takes the instance type as far as the machine goes', () => {
    expect(resolveLimits('Standard_DS1_v2', none, machine)).toEqual({
      limits: { cpu: 1, memoryMib: 3584 },
      warnings: [],
    });
    expect(resolveLimits('Standard_DS5_v2', none, machine).limits).toEqual(machine);
  });

  it('lets the properties win, each by itself', () => {
    expect(resolveLimits('Standard_DS1_v2', { cpu: 0.5, memoryMib: undefined }, machine).limits).toEqual({
      cpu: 0.5,
      memoryMib: 3584,
    });
  });

  it('accepts an unknown type with the whole machine and says so', () => {
    const { limits, warnings } = resolveLimits('Standard_NC6s_v3', none, machine);
    expect(limits).toEqual(machine);
    expect(warnings[0]).toContain("'Standard_NC6s_v3'");
    expect(resolveLimits('my-type', { cpu: 1, memoryMib: 64 }, machine).warnings).toEqual([]);
  });
});
