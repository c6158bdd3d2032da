import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JobRecord } from '@mooring/domain';
import { batchEndpointSpec, codeSpec, componentSpec } from '@mooring/domain/testing';
import type { BatchGround } from './ground.ts';

/** Copies a folder file by file, slowly. */
const copy = `
import os, sys, time
source, target = sys.argv[1:3]
for folder, _, files in sorted(os.walk(source)):
    for name in sorted(files):
        time.sleep(float(os.environ["SECONDS_PER_FILE"]))
        with open(os.path.join(folder, name), "rb") as given, open(os.path.join(target, name), "wb") as out:
            out.write(given.read())
`;

const score = `
import os, time
def init():
    pass
def run(mini_batch):
    time.sleep(float(os.environ["SECONDS_PER_FILE"]) * len(mini_batch))
    return [f"{os.path.basename(path)} {os.path.getsize(path)}" for path in mini_batch]
`;

const command = { type: 'command', code: 'azureml:steps:1' };
const folder = { type: 'uri_folder' };

/** A deployment `night/pipeline` of three steps: a slow copy, a parallel script over it, and a report of both. */
export async function deployPipeline(ground: BatchGround, secondsPerFile: number): Promise<void> {
  const code = join(ground.folder.artifacts, 'codes/steps-1');
  mkdirSync(code, { recursive: true });
  writeFileSync(join(code, 'copy.py'), copy);
  writeFileSync(join(code, 'score.py'), score);
  const environment_variables = { SECONDS_PER_FILE: String(secondsPerFile) };
  await ground.putting(async (put) => {
    await put('code', 'steps/1', codeSpec({ path: 'codes/steps-1' }));
    const components = {
      copy: {
        ...command,
        environment_variables,
        inputs: { files: folder },
        outputs: { copied: folder },
        command: 'python copy.py ${{inputs.files}} ${{outputs.copied}}',
      },
      score: {
        type: 'parallel',
        environment_variables,
        inputs: { files: folder },
        outputs: { scores: { type: 'uri_file' } },
        input_data: '${{inputs.files}}',
        mini_batch_size: 4,
        max_concurrency_per_instance: 2,
        task: {
          type: 'run_function',
          code: 'azureml:steps:1',
          entry_script: 'score.py',
          append_row_to: '${{outputs.scores}}',
        },
      },
      report: {
        type: 'command',
        inputs: { files: folder, scores: { type: 'uri_file' } },
        outputs: { report: folder },
        command:
          'cp ${{inputs.scores}} ${{outputs.report}}/scores.txt && ls ${{inputs.files}} > ${{outputs.report}}/names.txt',
      },
    };
    for (const [name, component] of Object.entries(components))
      await put('component', `${name}/1`, componentSpec({ component }));
    const copied = '${{parent.jobs.copy.outputs.copied}}';
    const component = {
      type: 'pipeline',
      inputs: { files: folder },
      outputs: { report: folder },
      jobs: {
        copy: { componentId: 'azureml:copy:1', inputs: { files: '${{parent.inputs.files}}' } },
        score: { componentId: 'azureml:score:1', inputs: { files: copied } },
        report: {
          componentId: 'azureml:report:1',
          inputs: { files: copied, scores: '${{parent.jobs.score.outputs.scores}}' },
          outputs: { report: '${{parent.outputs.report}}' },
        },
      },
    };
    await put('component', 'pipeline/1', componentSpec({ component }));
    await put('batch-endpoint', 'night', batchEndpointSpec());
    await put('batch-deployment', 'night/pipeline', {
      tags: {},
      properties: {},
      type: 'pipeline',
      component: 'pipeline/1',
      settings: { continueOnStepFailure: false, forceRerun: false },
    });
  });
}

/** What is not as it should be of what a job over so many files wrote. */
export function pipelineProblems(artifacts: string, { output }: JobRecord, files: number): string[] {
  const input = filesBelow(join(artifacts, 'data', `files-${files}`));
  const report = join(artifacts, output.container, output.folder, 'report');
  const wanted = {
    'names.txt': input.map(({ name }) => `${name}\n`).join(''),
    'scores.txt': input.map(({ name, bytes }) => `${name} ${bytes}\n`).join(''),
  };
  const there = readdirSync(report).toSorted().join();
  const problems = there === Object.keys(wanted).join() ? [] : [`the report holds ${there}`];
  for (const [name, text] of Object.entries(wanted)) {
    if (readFileSync(join(report, name), 'utf8') !== text) problems.push(`${name} is not as it should be`);
  }
  return problems;
}

function filesBelow(root: string): { name: string; bytes: number }[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => ({ name: entry.name, bytes: statSync(join(entry.parentPath, entry.name)).size }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
