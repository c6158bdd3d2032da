import { Operation } from '@mooring/contracts/scoring';
import { fixture } from '@mooring/testing';
import { describe, expect, it } from 'vitest';
import { ask, header, jsonOf, useRuntimes } from './testing.ts';

const scripts = fixture('slow-and-bad/scripts');
const { runningText } = useRuntimes(scripts);

describe('the request', () => {
  const echo = `
def init(): pass
def run(text, request_headers): return {"text": text, "headers": request_headers}
`;

  it('reaches run as text, with the headers that it asks for', async () => {
    const { runtime } = await runningText(echo);
    expect(runtime.wantsHeaders).toBe(true);
    const answer = await ask(runtime, ' {"a": "☃"}', { headers: [{ name: 'x-color', value: 'red' }] });
    expect(jsonOf(answer)).toEqual({
      text: ' {"a": "☃"}',
      headers: { 'x-color': 'red', 'Content-Type': 'application/json' },
    });
  });

  it('turns the query of a GET into a JSON object', async () => {
    const { runtime } = await runningText(echo);
    const answer = jsonOf(
      await ask(runtime, '', { method: 'GET', query: 'a=1&b=[1,2]&c=x&c=2&d=null', contentType: '' }),
    ) as { text: string };
    expect(JSON.parse(answer.text)).toEqual({ a: 1, b: [1, 2], c: ['x', 2], d: null });
  });

  it('refuses a body that is not UTF-8', async () => {
    const { runtime } = await runningText(echo);
    expect(await ask(runtime, Buffer.from([0xff, 0xfe]))).toMatchObject({
      errorCode: 'model_failed',
      status: 400,
      errorReason: 'BODY_NOT_UTF8',
    });
  });

  it('reaches a @rawhttp script whole, and AMLResponse is sent as it is', async () => {
    const { runtime } = await runningText(`
from azureml.contrib.services.aml_request import AMLRequest, rawhttp
from azureml.contrib.services.aml_response import AMLResponse
def init(): pass
@rawhttp
def run(request):
    assert isinstance(request, AMLRequest)
    if request.files:
        f = request.files["image"]
        return AMLResponse(f.read(), 200, {"Content-Type": "image/png", "x-name": f.filename, "x-field": request.form["note"]})
    if request.args.get("teapot"):
        return AMLResponse({"short": True}, 418, {"x-a": "1,2"}, json_str=True)
    return {"method": request.method, "json": request.get_json(), "text": request.get_data(as_text=True), "h": request.headers["X-COLOR"]}
`);
    const plain = await ask(runtime, '{"a":1}', { headers: [{ name: 'x-color', value: 'red' }] });
    expect(jsonOf(plain)).toEqual({ method: 'POST', json: { a: 1 }, text: '{"a":1}', h: 'red' });
    const teapot = await ask(runtime, '', { method: 'GET', query: 'teapot=1' });
    expect(teapot).toMatchObject({
      errorCode: 'model_failed',
      errorReason: 'MODEL_STATUS',
      status: 418,
      contentType: 'application/json',
    });
    expect(teapot.headers.filter((h) => h.name === 'x-a').map((h) => h.value)).toEqual(['1', '2']);
    const bytes = Buffer.from([0x89, 0x50, 0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0xff, 0x0d]);
    const form = Buffer.concat([
      Buffer.from(
        '--B\r\nContent-Disposition: form-data; name="note"\r\n\r\nhello\r\n--B\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n',
      ),
      bytes,
      Buffer.from('\r\n--B--\r\n'),
    ]);
    const upload = await ask(runtime, form, { contentType: 'multipart/form-data; boundary=B' });
    expect(upload).toMatchObject({ status: 200, contentType: 'image/png' });
    expect(upload.body.equals(bytes)).toBe(true);
    expect(header(upload, 'x-name')).toBe('a.png');
    expect(header(upload, 'x-field')).toBe('hello');
  });

  it('is unpacked and checked by the schema decorators, which also make the Swagger', async () => {
    const { runtime } = await runningText(`
from inference_schema.schema_decorators import input_schema, output_schema
from inference_schema.parameter_types.standard_py_parameter_type import StandardPythonParameterType
def init(): pass
@input_schema("count", StandardPythonParameterType(3))
@input_schema("names", StandardPythonParameterType(["a"]))
@output_schema(StandardPythonParameterType({"all": ["x"]}))
def run(names, count=2): return {"all": names * count}
`);
    expect(jsonOf(await ask(runtime, { names: ['q'] }))).toEqual({ all: ['q', 'q'] });
    expect(jsonOf(await ask(runtime, '', { method: 'GET', query: 'names=["z"]&count=1' }))).toEqual({ all: ['z'] });
    expect(await ask(runtime, { names: 5 })).toMatchObject({ status: 400, errorReason: 'SCHEMA_VIOLATION' });
    expect(await ask(runtime, {})).toMatchObject({ status: 400, errorMessage: expect.stringContaining("'names'") });
    expect(await ask(runtime, '{')).toMatchObject({ status: 400, errorReason: 'BODY_NOT_JSON' });
    expect(await ask(runtime, '[]')).toMatchObject({ status: 400 });
    expect(await ask(runtime, '{}', { contentType: 'text/plain' })).toMatchObject({ status: 415 });
    const swagger = jsonOf(await ask(runtime, '', { operation: Operation.OPERATION_SWAGGER })) as {
      swagger: string;
      definitions: { ServiceInput: unknown };
    };
    expect(swagger.swagger).toBe('2.0');
    expect(swagger.definitions.ServiceInput).toMatchObject({
      properties: { names: { type: 'array' }, count: { type: 'integer' } },
      example: { names: ['a'], count: 3 },
    });
    expect(
      jsonOf(await ask(runtime, '', { operation: Operation.OPERATION_SWAGGER, query: 'version=3' })),
    ).toMatchObject({ openapi: '3.0.3' });
    expect(await ask(runtime, '', { operation: Operation.OPERATION_SWAGGER, query: 'version=9' })).toMatchObject({
      errorCode: 'not_found',
    });
    expect(await ask(runtime, '', { operation: Operation.OPERATION_INFER })).toMatchObject({
      errorCode: 'unimplemented',
    });
  });

  it('converts plain Python types by their samples', async () => {
    const { runtime } = await runningText(`
import datetime
from inference_schema.schema_decorators import input_schema
from inference_schema.parameter_types.standard_py_parameter_type import StandardPythonParameterType as T
def init(): pass
@input_schema("day", T(datetime.date(2026, 1, 31)))
@input_schema("raw", T(b"bytes"))
@input_schema("ratio", T(0.5))
@input_schema("deep", T({"at": T(datetime.timedelta(seconds=1)), "any": "x"}))
@input_schema("note", T("text"), optional=True)
def run(day, raw, ratio, deep, note=None):
    return [day.year, raw.decode(), ratio, deep["at"].total_seconds(), deep["any"], note]
`);
    const given = { day: '2027-02-03', raw: 'aGk=', ratio: 2, deep: { at: 90, any: [1] } };
    expect(jsonOf(await ask(runtime, given))).toEqual([2027, 'hi', 2, 90, [1], null]);
    for (const wrong of [{ day: 'soon' }, { raw: '%' }, { ratio: 'x' }, { ratio: true }, { deep: [] }, { note: 5 }]) {
      const answer = await ask(runtime, { ...given, ...wrong });
      expect(answer, JSON.stringify(wrong)).toMatchObject({ status: 400, errorReason: 'SCHEMA_VIOLATION' });
    }
  });

  it('gives a @rawhttp script every method, and AMLResponse its status and headers', async () => {
    const { runtime } = await runningText(`
from azureml_inference_server_http.api.aml_request import AMLRequest, rawhttp
from azureml_inference_server_http.api.aml_response import AMLResponse
def init(): pass
@rawhttp
def run(request):
    if request.method == "PUT":
        return AMLResponse(request.get_data(False)[::-1], 201, {"Content-Type": "application/octet-stream", "location": "/x\\r\\ny: z"})
    if request.method == "DELETE":
        return AMLResponse(None, 200, run_function_failed=True)
    if request.mimetype == "application/x-www-form-urlencoded":
        return {"form": request.form.to_dict(), "all": request.values.getlist("a"), "n": request.form.get("n", type=int)}
    return request.get_json()
`);
    const put = await ask(runtime, Buffer.from([1, 0, 255]), {
      method: 'PUT',
      contentType: 'application/octet-stream',
    });
    expect(put).toMatchObject({ status: 201, errorCode: '', contentType: 'application/octet-stream' });
    expect([...put.body]).toEqual([255, 0, 1]);
    expect(put.headers.every(({ value }) => !/[\r\n]/.test(value))).toBe(true);
    const removed = await ask(runtime, '', { method: 'DELETE' });
    expect(jsonOf(removed)).toEqual({});
    expect(header(removed, 'x-ms-run-function-failed')).toBe('True');
    const form = { contentType: 'application/x-www-form-urlencoded', query: 'a=0' };
    expect(jsonOf(await ask(runtime, 'a=1&b=%E2%98%83&n=7', form))).toEqual({
      form: { a: '1', b: '☃', n: '7' },
      all: ['0', '1'],
      n: 7,
    });
    expect(await ask(runtime, '{', {})).toMatchObject({ status: 500, errorReason: 'RUN_FAILED' });
  });

  it.each(['PUT', 'DELETE', 'PATCH'])(
    'is refused with the method %s by a script that is not @rawhttp',
    async (method) => {
      const { runtime } = await runningText(echo);
      const answer = await ask(runtime, '', { method });
      expect(answer).toMatchObject({ status: 405, errorReason: 'METHOD_NOT_ALLOWED' });
    },
  );
});
