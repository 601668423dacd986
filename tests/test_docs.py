"""The docs tell the truth: links lead somewhere, command lines exist, JSON keys are those that are written."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from napari_cellsynth.cli import main
from napari_cellsynth.cli.dispatch import COMMANDS
from napari_cellsynth.phantoms import PHANTOMS

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/*.md")])


def test_pages_are_found() -> None:
    assert {"README.md", "cli.md", "getting_started.md", "architecture.md"} <= {page.name for page in PAGES}


def anchors(page: Path) -> set[str]:
    heads = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    prose = re.sub(r"^```.*?^```|`[^`\n]*`", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        aim = (page.parent / path).resolve() if path else page
        assert aim.exists(), f"{page.name} links to {target}"
        assert not anchor or anchor in anchors(aim), f"{page.name} links to {target}"


def commands(page: Path) -> list[list[str]]:
    """Words of every ``cellsynth …`` line in the page's code blocks."""
    text = re.sub(r"\\\n\s*", " ", page.read_text("utf-8"))
    blocks = re.findall(r"^```[a-z]*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = [line.split(" #")[0].strip() for block in blocks for line in block.splitlines()]
    return [shlex.split(line)[1:] for line in lines if line.startswith("cellsynth ")]


@pytest.fixture(scope="session")
def options() -> dict[str, set[str]]:
    """The options of every command, from its help."""
    import io
    from contextlib import redirect_stdout

    found: dict[str, set[str]] = {}
    for name in COMMANDS:
        for kind in PHANTOMS if name == "phantom" else [""]:
            with redirect_stdout(io.StringIO()) as said:
                assert main([*name.split(), *kind.split(), "--help"]) == 0
            found.setdefault(name, set()).update(re.findall(r"--[a-z][\w-]*", said.getvalue()))
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_command_lines_can_be_typed(page: Path, options) -> None:
    for words in commands(page):
        name = next((name for name in (" ".join(words[:2]), words[0]) if name in COMMANDS), None)
        if name is None:
            assert words[0].startswith("--") or words[0] == "COMMAND", words
            continue
        given = {re.match(r"--[a-z][\w-]*", word.strip("[]")) for word in words if word.strip("[").startswith("--")}
        assert {match.group() for match in given if match} <= options[name] | {"--help"}, words


def test_every_command_and_option_stands_in_the_reference(options) -> None:
    text = (ROOT / "docs" / "cli.md").read_text("utf-8")
    for name in COMMANDS:
        assert f"## {name}\n" in text

    def section(name: str) -> str:
        return text.split(f"## {name}\n")[1].split("\n## ")[0]

    general = text.split("\n## ")[0]
    for name in (known for known in COMMANDS if known != "phantom"):
        told = general + section(name) + (section("prepare crops") if name.startswith("prepare") else "")
        everywhere = {"--help", "--device"} | ({"--json", "--fit"} if name == "restore" else set())
        listed = {option for option in options[name] if re.search(option + r"(?![\w-])", told)}
        assert options[name] - everywhere - listed == set(), name


def test_glossary_has_the_words_of_the_shell() -> None:
    text = (ROOT / "docs" / "glossary.md").read_text("utf-8")
    for word in ("stack", "crop", "phantom", "run", "sample", "walk", "preset `paper`", "family", "checkpoint"):
        assert f"| {word}" in text


def test_the_changelog_knows_this_version() -> None:
    from napari_cellsynth import __version__

    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert "## Unreleased" in text or f"## {__version__}" in text
    assert f"version: {__version__}" in (ROOT / "CITATION.cff").read_text("utf-8")
