import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../bench/processes/child.ts';
import type { Platform } from './platform.ts';

const workspace =
  '/subscriptions/local/resourceGroups/local/providers/Microsoft.MachineLearningServices/workspaces/default';
const callMs = 30_000;
const settledMs = 120_000;

export interface Resource {
  location: string;
  properties: Record<string, unknown> & { provisioningState?: string };
}

/** The management REST of a platform: a command of the CLI is a process, whose own CPU time would be measured as well. */
export class Management {
  readonly #platform: Platform;
  readonly #signal: AbortSignal;

  constructor(platform: Platform, signal: AbortSignal) {
    this.#platform = platform;
    this.#signal = signal;
  }

  /** Undefined when there is none. `path` is below the workspace, such as `/onlineEndpoints/cars`. */
  async get(path: string): Promise<Resource | undefined> {
    const answer = await this.#send('GET', path);
    if (answer.status === 404) return undefined;
    return (await answer.json()) as Resource;
  }

  async put(path: string, resource: Resource): Promise<void> {
    await (await this.#send('PUT', path, resource)).arrayBuffer();
  }

  async remove(path: string): Promise<void> {
    await (await this.#send('DELETE', path)).arrayBuffer();
  }

  /** Waits until a change has come to its end, good or bad, and says which. */
  async settled(path: string): Promise<string> {
    let state = '';
    const isOver = async (): Promise<boolean> => {
      state = (await this.get(path))?.properties.provisioningState ?? 'Gone';
      return ['Succeeded', 'Failed', 'Canceled', 'Gone'].includes(state);
    };
    await until(isOver, settledMs, this.#signal, () => `${path} is ${state} after ${settledMs / 1_000} s`);
    return state;
  }

  async gone(path: string): Promise<void> {
    const isGone = async (): Promise<boolean> => (await this.get(path)) === undefined;
    await until(isGone, settledMs, this.#signal, () => `${path} is not gone after ${settledMs / 1_000} s`);
  }

  async #send(method: string, path: string, body?: Resource): Promise<Response> {
    const token = readFileSync(join(this.#platform.data, 'secrets', 'admin.token'), 'utf8').trim();
    const url = `${this.#platform.management}${workspace}${path}?api-version=2024-04-01`;
    const answer = await fetch(url, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.any([this.#signal, AbortSignal.timeout(callMs)]),
    });
    if (answer.ok || answer.status === 404) return answer;
    throw new Error(`${method} ${path} was answered ${answer.status} ${await answer.text()}`);
  }
}

/** What a GET gives, as a PUT takes it. */
export function asPut({ location, properties }: Resource): Resource {
  const { provisioningState: _state, ...rest } = properties;
  return { location, properties: rest };
}
