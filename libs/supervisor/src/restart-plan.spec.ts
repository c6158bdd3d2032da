import { describe, expect, it } from 'vitest';
import { processesToRestart } from './restart-plan.ts';
import { processesOf } from './topology.ts';

describe('what a restart means', () => {
  it.each([
    { topology: 'default', name: undefined, want: ['control', 'edge'], why: 'all but NATS' },
    { topology: 'default', name: 'edge', want: ['edge'], why: 'a process' },
    { topology: 'default', name: 'router', want: ['edge'], why: 'the process that runs the service' },
    { topology: 'default', name: 'nats', want: ['nats'], why: 'NATS only when it is named' },
    { topology: 'single', name: 'edge', want: ['platform'], why: 'the group is a part of the one process' },
    { topology: 'split', name: 'edge', want: ['router', 'gateway'], why: 'the group is two processes' },
    { topology: 'split', name: 'registry', want: ['registry'], why: 'a service of its own' },
  ] as const)('$name in topology $topology is $want ($why)', ({ topology, name, want }) => {
    expect(processesToRestart(processesOf(topology), name, true)).toEqual(want);
  });

  it('edge is all data-plane processes, edge-2 is one of them', () => {
    const plans = processesOf('default', 3);
    expect(processesToRestart(plans, 'edge', true)).toEqual(['edge', 'edge-2', 'edge-3']);
    expect(processesToRestart(plans, 'edge-2', true)).toEqual(['edge-2']);
  });

  it.each(['frontdoor', 'constructor', '', 'scorer'])("refuses '%s' and names what there is", (name) => {
    expect(() => processesToRestart(processesOf('default'), name, true)).toThrow(
      /no process or service '.*'; there are: edge, control, auth, .*gateway, nats$/,
    );
  });

  it('a NATS that is not ours cannot be restarted', () => {
    expect(() => processesToRestart(processesOf('default'), 'nats', false)).toThrow(/no process or service 'nats'/);
  });
});
