"""`@input_schema` and `@output_schema`: typed arguments for `run`, and an API description made from samples."""
