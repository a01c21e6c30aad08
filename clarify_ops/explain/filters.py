"""Which rows a filter expression means: a small language of comparisons, which runs nothing.

    sex == 'Female' and (age < 30 or `hours-per-week` in [20, 40])
    not married and 18 <= age <= 65
    income is missing

Comparisons (`==`, `!=`, `<`, `<=`, `>`, `>=`, `in [...]`, `not in [...]`) of columns with numbers, quoted text, `true` and
`false`, or of columns with each other; `is missing` and `is not missing`; a column of truth values by itself; `and`, `or`,
`not` and parentheses, which bind as in Python. A name with other signs than letters, digits and underscores stands in
backticks, a doubled one for a backtick within it. Text is compared sign by sign. A comparison with a missing value is neither
true nor false, and neither is its negation: such a row is not meant, and is counted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from clarify_ops.errors import BadDocument, nearest

Operator = Literal["==", "!=", "<", "<=", ">", ">="]
Constant = bool | int | float | str
LONGEST = 10_000
DEEPEST = 50
_TOKENS = re.compile(
    r"""\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
      |(?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
      |(?P<quoted>`(?:[^`]|``)+`)
      |(?P<name>[^\W\d]\w*)
      |(?P<sign>==|!=|<=|>=|<|>|[()\[\],-])
      |(?P<end>\Z))""",
    re.VERBOSE | re.DOTALL,
)
_WORDS = frozenset({"and", "or", "not", "in", "is", "missing", "true", "false", "True", "False"})
_LONGEST_NUMBER = 300


@dataclass(frozen=True)
class Column:
    """A column of the dataset, and the character (from 1) at which it is named."""

    name: str
    at: int


@dataclass(frozen=True)
class Comparison:
    """One comparison.

    Attributes:
        left, right: At least one is a column.
        operator: Between them.
        at: The character (from 1) at which it begins.
    """

    left: Column | Constant
    operator: Operator
    right: Column | Constant
    at: int


@dataclass(frozen=True)
class Missing:
    """Whether a column has no value."""

    column: Column


@dataclass(frozen=True)
class Truth:
    """A column of truth values by itself."""

    column: Column


@dataclass(frozen=True)
class Not:
    """The rows that are surely not meant by another."""

    inner: Node


@dataclass(frozen=True)
class Both:
    """`and`, or `or` where `any_of`, of two or more."""

    parts: tuple[Node, ...]
    any_of: bool


Node = Comparison | Missing | Truth | Not | Both


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    at: int


def parse_filter(text: str, columns: Sequence[str], what: str = "The filter") -> Node:
    """Reads an expression.

    Args:
        text: At most 10,000 characters.
        columns: Names that it may use.
        what: Opens the sentence of an error: "clarify_ops.cohorts[0].where".

    Raises:
        BadDocument: It does not parse, or names a column that does not exist; the character is named.
    """
    if len(text) > LONGEST:
        raise BadDocument(f"{what} has {len(text):,} characters, and may have {LONGEST:,}.")
    parser = _Parser(text, tuple(columns), what)
    node = parser.any_of()
    if parser.next.kind != "end":
        raise parser.unexpected("and, or, or the end of the filter")
    return node


class _Parser:
    """Recursive descent: a method a rule, each of which leaves `next` at what it did not take."""

    def __init__(self, text: str, columns: tuple[str, ...], what: str) -> None:
        self._text, self._columns, self._what = text, columns, what
        self._tokens = self._cut()
        self._depth = 0
        self.next = next(self._tokens)

    def _cut(self) -> Iterator[_Token]:
        position = 0
        while True:
            found = _TOKENS.match(self._text, position)
            if found is None or found.lastgroup is None:
                raise self._foreign(position)
            start = found.start(found.lastgroup)
            kind, text = found.lastgroup, found[found.lastgroup]
            yield _Token("word" if kind == "name" and text in _WORDS else kind, text, start + 1)
            position = found.end()

    def _foreign(self, position: int) -> BadDocument:
        rest = self._text[position:].lstrip()
        at = len(self._text) - len(rest) + 1
        if rest[0] in "'\"`":
            return BadDocument(f"{self._what}: the {rest[0]} at character {at} is not closed.")
        hint = "Write == for equality." if rest[0] == "=" else self._hint_at_backticks(at)
        return BadDocument(f"{self._what}: {rest[0]!r} at character {at} means nothing here.", hint)

    def _hint_at_backticks(self, at: int) -> str:
        """For a name such as hours-per-week, which stands there bare."""
        odd = [name for name in self._columns if not re.fullmatch(r"[^\W\d]\w*", name) or name in _WORDS]
        for name in sorted(odd, key=len, reverse=True):
            for start in range(max(0, at - 1 - len(name)), at):
                if name and self._text.startswith(name, start):
                    return f"Put the name in backticks: `{name.replace('`', '``')}`."
        return ""

    def unexpected(self, wanted: str) -> BadDocument:
        where = f"{self._what}: at character {self.next.at}"
        hint = self._hint_at_backticks(self.next.at)
        if self.next.kind == "end":
            return BadDocument(f"{self._what}: it ends where {wanted} should follow.", hint)
        shown = self.next.text if len(self.next.text) <= 40 else f"{self.next.text[:40]}..."
        return BadDocument(f"{where} stands {shown!r} where {wanted} should.", hint)

    def _take(self) -> _Token:
        taken = self.next
        self.next = next(self._tokens)
        return taken

    def _is(self, *texts: str) -> bool:
        return self.next.kind in {"word", "sign"} and self.next.text in texts

    def _want(self, text: str) -> None:
        if not self._is(text):
            raise self.unexpected(text)
        self._take()

    def any_of(self) -> Node:
        return self._parts("or", self._all_of)

    def _all_of(self) -> Node:
        return self._parts("and", self._negated)

    def _parts(self, word: str, part: Callable[[], Node]) -> Node:
        parts = [part()]
        while self._is(word):
            self._take()
            parts.append(part())
        return parts[0] if len(parts) == 1 else Both(tuple(parts), any_of=word == "or")

    def _negated(self) -> Node:
        turns = 0
        while self._is("not"):
            self._take()
            turns += 1
        inner = self._whole()
        return Not(inner) if turns % 2 else inner

    def _whole(self) -> Node:
        if not self._is("("):
            return self._compared()
        self._depth += 1
        if self._depth > DEEPEST:
            raise BadDocument(f"{self._what}: at character {self.next.at} more than {DEEPEST} parentheses are open.")
        self._take()
        inner = self.any_of()
        self._want(")")
        self._depth -= 1
        return inner

    def _compared(self) -> Node:
        at = self.next.at
        left = self._operand()
        if isinstance(left, Column) and self._is("is"):
            self._take()
            turned = self._is("not")
            if turned:
                self._take()
            self._want("missing")
            return Not(Missing(left)) if turned else Missing(left)
        if isinstance(left, Column) and self._is("in", "not"):
            return self._one_of(left)
        chain: list[Node] = []
        while self._is("==", "!=", "<", "<=", ">", ">="):
            operator: Operator = self._take().text  # type: ignore[assignment]
            right = self._operand()
            if not isinstance(left, Column) and not isinstance(right, Column):
                raise BadDocument(f"{self._what}: the comparison at character {at} is of no column.")
            chain.append(Comparison(left, operator, right, at))
            left = right
        if chain:
            return chain[0] if len(chain) == 1 else Both(tuple(chain), any_of=False)
        if isinstance(left, Column):
            return Truth(left)
        raise self.unexpected("a comparison")

    def _one_of(self, column: Column) -> Node:
        turned = self._is("not")
        if turned:
            self._take()
        self._want("in")
        closing = "]" if self._is("[") else ")"
        if not self._is("[", "("):
            raise self.unexpected("a list such as ['a', 'b']")
        self._take()
        parts: list[Node] = []
        while not self._is(closing):
            value = self._operand()
            if isinstance(value, Column):
                raise BadDocument(
                    f"{self._what}: the column {value.name!r} at character {value.at} stands in a list.",
                    "A list holds numbers and quoted text.",
                )
            parts.append(Comparison(column, "==", value, column.at))
            if not self._is(","):
                break
            self._take()
        if not parts:
            raise self.unexpected("a value of the list")
        self._want(closing)
        inner = parts[0] if len(parts) == 1 else Both(tuple(parts), any_of=True)
        return Not(inner) if turned else inner

    def _operand(self) -> Column | Constant:
        token = self.next
        if token.kind in {"name", "quoted"}:
            self._take()
            name = token.text if token.kind == "name" else token.text[1:-1].replace("``", "`")
            if name not in self._columns:
                fact = f"{self._what}: there is no column {name!r}, which character {token.at} names."
                raise BadDocument(fact, self._hint_at_backticks(token.at) or self._meant(name))
            return Column(name, token.at)
        if token.kind == "text":
            self._take()
            return re.sub(r"\\(.)", r"\1", token.text[1:-1], flags=re.DOTALL)
        if token.kind == "word" and token.text.lower() in {"true", "false"}:
            self._take()
            return token.text.lower() == "true"
        if self._is("-"):
            self._take()
            if self.next.kind != "number":
                raise self.unexpected("a number")
            return -self._number(self._take())
        if token.kind == "number":
            return self._number(self._take())
        raise self.unexpected("a column, a number or quoted text")

    def _number(self, token: _Token) -> int | float:
        if len(token.text) > _LONGEST_NUMBER:
            raise BadDocument(f"{self._what}: the number at character {token.at} has {len(token.text)} digits.")
        return int(token.text) if token.text.isdigit() else float(token.text)

    def _meant(self, name: str) -> str:
        if len(name) > 100:
            return ""
        return nearest(name, self._columns) + " Text stands in quotes."


def columns_of(node: Node) -> Iterator[str]:
    """Names of the columns that an expression uses, in the order of their mention."""
    match node:
        case Comparison(left, _, right):
            yield from (one.name for one in (left, right) if isinstance(one, Column))
        case Missing(column) | Truth(column):
            yield column.name
        case Not(inner):
            yield from columns_of(inner)
        case Both(parts):
            for part in parts:
                yield from columns_of(part)


def mirrored(one: Comparison) -> Comparison:
    """The same comparison with its sides exchanged."""
    signs: dict[Operator, Operator] = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
    return replace(one, left=one.right, operator=signs[one.operator], right=one.left)
