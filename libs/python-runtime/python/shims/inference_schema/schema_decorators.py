"""The two decorators. Each leaves its schema on the function; `input_schema` also converts the argument it names."""

import functools
import inspect
from typing import Any, Callable, Dict

from .parameter_types.abstract_parameter_type import AbstractParameterType
from .schema_util import ATTRIBUTE, schema_of

_Run = Callable[..., Any]


def input_schema(
    param_name: str, param_type: AbstractParameterType, convert_to_provided_type: bool = True, optional: bool = False
) -> Callable[[_Run], _Run]:
    """Declares one parameter of `run` by a sample. With `optional`, a missing or empty value is passed on as it is."""
    _check(param_type)

    def decorate(run: _Run) -> _Run:
        names = list(inspect.signature(run).parameters)
        if param_name not in names:
            raise ValueError(f"@input_schema names the parameter '{param_name}', but {run.__name__}() has {', '.join(names)}")

        @functools.wraps(run)
        def converted(*args: Any, **kwargs: Any) -> Any:
            if not convert_to_provided_type:
                return run(*args, **kwargs)
            bound = inspect.signature(run).bind_partial(*args, **kwargs)
            value = bound.arguments.get(param_name)
            if param_name in bound.arguments and not (optional and _is_empty(value)):
                bound.arguments[param_name] = param_type.convert(value, param_name)
            return run(*bound.args, **bound.kwargs)

        setattr(converted, ATTRIBUTE, _with_input(schema_of(run), names, param_name, param_type))
        return converted

    return decorate


def output_schema(output_type: AbstractParameterType) -> Callable[[_Run], _Run]:
    """Declares what `run` returns by a sample. The result itself is not touched."""
    _check(output_type)

    def decorate(run: _Run) -> _Run:
        @functools.wraps(run)
        def same(*args: Any, **kwargs: Any) -> Any:
            return run(*args, **kwargs)

        setattr(same, ATTRIBUTE, {**schema_of(run), "output": output_type.input_to_swagger()})
        return same

    return decorate


def _check(param_type: Any) -> None:
    if not isinstance(param_type, AbstractParameterType):
        raise TypeError(f"a schema decorator needs an AbstractParameterType, and got a {type(param_type).__name__}")


def _is_empty(value: Any) -> bool:
    return value is None or (hasattr(value, "__len__") and len(value) == 0)


def _with_input(schema: Dict[str, Any], names: Any, name: str, param_type: AbstractParameterType) -> Dict[str, Any]:
    inputs = schema.get("input") or {
        "type": "object",
        "properties": {n: {} for n in names if n != "request_headers"},
        "example": {n: "" for n in names if n != "request_headers"},
    }
    swagger = dict(param_type.input_to_swagger())
    example = swagger.pop("example", None)
    return {
        **schema,
        "input": {
            **inputs,
            "properties": {**inputs["properties"], name: swagger},
            "example": {**inputs["example"], name: example},
        },
    }
