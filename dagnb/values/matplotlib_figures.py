"""How matplotlib's figures are taken apart: the picture, and the data behind it.

The picture holds every style, but two data sets may differ by less than a pixel; so the data
that the artists carry counts too. Drawing first brings lazily made ticks into being, and the
picture of a figure does not depend on whether it was drawn before. An SVG would hold random
ids and a date, a pickle would tell a drawn figure from a new one.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import xxhash
from matplotlib.artist import Artist
from matplotlib.figure import Figure

import dagnb.values.numpy_arrays  # noqa: F401  # the data are numpy's
from dagnb.errors import UncacheableValue
from dagnb.values.expand import reduce, register
from dagnb.values.walk import Parts

_DATA = ("get_xydata", "get_array", "get_offsets", "get_text", "get_xy", "get_data")


@register(Figure)
def _figure(value: Figure) -> Parts:
    picture = io.BytesIO()
    try:
        value.savefig(picture, format="rgba", dpi=value.dpi)
    except Exception as error:  # whatever an artist of the user raises when it is drawn
        raise UncacheableValue(
            f"a Figure has no digest, as it cannot be drawn ({type(error).__name__}: {error})"
        ) from error
    drawn = xxhash.xxh3_128_digest(picture.getbuffer())
    size = [float(each) for each in value.get_size_inches()]
    return Parts("figure", [size, float(value.dpi), drawn, list(_data(value))])


@register(Artist)
def _artist(value: Artist) -> Parts:
    """Axes, lines and other parts of a figure: the figure, and which part."""
    figure = value.get_figure()
    if figure is None:
        return reduce(value)
    places = [at for at, each in enumerate(figure.findobj()) if each is value]
    return Parts("artist", [type(value).__qualname__, places, figure])


def _data(figure: Figure) -> Iterator[tuple[str, str, object]]:
    """What the artists of a figure show, in the order in which they stand in it."""
    for artist in figure.findobj():
        for name in _DATA:
            read: Any = getattr(artist, name, None)
            if callable(read):
                yield type(artist).__qualname__, name, _read(read)


def _read(read: Any) -> object:
    """What an artist answers; some want arguments or refuse before they are drawn."""
    try:
        return read()
    except Exception:  # an artist of the user may raise anything
        return None
