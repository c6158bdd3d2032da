"""Mappings of HTTP: several values for a name, and names whose case does not matter."""

from typing import Any, Callable, Dict, Iterable, Iterator, List, Mapping, Optional, Tuple, Union

Pairs = Iterable[Tuple[str, Any]]


class MultiDict(Mapping[str, Any]):
    """A mapping from each name to its first value; `getlist` gives all of them, in order."""

    def __init__(self, pairs: Pairs = ()) -> None:
        self._values: Dict[str, List[Any]] = {}
        for name, value in pairs:
            self._values.setdefault(name, []).append(value)

    def __getitem__(self, name: str) -> Any:
        return self._values[name][0]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def get(self, name: str, default: Any = None, type: Optional[Callable[[Any], Any]] = None) -> Any:
        """With `type`, the value converted, or the default where that is impossible."""
        if name not in self._values:
            return default
        if type is None:
            return self[name]
        try:
            return type(self[name])
        except (TypeError, ValueError):
            return default

    def getlist(self, name: str) -> List[Any]:
        return list(self._values.get(name, ()))

    def lists(self) -> Iterable[Tuple[str, List[Any]]]:
        return ((name, list(values)) for name, values in self._values.items())

    def to_dict(self, flat: bool = True) -> Dict[str, Any]:
        return dict(self) if flat else dict(self.lists())

    def __repr__(self) -> str:
        return f"{type(self).__name__}({dict(self.lists())!r})"


class Headers:
    """HTTP headers in order; names compare without regard to case."""

    def __init__(self, given: Union[Mapping[str, Any], Pairs] = ()) -> None:
        pairs = given.items() if isinstance(given, Mapping) else given
        self._pairs: List[Tuple[str, str]] = [(str(name), str(value)) for name, value in pairs]

    def getlist(self, name: str) -> List[str]:
        return [value for key, value in self._pairs if key.lower() == name.lower()]

    get_all = getlist

    def get(self, name: str, default: Any = None, type: Optional[Callable[[str], Any]] = None) -> Any:
        values = self.getlist(name)
        if not values:
            return default
        if type is None:
            return values[0]
        try:
            return type(values[0])
        except (TypeError, ValueError):
            return default

    def add(self, name: str, value: Any) -> None:
        self._pairs.append((str(name), str(value)))

    add_header = add

    def remove(self, name: str) -> None:
        self._pairs = [(key, value) for key, value in self._pairs if key.lower() != name.lower()]

    def __getitem__(self, name: str) -> str:
        values = self.getlist(name)
        if not values:
            raise KeyError(name)
        return values[0]

    def __setitem__(self, name: str, value: Any) -> None:
        self.remove(name)
        self.add(name, value)

    __delitem__ = remove

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and bool(self.getlist(name))

    def __iter__(self) -> Iterator[Tuple[str, str]]:
        return iter(self._pairs)

    def __len__(self) -> int:
        return len(self._pairs)

    def keys(self) -> List[str]:
        return [name for name, _ in self._pairs]

    def values(self) -> List[str]:
        return [value for _, value in self._pairs]

    def items(self) -> List[Tuple[str, str]]:
        return list(self._pairs)

    def __repr__(self) -> str:
        return f"Headers({self._pairs!r})"
