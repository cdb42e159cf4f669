"""The form of a file: YAML in and out, the front matter of a page, and why a file is refused with its line."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from yaml.reader import ReaderError

from peacekb.documents import Document, shown
from peacekb.models import MODELS, Kind

# In characters; 500 labels and as many of everything else fit. YAML takes a second for so much, and 5 for a whole file.
_LONGEST_FRONT_MATTER = 256 * 1024
_LARGEST_FILE = 4 * 1024 * 1024
# Labels are the deepest there is, in the third level. YAML in C overflows the stack at some tens of thousands.
_DEEPEST = 8
_LONGEST_NUMBER = 20
# What is not written in quotes may be no more than this; “1.10” as a number would lose its nought.
_TYPES = frozenset(f"tag:yaml.org,2002:{name}" for name in ("map", "seq", "str", "int", "bool", "null", "timestamp"))
MARK = "---"
#: The folder of each kind. Essays are what readers call articles.
FOLDERS: dict[str, str] = {
    "essays": Kind.ARTICLE,
    "concepts": Kind.CONCEPT,
    "roles": Kind.ROLE,
    "tasks": Kind.TASK,
    "actors": Kind.ACTOR,
    "operations": Kind.OPERATION,
    "cases": Kind.CASE,
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a file, or one work in it, was not taken."""

    path: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}, line {self.line}: {self.message}"


@dataclass(slots=True)
class File:
    """One page as a file has it. `lines` maps a key of the front matter to its line; the text starts at `body_line`.

    `trees` are the sections of the text (see `text.compose.read_sections`), once it was tried.
    """

    path: str
    kind: str
    document: Document
    lines: dict[str, int]
    body_line: int
    trees: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Report:
    """What an import did, by the path of each file; `kept` are pages that an editor has changed since."""

    created: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)


def yaml_of(value: Any) -> str:
    return yaml.dump(value, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=2**31, default_flow_style=False)


class _Dumper(yaml.SafeDumper):
    """Write no aliases: a list that occurs twice is written twice. Enumeration values are plain texts."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


_Dumper.add_multi_representer(str, lambda dumper, text: dumper.represent_str(str(text)))


def text_of(path: Path) -> str:
    try:
        if path.exists() and not path.is_file():  # a pipe or a device may have no end
            raise FileRefused("this is no file that can be read to its end. Copy its text into a file.", 1)
        with path.open("rb") as file:
            content = file.read(_LARGEST_FILE + 1)
    except OSError as error:
        raise FileRefused(f"the file cannot be read: {error.strerror}.", 1) from error
    if len(content) > _LARGEST_FILE:
        raise FileRefused(f"the file is larger than {_LARGEST_FILE // 1024**2} MB. Divide it.", 1)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise FileRefused(f"the file is not UTF-8 (byte {error.start}). Save it as UTF-8.", line) from error


# The safe loader written in C where PyYAML has it: ten times as fast.
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class FileRefused(ValueError):
    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


def read_file(text: str, *, path: str, folder: str = "") -> File:
    """Read one page from the text of its file. Raises `ValueError` with a `line` where the form is not kept."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    lines = text.split("\n")
    if lines[0].rstrip() != MARK:
        raise FileRefused("front matter is missing: the first line must be “---”.", 1)
    end = next((number for number, line in enumerate(lines[1:], start=1) if line.rstrip() == MARK), None)
    if end is None:
        raise FileRefused("the front matter is not closed: a second line “---” is missing.", 1)
    front = "\n".join(lines[1:end])
    if len(front) > _LONGEST_FRONT_MATTER:
        raise FileRefused(
            f"the front matter is longer than {_LONGEST_FRONT_MATTER // 1024} kB. "
            "Shorten its lists; a long text belongs below it.",
            2,
        )
    document, places = mapping_of(front, first_line=2)
    kind = document.pop("kind", None) or FOLDERS.get(folder, Kind.ARTICLE)
    if not isinstance(kind, str) or kind not in MODELS:
        raise FileRefused(f"unknown kind “{shown(kind)}”. Kinds: {', '.join(MODELS)}.", places.get("kind", 1))
    if "source" in document:
        raise FileRefused("unknown key “source”: the text stands below the front matter.", places["source"])
    # "summary:" with nothing behind it is no value.
    document = {key: value for key, value in document.items() if value is not None}
    body = "\n".join(lines[end + 1 :])
    body_line = end + 2 + (len(body) - len(body.lstrip("\n")))
    if body.strip("\n"):
        document["source"] = body.strip("\n")
        places["source"] = body_line
    return File(path, kind, document, places, body_line)


