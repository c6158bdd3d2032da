import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { seededBelow, tempDir } from '@mooring/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mutatedLines, type MalformedLine } from './testing/malformed-lines.ts';
import { runLine, type Outcome } from './testing/run-line.ts';

const folder = tempDir();
const cwd = process.cwd();
// No platform runs on it: a line that got past the checks would say so, with another exit code.
const environment = { MOORING_DATA: join(folder.path, 'data') };

beforeAll(() => {
  process.chdir(folder.path);
  writeFileSync('endpoint.yml', 'name: cars\n');
  writeFileSync('bad.yml', 'nmae: cars\nauth_mode: word\n');
  writeFileSync('not.yml', Buffer.from([0xff, 0xfe, 0]));
  writeFileSync('twice.yml', 'name: a\nname: b\n');
  writeFileSync('request.json', '{}');
  writeFileSync('inputs.yml', 'inputs: {raw: {type: uri_folder, path: none}, how: append}\n');
  writeFileSync('big.yml', 'x'.repeat(2 ** 21));
  writeFileSync(
    'deployment.yml',
    'name: luca\nendpoint_name: cars\nmodel: {path: .}\ncode_configuration: {code: code, scoring_script: score.py}\nenvironment: azureml:e:1\ninstance_type: x\n',
  );
  mkdirSync('code');
  writeFileSync('code/score.py', 'def run(:\n');
  symlinkSync('loop.yml', 'loop.yml');
});
afterAll(() => {
  process.chdir(cwd);
  folder.remove();
});

