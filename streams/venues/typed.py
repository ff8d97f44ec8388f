"""Types of the fields that typed decoders of venues read: what a flawless field holds.

Under the hot paths of the parsers. Promises that a value which passes is the one that `fields`
reads from the same text; what does not pass is left to `fields`, which names the reason. An
absent field is UNSET and never None, since a lax decoder takes the text `null` for None too.
"""

from typing import Annotated

import msgspec

from streams.venues.fields import LARGEST, MAX_MAGNITUDE, SMALLEST

Amount = Annotated[float, msgspec.Meta(gt=SMALLEST, lt=LARGEST)]
"""A price or size."""
Count = Annotated[int, msgspec.Meta(ge=1, lt=MAX_MAGNITUDE)]
"""A stamp or a running number. Zero is left to `fields`: a lax decoder takes 1e-999 for it."""
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
"""A symbol or an id."""
Levels = list[tuple[Amount, Amount]]
"""One side of a book."""
