"""Messages that a venue packs with gzip, as text again.

Before the parsers of venues whose every frame is packed, and before slicing. A collector unpacks,
so most payloads come back as they are; a recorder may not, and then the log holds the packed
bytes, those bytes as characters (latin-1) or base64. Promises never to unpack more than a payload
may hold.
"""

import base64
import binascii
import zlib
from typing import Final

from streams.core.events import MAX_PAYLOAD_BYTES, Rejected

_MAGIC: Final = b"\x1f\x8b"
_AS_CHARACTERS: Final = _MAGIC.decode("latin-1").encode()
_AS_BASE64: Final = b"H4sI"
_GZIP_WINDOW: Final = 31


def unpacked(payload: bytes) -> bytes | Rejected:
    """The text of a packed payload; any other as it is.

    >>> unpacked(b"{}")
    b'{}'
    >>> unpacked(bytes([31, 139, 8])).reason
    'invalid_json'
    """
    try:
        if payload.startswith(_AS_CHARACTERS):
            payload = payload.decode().encode("latin-1")
        elif payload.startswith(_AS_BASE64):
            payload = base64.b64decode(payload, validate=True)
        if not payload.startswith(_MAGIC):
            return payload
        reader = zlib.decompressobj(_GZIP_WINDOW)
        text = reader.decompress(payload, MAX_PAYLOAD_BYTES + 1)
    except (UnicodeError, binascii.Error, zlib.error) as error:
        return Rejected("invalid_json", f"gzip data is damaged: {error}"[:300])
    if len(text) > MAX_PAYLOAD_BYTES:
        return Rejected("too_large", f"unpacks to more than {MAX_PAYLOAD_BYTES} bytes")
    if not reader.eof:
        return Rejected("invalid_json", "gzip data ends early")
    return text
