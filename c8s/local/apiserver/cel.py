"""The Common Expression Language, as far as CRD validation rules use it: text → a function of the variables.

There are booleans, numbers, strings, lists, maps, null, the operators, `has`, the macros over lists and maps,
and the functions in `cel_functions`. There are no timestamps, durations, quantities and URLs: such a rule
doesn't compile, and its CustomResourceDefinition is refused rather than half obeyed. https://github.com/google/cel-spec
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from c8s.local.apiserver.cel_functions import FUNCTIONS, METHODS, CelError, add, compare, contains, divide

Variables = Mapping[str, Any]
Expression = Callable[[Variables], Any]

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<number>\d+\.\d+|\d+)
    | (?P<raw>r(?:"[^"]*"|'[^']*'))
    | (?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')
    | (?P<name>[A-Za-z_]\w*)
    | (?P<operator>&&|\|\||==|!=|<=|>=|[-+*/%!<>?:.,()\[\]{}])
    )""",
    re.VERBOSE,
)
_LEVELS = (("==", "!=", "<", "<=", ">", ">=", "in"), ("+", "-"), ("*", "/", "%"))
_MACROS = ("all", "exists", "exists_one", "filter", "map")
_CONSTANTS = {"true": True, "false": False, "null": None}
_DEPTH_LIMIT = 100


@lru_cache(maxsize=1024)
def compile_expression(text: str) -> Expression:
    """Raises CelError for text that isn't CEL or uses a part of it that isn't here."""
    parser = _Parser(text)
    expression = parser.parse_ternary()
    parser.expect_end()
    return expression


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = _tokenize(text)
        self._position = 0
        self._depth = 0

    def parse_ternary(self) -> Expression:
        self._depth += 1
        if self._depth > _DEPTH_LIMIT:
            raise CelError("the expression is nested too deeply")
        condition = self._parse_or()
        if self._accept("?"):
            chosen = self.parse_ternary()
            self._expect(":")
            condition = _ternary(condition, chosen, self.parse_ternary())
        self._depth -= 1
        return condition

    def expect_end(self) -> None:
        if self._position < len(self._tokens):
            raise CelError(f"unexpected {self._tokens[self._position][1]!r}")

    def _parse_or(self) -> Expression:
        left = self._parse_and()
        while self._accept("||"):
            left = _logical(left, self._parse_and(), decides=True)
        return left

    def _parse_and(self) -> Expression:
        left = self._parse_binary(0)
        while self._accept("&&"):
            left = _logical(left, self._parse_binary(0), decides=False)
        return left

    def _parse_binary(self, level: int) -> Expression:
        if level == len(_LEVELS):
            return self._parse_unary()
        left = self._parse_binary(level + 1)
        while (operator := self._accept_any(_LEVELS[level])) is not None:
            left = _binary(operator, left, self._parse_binary(level + 1))
        return left

    def _parse_unary(self) -> Expression:
        if self._accept("!"):
            operand = self._parse_unary()
            return lambda variables: not _boolean(operand(variables))
        if self._accept("-"):
            operand = self._parse_unary()
            return lambda variables: -operand(variables)
        return self._parse_postfix(self._parse_primary())

    def _parse_postfix(self, value: Expression) -> Expression:
        while True:
            if self._accept("["):
                value = _index(value, self.parse_ternary())
                self._expect("]")
            elif self._accept("."):
                name = self._expect_name()
                value = self._parse_call_on(value, name) if self._accept("(") else _member(value, name)
            else:
                return value

    def _parse_call_on(self, value: Expression, name: str) -> Expression:
        if name in _MACROS:
            variable = self._expect_name()
            self._expect(",")
            bodies = self._parse_arguments(")")
            return _macro(name, value, variable, bodies)
        arguments = self._parse_arguments(")")
        if name not in METHODS:
            raise CelError(f"no function {name!r} here")
        return _call(METHODS[name], [value, *arguments])

    def _parse_primary(self) -> Expression:
        if self._position >= len(self._tokens):
            raise CelError("the expression ends too early")
        kind, text = self._tokens[self._position]
        self._position += 1
        if kind in ("number", "string", "raw"):
            literal = _literal(kind, text)
            return lambda _variables: literal
        if text == "(":
            inner = self.parse_ternary()
            self._expect(")")
            return inner
        if text == "[":
            items = self._parse_arguments("]")
            return lambda variables: [item(variables) for item in items]
        if kind == "name":
            return self._parse_named(text)
        raise CelError(f"unexpected {text!r}")

    def _parse_named(self, name: str) -> Expression:
        if name in _CONSTANTS:
            constant = _CONSTANTS[name]
            return lambda _variables: constant
        if not self._accept("("):
            return lambda variables: _variable(variables, name)
        if name == "has":
            return _presence(self._parse_arguments(")"))
        arguments = self._parse_arguments(")")
        if name not in FUNCTIONS:
            raise CelError(f"no function {name!r} here")
        return _call(FUNCTIONS[name], arguments)

    def _parse_arguments(self, end: str) -> list[Expression]:
        arguments: list[Expression] = []
        while not self._accept(end):
            if arguments:
                self._expect(",")
            arguments.append(self.parse_ternary())
        return arguments

    def _accept(self, text: str) -> bool:
        return self._accept_any((text,)) is not None

    def _accept_any(self, texts: tuple[str, ...]) -> str | None:
        if self._position < len(self._tokens):
            kind, text = self._tokens[self._position]
            if text in texts and kind in ("operator", "name"):
                self._position += 1
                return text
        return None

    def _expect(self, text: str) -> None:
        if not self._accept(text):
            raise CelError(f"{text!r} is missing")

    def _expect_name(self) -> str:
        if self._position < len(self._tokens) and self._tokens[self._position][0] == "name":
            self._position += 1
            return self._tokens[self._position - 1][1]
        raise CelError("a name is missing")


