"""How Pillow's images are taken apart: mode, size, palette and pixels."""

from __future__ import annotations

import xxhash
from PIL import Image

from dagnb.values.expand import register
from dagnb.values.walk import Parts


@register(Image.Image)
def _image(value: Image.Image) -> Parts:
    palette = value.getpalette() if value.mode in ("P", "PA") else None
    return Parts(
        "image", [value.mode, value.size, palette, xxhash.xxh3_128_digest(value.tobytes())]
    )
