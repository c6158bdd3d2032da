export interface CheckCount {
  readonly name: string;
  readonly group: string;
  passes: number;
  fails: number;
}

/** How often each check passed and failed, in the order in which they were first seen. */
export class Checks {
  private readonly byPath = new Map<string, CheckCount>();

  count(group: string, name: string, passed: boolean): void {
    const path = `${group}::${name}`;
    let known = this.byPath.get(path);
    if (known === undefined) {
      known = { name, group, passes: 0, fails: 0 };
      this.byPath.set(path, known);
    }
    if (passed) known.passes += 1;
    else known.fails += 1;
  }

  get all(): readonly CheckCount[] {
    return [...this.byPath.values()];
  }
}
