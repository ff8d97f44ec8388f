"""A liquidation map as it is stored, whole, once an hour."""

import msgspec


class Image(msgspec.Struct):
    """A map as it is stored; `columns` are native doubles, column by column."""

    at: int | None
    centre: int | None
    interest: dict[str, float]
    scales: list[float]
    unknown: list[float]
    crossed: list[float]
    forced: list[float]
    columns: bytes


decode_image = msgspec.msgpack.Decoder(Image).decode
