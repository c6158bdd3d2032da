"""What goes back for one call, and how a script's return value becomes it."""

import json
from typing import Any, List, Optional, Tuple

UNEXPECTED = "An unexpected error occurred in scoring script. Check the logs for more info."
JSON_TYPE = "application/json"


class Answer:
    """Status, headers and body. `reason` is set when it is a failure that the platform names itself."""

    def __init__(
        self,
        status: int,
        body: bytes,
        content_type: str = JSON_TYPE,
        headers: Optional[List[Tuple[str, str]]] = None,
        reason: str = "",
        message: str = "",
    ) -> None:
        self.status = status
        self.body = body
        self.content_type = content_type
        self.headers = headers if headers is not None else [("x-ms-run-function-failed", "False")]
        self.reason = reason
        self.message = message
        self.preprocess_us = 0
        self.compute_us = 0
        self.postprocess_us = 0

    def with_times_of(self, other: "Answer") -> "Answer":
        self.preprocess_us = other.preprocess_us
        self.compute_us = other.compute_us
        self.postprocess_us = other.postprocess_us
        return self


class Failure(Exception):
    """Ends a call: `status` is what Azure's inference server answers, `reason` is stable for tools."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason

    def answer(self) -> Answer:
        body = json.dumps({"message": str(self)}).encode()
        failed = "True" if self.status >= 500 else "False"
        return Answer(self.status, body, JSON_TYPE, [("x-ms-run-function-failed", failed)], self.reason, str(self))

    @staticmethod
    def too_large(size: int, limit: int) -> Answer:
        message = (
            f"run() returned {size} bytes and this deployment allows {limit}: return less, "
            "or raise the property mooring.max-response-bytes"
        )
        return Failure(500, "RESPONSE_TOO_LARGE", message).answer()


def to_answer(result: Any) -> Answer:
    """A script's return value as an answer. Raises Failure when it cannot be one."""
    if _is_response(result):
        return _from_response(result)
    return Answer(200, encode({} if result is None else result))


def encode(result: Any) -> bytes:
    """Valid JSON in UTF-8, or a Failure that names what cannot be JSON."""
    kind = type_name(result)
    try:
        text = json.dumps(result, allow_nan=False, ensure_ascii=False, default=_refuse)
    except _NotJson as not_json:
        where = "" if type_name(not_json.value) == kind else f" with a {type_name(not_json.value)} in it"
        raise _not_json(f"a {kind}{where}, which JSON cannot hold{_advice(not_json.value)}") from None
    except RecursionError:
        raise _not_json(f"a {kind} that is nested too deeply for JSON") from None
    except TypeError as error:
        raise _not_json(f"a {kind} that JSON cannot hold: {error}") from None
    except ValueError as error:
        raise _not_json(_value_problem(kind, str(error))) from None
    try:
        return text.encode()
    except UnicodeEncodeError:
        # A lone surrogate: UTF-8 cannot hold it, JSON's \\ud800 can, which is what Azure's server sends.
        return json.dumps(result, allow_nan=False, default=_refuse).encode()


def _value_problem(kind: str, text: str) -> str:
    if "Circular" in text:
        return f"a {kind} that contains itself, which JSON cannot hold"
    if "Out of range float" in text:
        return f"a {kind} with NaN or Infinity in it, which JSON cannot hold: replace them, for example by None"
    return f"a {kind} that JSON cannot hold: {text}"


class _NotJson(Exception):
    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value


def _refuse(value: Any) -> Any:
    raise _NotJson(value)


def _not_json(what: str) -> Failure:
    return Failure(500, "RESULT_NOT_JSON", f"run() returned {what}")


def _advice(value: Any) -> str:
    if isinstance(value, (bytes, bytearray, memoryview)):
        return ": return AMLResponse for binary answers, or base64 text"
    if hasattr(value, "tolist"):
        return ": call .tolist() on it"
    if hasattr(value, "to_dict"):
        return ": call .to_dict() on it"
    if hasattr(value, "__next__") or isinstance(value, (set, frozenset)):
        return ": make it a list"
    return ": return dict, list, str, int, float, bool or None, or AMLResponse"


def type_name(value: Any) -> str:
    kind = type(value)
    return kind.__qualname__ if kind.__module__ in ("builtins", "entry_module") else f"{kind.__module__}.{kind.__qualname__}"


def _is_response(result: Any) -> bool:
    # By its shape, so that a Flask response from a package in the user's environment is sent as it is, too.
    return all(hasattr(result, name) for name in ("status_code", "headers", "get_data"))


def _from_response(response: Any) -> Answer:
    content_type = ""
    headers: List[Tuple[str, str]] = []
    failed = "True" if response.status_code >= 500 else "False"
    for name, value in response.headers.items():
        lower = str(name).lower()
        if lower == "content-type":
            content_type = str(value)
        elif lower == "x-ms-run-function-failed":
            failed = "True" if response.status_code >= 500 or str(value) == "True" else "False"
        elif lower not in ("content-length", "connection", "transfer-encoding"):
            headers.append((str(name), _one_line(str(value))))
    headers.append(("x-ms-run-function-failed", failed))
    return Answer(int(response.status_code), bytes(response.get_data()), _one_line(content_type), headers)


def _one_line(value: str) -> str:
    return value.replace("\r", " ").replace("\n", " ")
