"""A JSON schema for a JSON value."""

from typing import Any, Dict


def schema_of_json(value: Any) -> Dict[str, Any]:
    """Lists are described by their first element: Swagger 2.0 knows no lists of mixed types."""
    if isinstance(value, bool):
        return {"type": "boolean"}
    if isinstance(value, int):
        return {"type": "integer", "format": "int64"}
    if isinstance(value, float):
        return {"type": "number", "format": "double"}
    if isinstance(value, (list, tuple)):
        return {"type": "array", "items": schema_of_json(value[0]) if value else {"type": "object"}}
    if isinstance(value, dict):
        return {"type": "object", "properties": {str(name): schema_of_json(item) for name, item in value.items()}}
    return {"type": "string"} if isinstance(value, str) else {"type": "object"}
