"""What Belfry can say to a caller, read from its source: each sentence, with `{}` where something is filled in."""

import ast
import importlib
import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import belfry.app  # all of it, so that every kind of problem is known
from belfry.errors import BadInput, FieldError, Problem
from belfry.mail.dialog import Lost
from belfry.mail.errors import MailError
from belfry.schedules.running import CannotRun

SOURCE = Path(belfry.__file__).parent
FILLED = "{}"


def kinds(of: type[Exception]) -> set[type[Exception]]:
    """An exception and all that are one: their first argument is what is said."""
    return {of}.union(*(kinds(each) for each in of.__subclasses__()))


def problems() -> set[type[Problem]]:
    return {each for each in kinds(Problem) if issubclass(each, Problem)}


SAYING = {each.__name__ for each in {*kinds(Problem), *kinds(MailError), Lost, CannotRun} - {BadInput}}


class Place(NamedTuple):
    """Where a name stands: what was given to it is looked for in its function, and then in its module."""

    module: ModuleType
    function: ast.AST | None

    def given(self, name: str) -> list[ast.expr]:
        found = []
        for node in ast.walk(self.function) if self.function else ():
            match node:
                case ast.Assign(targets=[ast.Name(id=id_)], value=value) | ast.NamedExpr(ast.Name(id=id_), value):
                    found += [value] if id_ == name else []
        return found

    def named(self, name: str) -> object:
        return getattr(self.module, name, None)


def sayings() -> Iterator[tuple[str, set[str]]]:
    """Every call that says something - as it stands in the source, with its file - and what it may say."""
    for path in sorted(SOURCE.rglob("*.py")):
        tree = ast.parse(path.read_text())
        name = ".".join(path.relative_to(SOURCE.parent).with_suffix("").parts)
        for function, call in calls(tree):
            text = spoken(call)
            if text is not None:
                place = Place(importlib.import_module(name), function)
                yield f"{path.name}: {ast.unparse(text)}", set(alternatives(text, place))


def calls(node: ast.AST, function: ast.AST | None = None) -> Iterator[tuple[ast.AST | None, ast.Call]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Call):
            yield function, child
        yield from calls(child, child if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) else function)


def written_down(module: ModuleType) -> set[str]:
    """What a module keeps to be told later: gives to the name `reason`, and to arguments named so, or `actor`."""
    tree = ast.parse(Path(str(module.__file__)).read_text())
    found: list[ast.expr] = []
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[ast.Name("reason")], value=value) | ast.keyword("reason" | "actor", value):
                found.append(value)
            case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)):
                found += [value for name, value in zip(names, values, strict=True) if ast.unparse(name) == "reason"]
    return {text for value in found for text in alternatives(value, Place(module, None))}


def spoken(call: ast.Call) -> ast.expr | None:
    """The argument that is said to the caller, if this is such a call."""
    match call.func:
        case ast.Name(id=FieldError.__name__):
            return call.args[1]
        case ast.Name(id=name) if name in SAYING:
            return call.args[0]
    return None


def alternatives(node: ast.expr, place: Place) -> list[str]:
    """What an expression can be, as far as the source says: `{}` where it does not."""
    match node:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.Constant(value=None):
            return []
        case ast.JoinedStr(values=parts):
            return ["".join(each) for each in itertools.product(*(alternatives(part, place) for part in parts))]
        case ast.FormattedValue(value=value, conversion=-1):
            return alternatives(value, place)
        case ast.IfExp(body=body, orelse=orelse):
            return [*alternatives(body, place), *alternatives(orelse, place)]
        case ast.Name(id=name):
            return alternatives_of_name(name, place)
        case ast.Subscript(value=ast.Name(id=name)) if isinstance(table := place.named(name), dict):
            return list(table.values())
        case ast.Call(func=ast.Attribute(ast.Name(id=name), "get"), args=[_, default]) if isinstance(
            table := place.named(name), dict
        ):
            return [*table.values(), *alternatives(default, place)]
        case ast.Call(func=ast.Name(id=name)):
            return returned(place.named(name))
        case ast.Call(func=ast.Attribute(ast.Name(id=name), attribute)) if isinstance(
            module := place.named(name), ModuleType
        ):
            return returned(getattr(module, attribute))
    return [FILLED]


def alternatives_of_name(name: str, place: Place) -> list[str]:
    given = place.given(name)
    if given:
        return [each for value in given for each in alternatives(value, place)]
    constant = place.named(name)
    return [constant] if isinstance(constant, str) else [FILLED]


def returned(function: object) -> list[str]:
    """What one of our functions can return."""
    module = importlib.import_module(getattr(function, "__module__", "builtins"))
    if not module.__name__.startswith("belfry."):
        return [FILLED]
    tree = ast.parse(Path(str(module.__file__)).read_text())
    [body] = [
        each for each in tree.body if isinstance(each, ast.FunctionDef) and function is getattr(module, each.name)
    ]
    returns = [each.value for each in ast.walk(body) if isinstance(each, ast.Return) and each.value is not None]
    return [each for value in returns for each in alternatives(value, Place(module, body))]


def lambdas(module: ModuleType) -> set[str]:
    """What the lambdas of a module can return."""
    tree = ast.parse(Path(str(module.__file__)).read_text())
    found = [each.body for each in ast.walk(tree) if isinstance(each, ast.Lambda)]
    return {each for body in found for each in alternatives(body, Place(module, None))}


def is_english(text: str) -> bool:
    """Whether it holds two words of English in a row, or nothing but English."""
    return not re.search(r"[\u4e00-\u9fff]", text) or bool(re.search(r"[A-Za-z]{2,} [a-z]{2,}", text))
