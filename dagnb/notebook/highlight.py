"""Python source as HTML, its words by class, so that a stylesheet decides the colours."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from itertools import groupby

# Of a token's kind and those it is a kind of, the first that stands here.
_CLASSES = {
    "Token.Comment": "comment",
    "Token.Literal.String": "string",
    "Token.Literal.Number": "number",
    "Token.Keyword": "keyword",
    "Token.Operator.Word": "keyword",
    "Token.Name.Decorator": "magic",
    "Token.Name.Function": "call",
    "Token.Name.Class": "call",
    "Token.Name.Builtin": "call",
}
LONGEST = 100_000


def highlighted(source: str) -> str:
    """Return source as HTML in which nothing but our spans is markup.

    Examples
    --------
    >>> print(highlighted("if x < 1: 'a'  # <b>"))
    <span class="dagnb-keyword">if</span> x &lt; <span class="dagnb-number">1</span>:
    <span class="dagnb-string">&#x27;a&#x27;</span>  <span class="dagnb-comment"># &lt;b&gt;</span>
    """
    if len(source) > LONGEST:
        return escape(source)
    parts = []
    for kind, pieces in groupby(_tokens(source), key=lambda piece: piece[0]):
        text = escape("".join(text for _, text in pieces))
        parts.append(f'<span class="dagnb-{kind}">{text}</span>' if kind else text)
    return "".join(parts)


def _tokens(source: str) -> Iterator[tuple[str, str]]:
    """Yield each piece of the source with its class."""
    from pygments.lexers.python import PythonLexer

    for token, text in PythonLexer(stripnl=False, ensurenl=False).get_tokens(source):
        kinds = [str(kind) for kind in reversed(token.split())]
        yield next((_CLASSES[kind] for kind in kinds if kind in _CLASSES), ""), text
