"""What the decorators have noted about a function, read from the attribute that they leave on it."""

from typing import Any, Callable, Dict, Optional

ATTRIBUTE = "_mooring_schema"


class SchemaViolation(ValueError):
    """A request's value does not fit the type that was declared for it."""


def schema_of(func: Callable[..., Any]) -> Dict[str, Any]:
    """{"input": {"properties": {name: schema}, "example": {name: value}}, "output": schema}; parts may be missing."""
    return dict(getattr(func, ATTRIBUTE, {}))


def is_schema_decorated(func: Callable[..., Any]) -> bool:
    return hasattr(func, ATTRIBUTE)


def get_input_schema(func: Callable[..., Any]) -> Optional[Dict[str, Any]]:
    """A JSON schema of type object with an example, or None."""
    return schema_of(func).get("input")


def get_output_schema(func: Callable[..., Any]) -> Optional[Dict[str, Any]]:
    return schema_of(func).get("output")
