"""Plain Python values, and dicts and lists whose members may be other parameter types."""

import base64
import datetime
from typing import Any, Dict

from ..schema_util import SchemaViolation
from ._schema import schema_of_json
from .abstract_parameter_type import AbstractParameterType


class StandardPythonParameterType(AbstractParameterType):
    """int, float, str, bool, bytes (as base64), date, time, datetime, timedelta (as seconds), dict, list, tuple, range, slice, None."""

    def deserialize_input(self, input_data: Any) -> Any:
        return _convert(self.sample_input, input_data)

    def input_to_swagger(self) -> Dict[str, Any]:
        return {**_schema(self.sample_input), "example": _to_json(self.sample_input)}


def _convert(sample: Any, value: Any) -> Any:
    if isinstance(sample, AbstractParameterType):
        return sample.deserialize_input(value)
    if isinstance(sample, dict):
        _expect(isinstance(value, dict), sample, value)
        nested = {name for name, item in sample.items() if _is_typed(item)}
        return {name: _convert(sample[name], item) if name in nested else item for name, item in value.items()}
    if isinstance(sample, (list, tuple)):
        _expect(isinstance(value, (list, tuple)), sample, value)
        typed = sample and _is_typed(sample[0])
        return type(sample)(_convert(sample[0], item) for item in value) if typed else type(sample)(value)
    return _convert_scalar(sample, value)


def _is_typed(sample: Any) -> bool:
    """Members that are parameter types, or contain some, are converted; plain members only show the shape."""
    if isinstance(sample, dict):
        return any(_is_typed(item) for item in sample.values())
    if isinstance(sample, (list, tuple)):
        return bool(sample) and _is_typed(sample[0])
    return isinstance(sample, AbstractParameterType)


def _convert_scalar(sample: Any, value: Any) -> Any:
    if sample is None:
        return value
    if isinstance(sample, bool):
        _expect(isinstance(value, bool), sample, value)
        return value
    if isinstance(sample, float):
        _expect(isinstance(value, (int, float)) and not isinstance(value, bool), sample, value)
        return float(value)
    if isinstance(sample, int):
        whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        _expect(whole and not isinstance(value, bool), sample, value)
        return int(value)
    if isinstance(sample, bytearray):
        return bytearray(base64.b64decode(value, validate=True))
    if isinstance(sample, bytes):
        return base64.b64decode(value, validate=True)
    if isinstance(sample, (datetime.datetime, datetime.date, datetime.time)):
        _expect(isinstance(value, str), sample, value)
        return type(sample).fromisoformat(value[:-1] + "+00:00" if value.endswith("Z") else value)
    if isinstance(sample, datetime.timedelta):
        return datetime.timedelta(seconds=float(value))
    if isinstance(sample, (range, slice)):
        _expect(isinstance(value, dict) and "stop" in value, sample, value)
        return type(sample)(value.get("start", 0), value["stop"], value.get("step", 1))
    _expect(isinstance(value, type(sample)), sample, value)
    return value


def _expect(fits: bool, sample: Any, value: Any) -> None:
    if not fits:
        raise SchemaViolation(f"Invalid input data type to parse. Expected: {type(sample)} but got {type(value)}")


def _to_json(sample: Any) -> Any:
    """The sample as a caller would write it."""
    if isinstance(sample, AbstractParameterType):
        return sample.input_to_swagger()["example"]
    if isinstance(sample, dict):
        return {str(name): _to_json(item) for name, item in sample.items()}
    if isinstance(sample, (list, tuple)):
        return [_to_json(item) for item in sample]
    if isinstance(sample, (bytes, bytearray)):
        return base64.b64encode(sample).decode()
    if isinstance(sample, (datetime.datetime, datetime.date, datetime.time)):
        return sample.isoformat()
    if isinstance(sample, datetime.timedelta):
        return sample.total_seconds()
    if isinstance(sample, (range, slice)):
        return {"start": sample.start, "stop": sample.stop, "step": sample.step}
    return sample


def _schema(sample: Any) -> Dict[str, Any]:
    if isinstance(sample, AbstractParameterType):
        return {name: value for name, value in sample.input_to_swagger().items() if name != "example"}
    if isinstance(sample, dict):
        return {"type": "object", "properties": {str(name): _schema(item) for name, item in sample.items()}}
    if isinstance(sample, (list, tuple)):
        return {"type": "array", "items": _schema(sample[0]) if sample else {"type": "object"}}
    schema = schema_of_json(_to_json(sample))
    formats = ((bytes, "byte"), (bytearray, "byte"), (datetime.datetime, "date-time"), (datetime.date, "date"), (datetime.time, "time"))
    named = [name for kind, name in formats if isinstance(sample, kind)]
    return {**schema, "format": named[0]} if named else schema
