import { refusal } from '@mooring/domain';
import { ok, type Handler } from '../http/call.ts';
import type { ManagementPorts } from '../ports.ts';

const eventsMax = 10_000;
const eventsDefault = 100;

/** The latest control actions, newest first. */
export function createAuditEvents({ audit }: ManagementPorts): Handler {
  return async ({ query }) => {
    const given = Object.entries(query).find(([name]) => name.toLowerCase() === '$top')?.[1];
    const top = given === undefined ? eventsDefault : /^\d{1,6}$/.test(String(given)) ? Number(given) : Number.NaN;
    if (!(top >= 1 && top <= eventsMax)) {
      const expected = `a whole number from 1 to ${eventsMax}`;
      throw refusal('query', [{ path: '$top', problem: 'is not allowed', expected }]);
    }
    return ok({ value: await audit.recent(top) });
  };
}