def mapping_of(text: str, *, first_line: int) -> tuple[dict[str, Any], dict[str, int]]:
    """Read a YAML mapping with the line of each key, and of each entry of a list as `key[number]`, from 0.

    Refuses what files have no need of: aliases, repeated keys, deep nesting, values that are not of `_TYPES`.
    """
    try:
        _check_nesting(text, first_line)
        loader = _Loader(text)
        try:
            root = loader.get_single_node()
            if not isinstance(root, yaml.MappingNode):
                raise FileRefused("there must be keys and values here, such as “title: Ceasefire”.", first_line)
            _check_node(root, first_line)
            values: dict[str, Any] = {}
            places: dict[str, int] = {}
            for key, node in root.value:
                places[key.value] = first_line + key.start_mark.line
                values[key.value] = _value(loader, node, places[key.value])
                if isinstance(node, yaml.SequenceNode):
                    for number, entry in enumerate(node.value):
                        places[f"{key.value}[{number}]"] = first_line + entry.start_mark.line
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line if error.problem_mark else 0
        raise FileRefused(
            f"this is not YAML: {error.problem}. A text that has “: ” or begins with a sign goes in quotes.",
            first_line + line,
        ) from error
    except ReaderError as error:
        line = first_line + text.encode().count(b"\n", 0, error.position)
        raise FileRefused(f"a control character stands here (U+{error.character:04X}). Delete it.", line) from error
    return values, places


def _check_nesting(text: str, first_line: int) -> None:
    """Refuse aliases, of which a few can stand for millions of values, and depth, before any of it is built."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        line = first_line + (event.start_mark.line if event.start_mark else 0)
        if isinstance(event, yaml.AliasEvent):
            raise FileRefused("“*” refers to another place; write the value itself.", line)
        if tag := getattr(event, "tag", None):
            raise FileRefused(f"“{shown(tag)}” gives a value a type; write the value alone.", line)
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise FileRefused("lists stand in lists too deeply here. A text that begins with “[” goes in quotes.", line)


def _check_node(node: yaml.Node, first_line: int) -> None:
    line = first_line + node.start_mark.line
    if node.tag not in _TYPES or (node.tag.endswith(":int") and len(node.value) > _LONGEST_NUMBER):
        raise FileRefused(f"“{shown(node.value)}” reads as a number or a sign. Put it in quotes.", line)
    if isinstance(node, yaml.SequenceNode):
        for entry in node.value:
            _check_node(entry, first_line)
    elif isinstance(node, yaml.MappingNode):
        keys = set()
        for key, value in node.value:
            line = first_line + key.start_mark.line
            if not key.tag.endswith(":str"):
                raise FileRefused("a key must be a word; this one is not. Put it in quotes.", line)
            if key.value in keys:
                raise FileRefused(f"the key “{shown(key.value)}” stands here twice.", line)
            keys.add(key.value)
            _check_node(value, first_line)


def _value(loader: Any, node: yaml.Node, line: int) -> Any:
    try:
        return loader.construct_object(node, deep=True)
    except ValueError as error:  # such as the date 2027-13-01
        raise FileRefused(
            f"a value here cannot be: {str(error).rstrip('.')}. Correct it, or put it in quotes.", line
        ) from error
