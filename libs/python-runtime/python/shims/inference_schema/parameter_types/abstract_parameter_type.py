"""Base of the parameter types. Scripts may derive from it: `deserialize_input` and `input_to_swagger` are theirs."""

from abc import ABC, abstractmethod
from typing import Any, Dict, List

from ..schema_util import SchemaViolation


class AbstractParameterType(ABC):
    """`sample_input` is an example of the value that `run` wants."""

    def __init__(self, sample_input: Any) -> None:
        self.sample_input = sample_input
        self.sample_data_type = type(sample_input)

    @abstractmethod
    def deserialize_input(self, input_data: Any) -> Any:
        """Parsed JSON as the wanted type."""

    @abstractmethod
    def input_to_swagger(self) -> Dict[str, Any]:
        """A JSON schema with an `example`."""

    def supported_versions(self) -> List[str]:
        return ["2.0", "3.0", "3.1"]

    def convert(self, value: Any, name: str) -> Any:
        """`value` as the wanted type. Raises SchemaViolation, which becomes the caller's 400, when that is impossible."""
        if isinstance(value, self.sample_data_type) and not isinstance(value, (dict, list, tuple)):
            return value
        try:
            return self.deserialize_input(value)
        except SchemaViolation as violation:
            raise SchemaViolation(f"{name}: {violation}") from None
        except Exception as error:
            raise SchemaViolation(f"{name}: {error}") from error
