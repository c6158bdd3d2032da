"""`@rawhttp` and the request object that a script marked with it gets."""

import io
import json
from typing import Any, Callable, Dict, List, Optional, Tuple, TypeVar
from urllib.parse import parse_qsl

from ._multidict import Headers, MultiDict
from ._multipart import parameter, parse

_F = TypeVar("_F", bound=Callable[..., Any])
_MARK = "_mooring_rawhttp"


def rawhttp(func: _F) -> _F:
    """Marks `run`: it gets the whole request as an AMLRequest instead of the body's text."""
    setattr(func, _MARK, True)
    return func


def is_rawhttp(func: Callable[..., Any]) -> bool:
    return bool(getattr(func, _MARK, False))


class AMLRequest:
    """One HTTP request, read completely. Has what scripts use of a Flask request."""

    def __init__(
        self,
        method: str = "POST",
        path: str = "/score",
        query: str = "",
        headers: Optional[List[Tuple[str, str]]] = None,
        content_type: str = "",
        body: bytes = b"",
    ) -> None:
        self.method = method
        self.path = path
        self.query_string = query.encode()
        self.headers = Headers(headers or [])
        if content_type and "content-type" not in self.headers:
            self.headers.add("Content-Type", content_type)
        self.content_type = content_type or self.headers.get("content-type") or ""
        self.mimetype = self.content_type.partition(";")[0].strip().lower()
        self.content_length = len(body)
        self.data = body
        self.args = MultiDict(parse_qsl(query, keep_blank_values=True))
        self._form: Optional[Tuple[MultiDict, MultiDict]] = None

    @property
    def full_path(self) -> str:
        return f"{self.path}?{self.query_string.decode()}"

    @property
    def url(self) -> str:
        query = self.query_string.decode()
        return f"{self.base_url}?{query}" if query else self.base_url

    @property
    def base_url(self) -> str:
        return f"http://{self.host}{self.path}"

    @property
    def host(self) -> str:
        return str(self.headers.get("host", "localhost"))

    @property
    def mimetype_params(self) -> Dict[str, str]:
        charset = parameter(self.content_type, "charset")
        return {} if charset is None else {"charset": charset}

    @property
    def stream(self) -> io.BytesIO:
        return io.BytesIO(self.data)

    def get_data(self, cache: bool = True, as_text: bool = False, parse_form_data: bool = False) -> Any:
        """The body as bytes, or as text in UTF-8 with what is not UTF-8 replaced."""
        return self.data.decode("utf-8", "replace") if as_text else self.data

    @property
    def is_json(self) -> bool:
        return self.mimetype == "application/json" or (self.mimetype.startswith("application/") and self.mimetype.endswith("+json"))

    @property
    def json(self) -> Any:
        return self.get_json()

    def get_json(self, force: bool = False, silent: bool = False, cache: bool = True) -> Any:
        """The body parsed. Raises ValueError, or with `silent` returns None, when it is not JSON."""
        if not (force or self.is_json):
            if silent:
                return None
            raise ValueError(f"the request's Content-Type is '{self.content_type}', not application/json")
        try:
            return json.loads(self.data)
        except ValueError:
            if silent:
                return None
            raise

    @property
    def form(self) -> MultiDict:
        return self._read_form()[0]

    @property
    def files(self) -> MultiDict:
        return self._read_form()[1]

    @property
    def values(self) -> MultiDict:
        """The query's and the form's values."""
        lists = [*self.args.lists(), *self.form.lists()]
        return MultiDict((name, value) for name, values in lists for value in values)

    def _read_form(self) -> Tuple[MultiDict, MultiDict]:
        if self._form is None:
            fields: List[Tuple[str, Any]] = []
            files: List[Tuple[str, Any]] = []
            if self.mimetype == "multipart/form-data":
                fields, files = parse(self.content_type, self.data)  # type: ignore[assignment]
            elif self.mimetype == "application/x-www-form-urlencoded":
                fields = parse_qsl(self.data.decode("utf-8", "replace"), keep_blank_values=True)  # type: ignore[assignment]
            self._form = (MultiDict(fields), MultiDict(files))
        return self._form

    def __repr__(self) -> str:
        return f"<AMLRequest {self.method} {self.url}>"
