# SPDX-License-Identifier: Apache-2.0
"""Text with `code`, **bold**, *italic* and [links](to), for both forms of the page.

All else is plain text, whatever it would mean to HTML or to Markdown, so it is escaped.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape

from dynamic_deep.errors import ConfigError

_PATTERN = re.compile(
    r"`(?P<code>[^`]+)`"
    r"|\[(?P<label>[^\[\]]+)\]\((?P<target>[^()\s]+)\)"
    r"|\*\*(?P<bold>[^\s*](?:.*?[^\s*])?)\*\*"
    r"|\*(?P<italic>[^\s*](?:[^*]*[^\s*])?)\*(?!\*)",
    re.DOTALL,
)
# A path beside the page, an anchor, or the web: no other scheme.
_TARGET = re.compile(r"(?:https?://|#|(?![\w.+-]*:)(?!//)).+", re.DOTALL)
_TAGS = {"bold": "strong", "italic": "em"}
_MARKS = {"bold": "**", "italic": "*"}
# What Markdown, or GitHub's, would take for markup: a lone mark, a tag, a strike, math.
_SPECIAL = re.compile(
    r"[\\`*~$]|<(?=[A-Za-z/!?])|&(?=#?\w+;)|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])"
)


@dataclass(frozen=True)
class Piece:
    """A piece of a text.

    Attributes:
        kind: text, code, bold, italic or link.
        text: what is read, of text and code.
        inner: pieces inside, of bold, italic and link.
        target: of a link.
    """

    kind: str
    text: str = ""
    inner: tuple[Piece, ...] = ()
    target: str = ""


def parse_inline(text: str) -> tuple[Piece, ...]:
    """Return the pieces of a text.

    Raises:
        ConfigError: If a link leads neither to the web nor to a place beside the page.
    """
    pieces, done = [], 0
    for match in _PATTERN.finditer(text):
        if match.start() > done:
            pieces.append(Piece("text", text[done : match.start()]))
        pieces.append(_piece(match))
        done = match.end()
    if done < len(text):
        pieces.append(Piece("text", text[done:]))
    return tuple(pieces)


def inline_html(text: str) -> str:
    """Return a text as HTML.

    Example:
        >>> inline_html("**a < b** in `c`")
        '<strong>a &lt; b</strong> in <code>c</code>'
    """
    return _html(parse_inline(text))


def inline_markdown(text: str) -> str:
    r"""Return a text as Markdown that shows the same.

    Example:
        >>> print(inline_markdown("~5 of **a_b**, `~c`"))
        \~5 of **a_b**, `~c`
    """
    return _markdown(parse_inline(text))


def escape_markdown(text: str) -> str:
    """Return Markdown that shows a text as it stands, marks included."""
    return _SPECIAL.sub(r"\\\g<0>", text)


def plain_text(text: str) -> str:
    """Return a text without marks.

    Example:
        >>> plain_text("see **the [bound](bound.md)**")
        'see the bound'
    """
    return _plain(parse_inline(text))


def anchor_of(title: str) -> str:
    """Return the anchor that GitHub gives to a heading.

    Example:
        >>> anchor_of("Table I: gain, `paper` and ours")
        'table-i-gain-paper-and-ours'
    """
    kept = re.sub(r"[^\w\- ]", "", plain_text(title).lower())
    return kept.replace(" ", "-")


def _piece(match: re.Match[str]) -> Piece:
    kind = match.lastgroup
    if kind == "code":
        return Piece("code", match["code"])
    if kind == "target":
        if _TARGET.fullmatch(match["target"]) is None:
            raise ConfigError(
                "a link must lead to http, https, a path or an anchor; got "
                f"{match['target']!r}"
            )
        return Piece("link", "", parse_inline(match["label"]), match["target"])
    if kind in _TAGS:
        return Piece(kind, "", parse_inline(match[kind]))
    raise ConfigError(f"no such markup: {kind!r}")


def _html(pieces: tuple[Piece, ...]) -> str:
    parts = []
    for piece in pieces:
        if piece.kind == "text":
            parts.append(escape(piece.text))
        elif piece.kind == "code":
            parts.append(f"<code>{escape(piece.text)}</code>")
        elif piece.kind == "link":
            target = escape(piece.target, quote=True)
            parts.append(f'<a href="{target}">{_html(piece.inner)}</a>')
        else:
            tag = _TAGS[piece.kind]
            parts.append(f"<{tag}>{_html(piece.inner)}</{tag}>")
    return "".join(parts)


def _markdown(pieces: tuple[Piece, ...]) -> str:
    parts = []
    for piece in pieces:
        if piece.kind == "text":
            parts.append(escape_markdown(piece.text))
        elif piece.kind == "code":
            parts.append(f"`{piece.text}`")
        elif piece.kind == "link":
            parts.append(f"[{_markdown(piece.inner)}]({piece.target})")
        else:
            mark = _MARKS[piece.kind]
            parts.append(f"{mark}{_markdown(piece.inner)}{mark}")
    return "".join(parts)


def _plain(pieces: tuple[Piece, ...]) -> str:
    return "".join(piece.text + _plain(piece.inner) for piece in pieces)
