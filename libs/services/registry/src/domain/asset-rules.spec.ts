import { describe, expect, it } from 'vitest';
import type { EnvironmentVersionSpec, ModelVersionSpec } from '@mooring/domain';
import { codeSpec, environmentSpec, modelSpec } from '@mooring/domain/testing';
import { environmentProblems, writeOnceProblems } from './asset-rules.ts';

const build = { contextPath: 'environments/x', dockerfilePath: 'Dockerfile' };
const { image: _image, ...noImage } = environmentSpec();

describe('an environment', () => {
  it.each<{ why: string; spec: EnvironmentVersionSpec }>([
    { why: 'an image', spec: environmentSpec() },
    { why: 'an image and packages', spec: environmentSpec({ condaFile: 'dependencies: []' }) },
    { why: 'a build context', spec: { ...noImage, build } },
  ])('may be $why', ({ spec }) => {
    expect(environmentProblems(spec)).toEqual([]);
  });

  it.each<{ why: string; spec: EnvironmentVersionSpec; paths: string[] }>([
    { why: 'nothing', spec: noImage, paths: ['image'] },
    { why: 'packages alone', spec: { ...noImage, condaFile: 'x' }, paths: ['image'] },
    { why: 'both', spec: environmentSpec({ build }), paths: ['build'] },
    { why: 'packages on a build context', spec: { ...noImage, build, condaFile: 'x' }, paths: ['condaFile'] },
    { why: 'all of it', spec: environmentSpec({ build, condaFile: 'x' }), paths: ['build', 'condaFile'] },
  ])('may not be $why', ({ spec, paths }) => {
    expect(environmentProblems(spec).map(({ path }) => path)).toEqual(paths);
  });
});

describe('a version', () => {
  it.each<Partial<ModelVersionSpec>>([
    { description: 'd' },
    { tags: { a: '1' } },
    { properties: { a: '1' } },
    { stage: 'Production' },
    { isArchived: true },
    { flavors: { onnx: {} } },
  ])('may change %j', (changes) => {
    expect(writeOnceProblems('model', modelSpec(changes), modelSpec())).toEqual([]);
  });

  it('never changes its content', () => {
    const model = modelSpec({ path: 'models/other', type: 'triton_model' });
    expect(writeOnceProblems('model', model, modelSpec()).map(({ path }) => path)).toEqual(['type', 'path']);
    expect(writeOnceProblems('code', codeSpec({ path: 'code/other' }), codeSpec())).toMatchObject([{ path: 'path' }]);
    const environment = environmentSpec({ image: 'python:3.12', condaFile: 'x', osType: 'windows' });
    expect(writeOnceProblems('environment', environment, environmentSpec()).map(({ path }) => path)).toEqual([
      'image',
      'condaFile',
      'osType',
    ]);
    expect(writeOnceProblems('environment', { ...noImage, build }, environmentSpec()).map(({ path }) => path)).toEqual([
      'image',
      'build',
    ]);
  });

  it('is free the first time', () => {
    expect(writeOnceProblems('model', modelSpec(), undefined)).toEqual([]);
  });
});
