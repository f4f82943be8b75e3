"""The page's modules by themselves: their tests in node, and their types."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from npm import npm_package

ROOT = Path(__file__).parents[1]
STATIC = ROOT / "src/inktex/service/static"
MODULES = sorted(STATIC.glob("*.js"))
TESTS = sorted((ROOT / "tests/page").glob("*.test.mjs"))


def test_the_modules_pass_their_tests_in_node() -> None:
    """Every test in tests/page passes."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    if int(version.strip("v").split(".")[0]) < 20:
        pytest.skip(f"node {version.strip()} is older than 20")

    done = subprocess.run([node, "--test", *map(str, TESTS)], capture_output=True, text=True, cwd=ROOT)

    failures = re.findall(r"^\s*not ok .*(?:\n.*){0,30}", done.stdout, re.MULTILINE)
    assert done.returncode == 0, "\n".join(failures) or done.stderr
    assert re.search(r"^# pass [1-9]", done.stdout, re.MULTILINE)


@pytest.mark.slow
def test_the_types_in_the_comments_hold(tmp_path: Path) -> None:
    """TypeScript finds no fault in the modules with all checks on."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    compiler = npm_package("typescript", "5.9.3", tmp_path) / "bin/tsc"
    options = ["--noEmit", "--allowJs", "--checkJs", "--strict", "--target", "es2024"]
    options += ["--lib", "es2024,dom,dom.iterable", "--module", "esnext", "--moduleResolution", "bundler"]

    done = subprocess.run(
        [node, str(compiler), *options, str(STATIC / "app.js")], capture_output=True, text=True
    )

    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_a_module_is_short_and_says_what_it_is(path: Path) -> None:
    """A module has at most 300 lines and begins with a sentence on what it is."""
    lines = path.read_text(encoding="utf-8").splitlines()

    assert len(lines) <= 300
    assert re.match(r"// \S.*", lines[0])
    assert "." in " ".join(line for line in lines[:3] if line.startswith("//"))


def test_the_document_names_every_module() -> None:
    """docs/page.md has each module in its table, and none that is not there."""
    page = (ROOT / "docs/page.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`[^|]*\.js`) \|", page, re.MULTILINE)

    assert sorted(re.findall(r"`([\w]+\.js)`", " ".join(rows))) == [path.name for path in MODULES]


def test_the_page_asks_nobody_else() -> None:
    """No file of the page names an address of another host, but for names of formats."""
    known = {
        "http://www.w3.org/1998/Math/MathML",
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/2003/InkML",
    }

    for path in (path for path in STATIC.rglob("*") if path.is_file()):
        text = path.read_text(encoding="utf-8")
        assert set(re.findall(r"https?://[^\s\"'`<>)]+", text)) <= known, path.name


def test_the_page_keeps_to_a_strict_policy() -> None:
    """The page has no script, style or handler of events in its HTML."""
    html = (STATIC / "index.html").read_text(encoding="utf-8")

    assert not re.findall(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|javascript:", html)
