import { describe, expect, it } from 'vitest';
import { pino } from 'pino';
import { defineModule, startModules, startOrder, type Lifecycle, type Module } from './index.ts';

const context = { environment: {}, log: pino({ enabled: false }) };

function recorded(name: string, events: string[], needs: Record<string, Module> = {}, extra: Lifecycle = {}): Module {
  return defineModule({
    name,
    needs,
    create: () => ({
      start: async () => void events.push(`start ${name}`),
      stop: async () => void events.push(`stop ${name}`),
      ...extra,
    }),
  });
}

describe('startModules', () => {
  it('starts what is needed first and stops in reverse', async () => {
    const events: string[] = [];
    const nats = recorded('nats', events);
    const registry = recorded('registry', events, { nats });
    const router = recorded('router', events, { nats, registry });
    const running = await startModules([router], context);
    expect(await running.stop(1000)).toEqual([]);
    expect(events).toEqual([
      'start nats',
      'start registry',
      'start router',
      'stop router',
      'stop registry',
      'stop nats',
    ]);
  });

  it('stops the rest when one stop throws and another hangs', async () => {
    const events: string[] = [];
    const a = recorded('a', events);
    const hangs = recorded('hangs', events, { a }, { stop: () => new Promise(() => {}) });
    const throws = recorded(
      'throws',
      events,
      { hangs },
      {
        stop: async () => {
          throw new Error('cannot');
        },
      },
    );
    const running = await startModules([throws], context);
    const failures = await running.stop(20);
    expect(failures.map((f) => f.module)).toEqual(['throws', 'hangs']);
    expect(events).toContain('stop a');
  });

  it('names the module that fails to start and stops those before it', async () => {
    const events: string[] = [];
    const a = recorded('a', events);
    const b = recorded(
      'b',
      events,
      { a },
      {
        start: async () => {
          throw new Error('port taken');
        },
      },
    );
    await expect(startModules([b], context)).rejects.toThrow('b failed to start: port taken');
    expect(events).toEqual(['start a', 'stop a']);
  });
});

describe('stopAlone', () => {
  it('stops only what must not run twice, and a later stop the rest', async () => {
    const events: string[] = [];
    const nats = recorded('nats', events);
    const registry = recorded('registry', events, { nats });
    const controller = { ...recorded('controller', events, { nats }), alone: true };
    const running = await startModules([registry, controller], context);
    events.length = 0;
    expect(await running.stopAlone(1000)).toEqual([]);
    expect(events).toEqual(['stop controller']);
    expect(await running.stop(1000)).toEqual([]);
    expect(events).toEqual(['stop controller', 'stop registry', 'stop nats']);
  });

  it('tells what it stops that another process takes over', async () => {
    const reasons: string[] = [];
    const module = defineModule({
      name: 'controller',
      needs: {},
      alone: true,
      create: () => ({ stop: async (_signal: AbortSignal, why: string) => void reasons.push(why) }),
    });
    await (await startModules([module], context)).stopAlone(1000);
    expect(reasons).toEqual(['replaced']);
  });
});

describe('startOrder', () => {
  it('refuses a circle and names it', () => {
    const a: { name: string; needs: Record<string, Module>; create: () => Lifecycle } = {
      name: 'a',
      needs: {},
      create: () => ({}),
    };
    const b = { name: 'b', needs: { a }, create: () => ({}) };
    a.needs = { b };
    expect(() => startOrder([b])).toThrow('b -> a -> b');
  });
});
