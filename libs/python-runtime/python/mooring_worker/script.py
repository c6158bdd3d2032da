"""Loading a scoring script and calling its `run`."""

import inspect
import os
import time
from types import ModuleType
from typing import Any, Callable, Dict, List, Optional

from azureml_inference_server_http.api.aml_request import is_rawhttp
from inference_schema import schema_util

from mooring_worker import stdio
from mooring_worker.answer import UNEXPECTED, Answer, Failure, to_answer
from mooring_worker.interrupts import CallCancelled, Interrupts
from mooring_worker.loading import LoadFailure, call_init, import_script, script_traceback, set_path
from mooring_worker.request import Call, json_object, raw_text


def load_script(spec: Dict[str, Any], stage: Callable[[str], None], interrupts: Interrupts) -> "Script":
    """Imports the script, checks its functions, calls `init`. `stage` hears which of these comes next."""
    os.chdir(spec["codeDir"])
    path = os.path.join(spec["codeDir"], spec["scoringScript"])
    set_path(spec["codeDir"], os.path.dirname(path))
    stage("import")
    module = import_script(path)
    for name in ("init", "run"):
        if not callable(getattr(module, name, None)):
            raise LoadFailure("UserScriptFunctionNotFound", f"{spec['scoringScript']} has no function {name}(): a scoring script defines init() and run(data)")
    script = Script(_run_of(module), interrupts)
    stage("init")
    call_init(module.init)
    return script


def _run_of(module: ModuleType) -> Callable[..., Any]:
    # Generated driver scripts keep the user's own module in `driver_module` and pass decorated arguments on wrongly.
    driven = getattr(module, "driver_module", None)
    if isinstance(driven, ModuleType) and callable(getattr(driven, "run", None)):
        return driven.run
    return module.run


class Script:
    """A script whose `run` can be called. Raises LoadFailure when its signature cannot be served."""

    def __init__(self, run: Callable[..., Any], interrupts: Interrupts) -> None:
        self._run = run
        self._interrupts = interrupts
        self._raw = is_rawhttp(run)
        self._decorated = schema_util.is_schema_decorated(run)
        parameters = list(inspect.signature(run).parameters.values())
        self._wants_headers = any(p.name == "request_headers" for p in parameters)
        self._inputs: List[inspect.Parameter] = [p for p in parameters if p.name != "request_headers"]
        self._check(parameters)
        self._first = self._inputs[0].name
        self._plain = not (self._raw or self._decorated or self._wants_headers)

    def _check(self, parameters: List[inspect.Parameter]) -> None:
        allowed = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        problem = ""
        if any(p.kind not in allowed for p in parameters):
            problem = "run() cannot accept positional-only arguments, *args, or **kwargs"
        elif not self._inputs:
            problem = "run() needs to accept an argument for input data"
            if self._wants_headers:
                problem += ' other than "request_headers"'
        elif self._raw and self._decorated:
            problem = "run() cannot be decorated with both @rawhttp and @input_schema"
        if problem:
            raise LoadFailure("UserScriptFunctionNotFound", f"{problem}: write it as run(data) or run(data, request_headers)")

    def describe(self) -> Dict[str, Any]:
        return {
            "wantsHeaders": self._wants_headers or self._raw,
            "inputSchema": schema_util.get_input_schema(self._run),
            "outputSchema": schema_util.get_output_schema(self._run),
        }

    def answer(self, call: Call) -> Answer:
        """Never raises: whatever `run` does short of ending the process becomes an answer. Times are in microseconds."""
        started = time.perf_counter_ns()
        called: Optional[int] = None
        returned: Optional[int] = None
        try:
            arguments = self._arguments(call)
            called = time.perf_counter_ns()
            self._interrupts.begin(call.number)
            try:
                result = self._run(**arguments)
            finally:
                self._interrupts.end()
            returned = time.perf_counter_ns()
            answer = to_answer(result)
        except CallCancelled:
            answer = Failure(499, "CALL_CANCELLED", "run() was interrupted").answer()
        except Failure as failure:
            stdio.log(f"{failure.reason}: {failure}")
            answer = failure.answer()
        except schema_util.SchemaViolation as violation:
            stdio.log(f"SCHEMA_VIOLATION: {violation}")
            answer = Failure(400, "SCHEMA_VIOLATION", str(violation)).answer()
        except BaseException as error:
            stdio.log(script_traceback(error))
            answer = Failure(500, "RUN_FAILED", UNEXPECTED).answer()
        ended = time.perf_counter_ns()
        called = called or ended
        returned = returned or ended
        answer.times = ((called - started) // 1000, (returned - called) // 1000, (ended - returned) // 1000)
        return answer

    def _arguments(self, call: Call) -> Dict[str, Any]:
        if self._plain:
            return {self._first: raw_text(call)}
        request = call.request()
        if self._raw:
            arguments: Dict[str, Any] = {self._first: request}
        elif self._decorated:
            arguments = self._unpacked(json_object(request))
        else:
            arguments = {self._first: raw_text(call)}
        if self._wants_headers:
            arguments["request_headers"] = dict(request.headers.items())
        return arguments

    def _unpacked(self, body: Dict[str, Any]) -> Dict[str, Any]:
        arguments = {}
        for parameter in self._inputs:
            value = body.get(parameter.name, parameter.default)
            if value is inspect.Parameter.empty:
                raise Failure(400, "SCHEMA_VIOLATION", f"A value is not provided for the {parameter.name!r} parameter.")
            arguments[parameter.name] = value
        return arguments