function isHelpfulRefusal({ code, out, err }: Outcome, says?: RegExp): void {
  expect(err).toMatch(/^[A-Z][A-Z_]+: .+/);
  expect(err).toMatch(/\nNext: \S.+\n$/);
  expect(out).toBe('');
  // 1 is for what comes later and for faults of our own.
  if (code === 1) expect(err).toMatch(/^NOT_SUPPORTED_YET: /);
  else expect(code).toBe(/there is no such file/.test(err) ? 3 : 2);
  expect(err).not.toMatch(/UNEXPECTED|\n\s+at |undefined|\[object/);
  expect(err).not.toMatch(/[^\P{Cc}\n\t]/u);
  expect(err.length).toBeLessThan(8000);
  if (says !== undefined) expect(err).toMatch(says);
}

const handPicked: readonly (readonly [line: string, says: RegExp])[] = [
  ['frobnicate', /frobnicate: is not a command/],
  ['online-endpoints list', /did you mean 'online-endpoint'/],
  ['endpoint create -f endpoint.yml', /is not a command/],
  ['online-endpoint creat -f endpoint.yml', /did you mean 'create'/],
  ['online-endpoint -n cars', /needs a verb/],
  ['--name cars', /stands before any command/],
  ['-o json online-endpoint list', /stands before any command/],
  ['online-endpoint create --bogus x', /--bogus: is not a flag/],
  ['online-endpoint create', /name: is missing/],
  ['online-endpoint create -f', /-f: needs a value/],
  ['online-endpoint create -f none.yml', /there is no such file/],
  ['online-endpoint create -f .', /it is a folder/],
  ['online-endpoint create -f bad.yml', /nmae: is not a field \(did you mean 'name'\?\)/],
  ['online-endpoint create -f not.yml', /UTF-16/],
  ['online-endpoint create -f twice.yml', /name: is there twice/],
  ['online-endpoint create -f big.yml', /FILE_TOO_LARGE/],
  ['online-endpoint create -f loop.yml', /leads to itself/],
  ['online-endpoint create -f /dev/zero', /device or pipe/],
  ['online-endpoint create -f deployment.yml', /endpoint_name: is not a field/],
  ['online-endpoint create -f endpoint.yml -n x', /-n: 'x' is not allowed/],
  ['online-endpoint create -f endpoint.yml --auth-mode aad_token', /asks for Entra ID authentication/],
  ['online-endpoint create -f endpoint.yml --auth-mode pass', /auth_mode: 'pass' is not allowed/],
  ['online-endpoint create -f endpoint.yml --set', /--set: needs a value/],
  ['online-endpoint create -f endpoint.yml --set traffic', /'traffic' is not an assignment/],
  ['online-endpoint create -f endpoint.yml --set =x', /is not an assignment/],
  ['online-endpoint create -f endpoint.yml --set a..b=1', /is not an assignment/],
  ['online-endpoint create -f endpoint.yml --set traffic.cars=90', /traffic: sums to 90/],
  ['online-endpoint create -f endpoint.yml --set name.x=1', /no place in a single value/],
  ['online-endpoint create -f endpoint.yml --set colour=red', /colour: is not a field/],
  ['online-endpoint create -f endpoint.yml --set __proto__.x=1', /__proto__: is not a field/],
  ['online-endpoint create -f endpoint.yml --set tags=[', /tags: '\[' is not allowed/],
  ['online-endpoint create -f endpoint.yml --local', /Mooring is local already/],
  ['online-endpoint create -f endpoint.yml --url ftp://x', /--url: 'ftp:\/\/x' is not allowed/],
  ['online-endpoint create -f endpoint.yml --url nowhere', /--url: 'nowhere' is not allowed/],
  ['online-endpoint update', /--name\/-n: is missing/],
  ['online-endpoint update -n cars', /change nothing/],
  ['online-endpoint update -n cars --traffic', /--traffic: needs a value/],
  ['online-endpoint update -n cars --traffic martina', /'martina' is not a share/],
  ['online-endpoint update -n cars --traffic martina=x', /is not a share/],
  ['online-endpoint update -n cars --traffic martina=101', /is not a share/],
  ['online-endpoint update -n cars --traffic martina=-1', /is not a share/],
  ['online-endpoint update -n cars --traffic martina=1.5', /is not a share/],
  ['online-endpoint update -n cars --traffic =90', /is not a share/],
  ['online-endpoint update -n cars --traffic a=b=c', /is not a share/],
  ['online-endpoint update -n cars --traffic ,', /names no deployment/],
  ['online-endpoint update -n cars --mirror-traffic luca=51', /whole number from 0 to 50/],
  ['online-endpoint update -n cars --defaults deployment_name=x', /only batch endpoints have defaults/],
  ['online-endpoint update -n cars --remove', /--remove: needs a value/],
  ['online-endpoint show', /--name\/-n: is missing/],
  ['online-endpoint show cars', /cars: belongs to no flag/],
  ['online-endpoint show -n ../../models', /-n: '..\/..\/models' is not allowed/],
  ['online-endpoint delete -n cars', /NOT_CONFIRMED/],
  ['online-endpoint delete --yes', /--name\/-n: is missing/],
  ['online-endpoint invoke -n cars', /--request-file\/-r: is missing/],
  ['online-endpoint invoke -n cars -r none.json', /there is no such file/],
  ['online-endpoint invoke -n cars -r .', /it is a folder/],
  ['online-endpoint invoke -n cars -r /dev/zero', /device/],
  ['online-endpoint invoke -n cars -r request.json -d ..', /-d: '..' is not allowed/],
  ['online-endpoint regenerate-keys -n cars --key-type tertiary', /one of: primary, secondary/],
  ['online-endpoint get-credentials', /is missing/],
  ['online-endpoint mirror-report -n cars -d !', /is not allowed/],
  ['online-endpoint history', /is missing/],
  ['online-deployment create', /--file\/-f: is missing/],
  ['online-deployment create -f endpoint.yml', /endpoint_name: is missing/],
  ['online-deployment create -f deployment.yml', /score\.py, line 1.*: .*syntax/i],
  ['online-deployment create -f deployment.yml --skip-script-validation --set instance_count=99', /from 1 to 50/],
  ['online-deployment create -f deployment.yml --package-model', /packaged models come/],
  ['online-deployment create -f deployment.yml --vscode-debug', /debugging in an editor/],
  ['online-deployment update -n luca', /--endpoint-name\/-e: is missing/],
  ['online-deployment update -n luca -e cars', /change nothing/],
  ['online-deployment delete -n luca -e cars', /NOT_CONFIRMED/],
  ['online-deployment get-logs -n luca -e cars -l many', /whole number from 1/],
  ['online-deployment get-logs -n luca -e cars -l 0', /whole number from 1/],
  ['online-deployment get-logs -n luca -e cars -c other', /one of: inference-server, storage-initializer/],
  ['model create', /name: is missing/],
  ['model create -n fern', /path: is missing/],
  ['model create -n fern -p none', /there is nothing at/],
  ['model create -n fern -p /dev/zero', /device, pipe or socket/],
  ['model create -n fern -p . -t onnx', /type: 'onnx' is not allowed/],
  ['model create -n fern -p request.json -t mlflow_model', /expected a folder/],
  ['model create -n fern -p azureml://datastores/d/paths/p', /files of a datastore/],
  ['model create -n fern -p . -v a/b', /-v: 'a\/b' is not allowed/],
  ['model create -n fern -p . --registry-name r', /shared registries come/],
  ['model show -n fern -v ..', /is not allowed/],
  ['model show -n fern -l stable', /one of: latest/],
  ['model list --max-results 0', /whole number/],
  ['model update -n fern --datastore x', /datastores of your own come/],
  ['model download -n fern', /downloads of models come with a later version/],
  ['model publish -n fern', /is not a command/],
  ['environment share', /shared registries come with a later version/],
  ['environment create -n fern', /says no base to build on/],
  ['environment create -n fern -c none.yaml -i x', /there is no file/],
  ['environment create -n fern -b .', /there is no file 'Dockerfile'/],
  ['environment create -n fern -i x -b .', /cannot stand beside image/],
  ['audit list --top -1', /whole number/],
  ['audit', /audit/],
  ['up --http 8080', /host:port/],
  ['up --http 127.0.0.1:99999', /host:port/],
  ['up --grpc :0', /host:port/],
  ['up --management localhost', /host:port/],
  ['up --nats 127.0.0.1', /nats:\/\//],
  ['up --topology mesh', /one of: default, single, split/],
  ['up --timeout 0', /whole number/],
  ['up now', /belongs to no flag/],
  ['down --force', /is not a flag/],
  ['demo', /cars/],
  ['demo trains', /one of: cars/],
  ['completion fish', /one of: bash, zsh/],
  ['version --short', /is not a flag/],
  ['batch-endpoint create', /name: is missing/],
  ['batch-endpoint create -f x', /there is no such file/],
  ['batch-endpoint create -f deployment.yml', /endpoint_name: is not a field/],
  ['batch-endpoint create -n cars --auth-mode key', /auth_mode: 'key' is not allowed/],
  ['batch-endpoint create -n cars --set traffic.a=100', /traffic: is for /],
  ['batch-endpoint update -n cars', /change nothing/],
  ['batch-endpoint update --defaults deployment_name=x', /--name\/-n: is missing/],
  ['batch-endpoint update -n cars --defaults luca', /'luca' is no default/],
  ['batch-endpoint update -n cars --defaults deployment_name=', /is no default/],
  ['batch-endpoint show', /--name\/-n: is missing/],
  ['batch-endpoint delete -n cars', /NOT_CONFIRMED/],
  ['batch-endpoint list-jobs -n cars -r 0', /whole number from 1/],
  ['job show -n night-1:', /<job>:<step>/],
  ['batch-endpoint invoke -n cars --input code --job-name night-1:tidy', /--job-name: .* is not allowed/],
  ['batch-endpoint invoke', /--name\/-n: is missing/],
  ['batch-endpoint invoke -n cars --input none', /inputs\.UriFolder\.path: there is nothing at/],
  ['batch-endpoint invoke -n cars --input none/*.jpg', /there is nothing at/],
  ['batch-endpoint invoke -n cars --input request.json/*.jpg', /request\.json is a file/],
  ['batch-endpoint invoke -n cars --input /dev/zero', /device, pipe or socket/],
  ['batch-endpoint invoke -n cars --input request.json --input-type uri_folder', /is a file/],
  ['batch-endpoint invoke -n cars --input code --input-type uri_file', /is a folder/],
  ['batch-endpoint invoke -n cars --input code --input-type mltable', /one of: uri_file, uri_folder/],
  ['batch-endpoint invoke -n cars --input code -b 0', /whole number from 1 to 100000/],
  ['batch-endpoint invoke -n cars --input code -c 65', /whole number from 1 to 64/],
  ['batch-endpoint invoke -n cars --input code --job-name ../x', /--job-name: '..\/x' is not allowed/],
  ['batch-endpoint invoke -n cars --input code --output-path out', /'out' is no folder of a datastore/],
  ['batch-endpoint invoke -n cars --input code --set output_file_name=a/b', /output_file_name: 'a\/b' is not allowed/],
  ['batch-endpoint invoke -n cars --input code --set colour=red', /colour: is not a field/],
  ['batch-endpoint invoke -n cars --input code --params-override x', /is not an assignment/],
  ['batch-endpoint invoke -n cars -f none.yml', /there is no such file/],
  ['batch-endpoint invoke -n cars -f endpoint.yml', /name: is not a field/],
  ['batch-endpoint invoke -n cars -f inputs.yml', /inputs\.raw\.path: there is nothing at/],
  ['batch-endpoint invoke -n cars -f inputs.yml --input code', /comes beside inputs of the file/],
  [
    'batch-endpoint invoke -n cars -f inputs.yml --set inputs.raw.path=code --set inputs.raw.type=uri_file',
    /is a folder/,
  ],
  ['batch-deployment create', /--file\/-f: is missing/],
  ['batch-deployment create -f endpoint.yml', /endpoint_name: is missing/],
  ['batch-deployment create -f deployment.yml', /instance_type: is for /],
  ['batch-deployment update -n luca', /--endpoint-name\/-e: is missing/],
  ['batch-deployment update -n luca -e cars', /change nothing/],
  ['batch-deployment delete -n luca -e cars', /NOT_CONFIRMED/],
  ['batch-deployment list', /--endpoint-name\/-e\/--endpoint: is missing/],
  ['batch-deployment list-jobs -n luca', /is missing/],
  ['component create', /--file\/-f: is missing/],
  ['component create -f endpoint.yml', /type: is missing/],
  ['component update -n kelp', /change nothing/],
  ['component show -n ..', /-n: '..' is not allowed/],
  ['job show', /--name\/-n: is missing/],
  ['job show -n ../x', /-n: '..\/x' is not allowed/],
  ['job list -r 0', /whole number from 1/],
  ['job list --status running', /one of: Queued/],
  ['job list --archived-only', /archived jobs come/],
  ['job stream', /--name\/-n: is missing/],
  ['job create -f x.yml', /jobs without an endpoint come with a later version/],
  ['job get-logs -n night-1 -l 0', /whole number from 1/],
  ['job download -n night-1 --download-path', /needs a value/],
  ['job verify night-1', /belongs to no flag/],
  ['data create', /path: is missing/],
  ['data create -n kelp -p none', /there is nothing at/],
  ['data create -n kelp -p request.json', /is a file \(expected a folder/],
  ['data create -n kelp -p code -t uri_file', /is a folder/],
  ['data create -n kelp -p code -t mltable', /MLTable/],
  ['data create -n kelp -p code -t folder', /type: 'folder' is not allowed/],
  ['data create -n kelp -p https://host/file', /files of a remote address/],
  ['data update -n kelp', /change nothing/],
  ['data show -n kelp -l newest', /one of: latest/],
  ['data mount -n kelp', /mounts of data come with a later version/],
  ['serverless-endpoint list', /later version/],
  ['marketplace-subscription show', /later version/],
];

describe('command lines that are not right', () => {
  // `mooring audit` and `mooring demo` alone show what there is; that is no mistake.
  const lines = handPicked.filter(([text]) => !['audit', 'demo'].includes(text));

  it.each(lines)('refuses mooring %s', async (text, says) => {
    isHelpfulRefusal(await runLine(text.split(' '), { environment }), says);
  });

  it('tells all mistakes of a line at once', async () => {
    const { err } = await runLine('online-endpoint show -o xml --bogus x --local'.split(' '), { environment });
    expect(err.split('\n').filter((line) => line.startsWith('  '))).toHaveLength(5);
  });

  it('says when no platform runs, and how to start one', async () => {
    const { code, err } = await runLine(['online-endpoint', 'list'], { environment });
    expect(code).toBe(6);
    expect(err).toMatch(/^PLATFORM_NOT_RUNNING: no platform runs on .*\nNext: start it with `tools\/mooring up`/);
  });

  it('leaves everything as it is when the answer to a question is no', async () => {
    const line = ['online-endpoint', 'delete', '-n', 'cars'];
    expect(await runLine(line, { environment, answer: 'n' })).toMatchObject({ code: 130, err: /Nothing was changed/ });
  });
});

describe('good command lines spoilt in one way', async () => {
  const lines: MalformedLine[] = await mutatedLines(seededBelow(20_261_124), 500);

  it.each(lines.map((line, index) => ({ ...line, index })))('refuses $index: $title', async ({ argv, says }) => {
    isHelpfulRefusal(await runLine(argv, { environment }), says);
  });
});
