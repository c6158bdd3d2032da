"""The answer of a script that chooses its status, headers and bytes itself."""

import json
from typing import Any, Mapping

from ._multidict import Headers


class AMLResponse:
    """
    `message` is bytes or text that is sent as it is; with `json_str` any value, sent as JSON. None is sent as `{}`.
    A comma in a header's value makes several headers of that name.
    """

    def __init__(
        self,
        message: Any,
        status_code: int,
        response_headers: Mapping[str, str] = {},  # noqa: B006 -- read only; the signature is a fact of the interface
        json_str: bool = False,
        run_function_failed: bool = False,
    ) -> None:
        self.status_code = int(status_code)
        self.headers = Headers()
        if message is None or json_str:
            self._body = json.dumps({} if message is None else message).encode()
            self.headers["Content-Type"] = "application/json"
        elif isinstance(message, str):
            self._body = message.encode()
            self.headers["Content-Type"] = "text/html; charset=utf-8"
        elif isinstance(message, (bytes, bytearray, memoryview)):
            self._body = bytes(message)
            self.headers["Content-Type"] = "text/html; charset=utf-8"
        else:
            kind = type(message).__name__
            raise TypeError(f"AMLResponse got a {kind}: give bytes or text, or any JSON value with json_str=True")
        self.headers["x-ms-run-function-failed"] = run_function_failed
        given = Headers(response_headers)
        for name in dict.fromkeys(key.lower() for key in given.keys()):
            if name in ("content-type", "x-ms-run-function-failed"):
                self.headers.remove(name)
        for name, value in given.items():
            for part in value.split(","):
                self.headers.add(name, part.strip())

    @property
    def content_type(self) -> str:
        return str(self.headers.get("Content-Type", ""))

    @property
    def data(self) -> bytes:
        return self._body

    def get_data(self, as_text: bool = False) -> Any:
        return self._body.decode("utf-8", "replace") if as_text else self._body

    def __repr__(self) -> str:
        return f"<AMLResponse {self.status_code}, {len(self._body)} bytes>"