def _tokenize(text: str) -> list[tuple[str, str]]:
    tokens, position = [], 0
    text = text.rstrip()
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None or found.lastgroup is None:
            raise CelError(f"unexpected {text[position]!r}")
        tokens.append((found.lastgroup, found[found.lastgroup]))
        position = found.end()
    return tokens


def _literal(kind: str, text: str) -> Any:
    if kind == "number":
        return float(text) if "." in text else int(text)
    if kind == "raw":
        return text[2:-1]
    escapes = {"n": "\n", "t": "\t", "r": "\r"}
    return re.sub(r"\\(.)", lambda found: escapes.get(found[1], found[1]), text[1:-1])


def _variable(variables: Variables, name: str) -> Any:
    if name not in variables:
        raise CelError(f"undeclared reference to {name!r}")
    return variables[name]


def _member(value: Expression, name: str) -> Expression:
    # `__namespace__` is how CEL writes a field whose name is a reserved word.
    key = name[2:-2] if name.startswith("__") and name.endswith("__") else name

    def read(variables: Variables) -> Any:
        found = value(variables)
        if not isinstance(found, dict) or key not in found:
            raise CelError(f"no such key: {key}")
        return found[key]

    read.parts = (value, key)  # type: ignore[attr-defined]
    return read


def _presence(arguments: list[Expression]) -> Expression:
    parts = getattr(arguments[0], "parts", None) if len(arguments) == 1 else None
    if parts is None:
        raise CelError("has() needs a field, like has(self.name)")
    owner, key = parts

    def is_present(variables: Variables) -> bool:
        found = owner(variables)
        return isinstance(found, dict) and key in found

    return is_present


def _index(value: Expression, key: Expression) -> Expression:
    def read(variables: Variables) -> Any:
        found, wanted = value(variables), key(variables)
        try:
            if isinstance(found, list) and wanted < 0:
                raise CelError(f"index out of bounds: {wanted}")
            return found[wanted]
        except (KeyError, IndexError, TypeError) as error:
            raise CelError(f"no such key: {wanted}") from error

    return read


def _call(function: Callable[..., Any], arguments: list[Expression]) -> Expression:
    def call(variables: Variables) -> Any:
        values = [argument(variables) for argument in arguments]
        try:
            return function(*values)
        except (TypeError, ValueError, AttributeError, re.error) as error:
            raise CelError(f"no such overload: {error}") from error

    return call


def _macro(name: str, value: Expression, variable: str, bodies: list[Expression]) -> Expression:
    body = bodies[-1]
    guard = bodies[0] if name == "map" and len(bodies) == 2 else None

    def run(variables: Variables) -> Any:
        items = value(variables)
        if not isinstance(items, list | dict):
            raise CelError(f"{name} needs a list or a map")
        scopes = [{**variables, variable: item} for item in items]
        if name == "map":
            return [body(scope) for scope in scopes if guard is None or _boolean(guard(scope))]
        holds = [_boolean(body(scope)) for scope in scopes]
        if name == "filter":
            return [scope[variable] for scope, is_wanted in zip(scopes, holds, strict=True) if is_wanted]
        return {"all": all(holds), "exists": any(holds), "exists_one": sum(holds) == 1}[name]

    return run


def _ternary(condition: Expression, chosen: Expression, other: Expression) -> Expression:
    return lambda variables: chosen(variables) if _boolean(condition(variables)) else other(variables)


def _logical(left: Expression, right: Expression, *, decides: bool) -> Expression:
    """`||` (decides True) and `&&` (decides False): a side that decides outweighs the other's error."""

    def evaluate(variables: Variables) -> bool:
        try:
            if _boolean(left(variables)) is decides:
                return decides
        except CelError:
            if _boolean(right(variables)) is decides:
                return decides
            raise
        return _boolean(right(variables))

    return evaluate


def _binary(operator: str, left: Expression, right: Expression) -> Expression:
    operations: dict[str, Callable[[Any, Any], Any]] = {
        "==": lambda one, other: bool(one == other),
        "!=": lambda one, other: bool(one != other),
        "<": lambda one, other: compare(one, other) < 0,
        "<=": lambda one, other: compare(one, other) <= 0,
        ">": lambda one, other: compare(one, other) > 0,
        ">=": lambda one, other: compare(one, other) >= 0,
        "in": lambda one, other: contains(other, one),
        "+": add,
        "-": lambda one, other: one - other,
        "*": lambda one, other: one * other,
        "/": divide,
        "%": lambda one, other: one - other * divide(one, other),
    }
    return _call(operations[operator], [left, right])


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise CelError("no such overload: a condition must be a boolean")
    return value
