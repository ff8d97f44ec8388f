"""What the data is: topics, message models, generated documents and examples.

Beside the data path: everything that two processes, or a user, must agree on. Importing the
package costs nothing; the pydantic models load with their own modules.
"""

from importlib.resources import files


def examples(schema: str) -> list[bytes]:
    """Hand-made valid messages of a schema, as JSON, in the order of their file names.

    Every one passes the model and the JSON Schema, and the struct decodes and repeats it. Of a
    union: those of its members. Of `raw`: objects with key, headers and value
    (`schemas.raw.RawRecord.record` gives the bytes on Kafka).

    Raises:
        KeyError: no schema has that name.
    """
    from schemas.registry import SCHEMAS

    folder = files("schemas").joinpath("examples")
    return [
        path.read_bytes()
        for name in SCHEMAS[schema].members or (schema,)
        for path in sorted(folder.joinpath(name).iterdir(), key=lambda path: path.name)
        if path.name.endswith(".json")
    ]
