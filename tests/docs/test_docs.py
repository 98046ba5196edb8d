"""Documentation that cannot lie: pages are current, names exist, links lead somewhere, nothing is left undescribed."""

from __future__ import annotations

import inspect
import json
import re
import tomllib
from pathlib import Path

import pytest
from litestar.routes import WebSocketRoute

from docs import names, running
from docs.pages import DOCS, PAGES, ROOT, Block, blocks_of, prose_of, reference, spans_of, text_of
from flashtts_core import hookspecs
from flashtts_core.flags import model_settings
from flashtts_core.settings import Settings, Sources, fields_of
from flashtts_server.settings import ServerSettings

README = ROOT / "README.md"
CHINESE = ROOT / "README.zh.md"
BLOCKS = [block for page in PAGES for block in blocks_of(page)]
OTHER_FLAGS = {"--fail-with-body", "--no-deps", "--help", "--version", "--gpus", "--db_path"}
"""Flags of other programs, flashtts 0.1.7 among them, that are named in prose."""


def by_place(block: Block) -> str:
    return block.where


def test_reference_pages_are_what_the_code_says() -> None:
    for path, text in reference("generate").pages():
        assert path.read_text(encoding="utf-8") == text, f"{path.name}: run python docs/reference/generate.py"


def test_the_first_two_commands_are_single_lines() -> None:
    install, check = (block.text for block in blocks_of(README) if block.language == "bash")
    assert install.startswith("pip install ./flashtts-core ")
    assert "flashtts infer -i " in install
    assert "nox" in check
    assert install.count("\n") == check.count("\n") == 1


@pytest.mark.parametrize("block", BLOCKS, ids=by_place)
def test_every_block_is_checked(block: Block) -> None:
    """A block runs (``test_examples``), or its names are held against their definitions here; another kind fails."""
    faults = names.faults_of_extras(block.text)
    faults += [name for name in re.findall(r"\bFLASHTTS_\w+", block.text) if name not in names.variables()]
    match block.language:
        case _ if names.is_quoted(block):
            pass
        case "sh" | "bash":
            faults += names.faults_of_script(block)
        case "python":
            compile(block.text, block.where, "exec")
            runs = running.runs(block) or running.runs_with_spark(block)
            assert runs, "nobody runs this"
        case "toml":
            faults += faults_of_toml(block)
        case "json":
            json.loads(block.text)
        case "text" if "output" in block.words:
            pass  # held against what the block before it prints, when that runs
        case "text" if "layout" in block.words:
            faults += [f"no source names the file {name}" for name in files_of(block.text) if not is_known_file(name)]
        case "dockerfile" | "yaml" | "ini" | "nginx":
            faults += [flag for flag in re.findall(r"(?<!\S)--[a-z]\w*", block.text) if flag not in names.flags()]
        case _:
            pytest.fail(f"{block.where}: nobody checks a block of the kind {block.language!r}")
    assert not faults, f"{block.where}: {faults}"


def faults_of_toml(block: Block) -> list[str]:
    """Return what is wrong with a settings file, or with the pyproject.toml of a plugin."""
    table = tomllib.loads(block.text)
    if "project" in table:
        return [] if "flashtts" in table["project"].get("entry-points", {}) else ["no entry point of a plugin"]
    sources = Sources(file=table)
    known = {*fields_of(Settings), *fields_of(ServerSettings), "plugin"}
    settings = model_settings(names.plugins(), sources, ServerSettings)
    sources.build(ServerSettings)
    entries = {spec.name for spec in names.specs()}
    return [*(table.keys() - known), *(settings.plugin.keys() - entries), *(table.get("plugin", {}).keys() - entries)]


def files_of(layout: str) -> list[str]:
    """Return the names of files and folders in a drawing of a folder; what stands in <> is the reader's own."""
    words = [line.split("#")[0].split() for line in layout.splitlines()]
    drawn = [word for line in words for word in line if not re.search("[<>*…]", word)]
    return [part for word in drawn for part in word.strip("/").split("/") if part]


def is_known_file(name: str) -> bool:
    return name in names.file_names() or any(name == hub.rpartition("/")[2] for hub in hub_ids())


def hub_ids() -> set[str]:
    return {found for sentence in names.sentences() for found in re.findall(r"\b[\w-]+/[\w.-]+\w", sentence)}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_names_in_prose_exist(page: Path) -> None:
    spans = spans_of(page)
    flags = {flag for span in spans for flag in re.findall(r"(?<![\w-])--[a-z][a-z_0-9-]*", span)}
    spelled = {flag.replace("-", "_").replace("__", "--", 1) for flag in flags}
    unknown = {flag for flag in spelled if flag not in names.flags() | OTHER_FLAGS}
    unknown |= {name for name in re.findall(r"\bFLASHTTS_[A-Z_]+\b", prose_of(page)) if name not in names.variables()}
    paths = [found for span in spans for found in re.findall(r"^(?:(?:GET|POST|DELETE|WS) )(/\S*)", span)]
    unknown |= {path for path in paths if not names.is_route(path)}
    dotted = [span.partition("(")[0] for span in spans if re.match(r"flashtts(_core|_server)?\.[\w.]+(\(|$)", span)]
    unknown |= {name for name in dotted if not name.endswith((".py", ".toml")) and not names.exists(name)}
    unknown |= set(names.faults_of_extras(text_of(page)))
    assert page.name in {"log.md"} or not unknown, f"{page.relative_to(ROOT)}: {unknown}"


def test_every_hook_is_documented_with_its_arguments() -> None:
    for name, hook in vars(hookspecs).items():
        if name.startswith("flashtts_"):
            spelled = f"`{name}({', '.join(inspect.signature(hook).parameters)})"
            assert spelled in text_of(DOCS / "design.md"), spelled


@pytest.mark.parametrize("group", [Settings, ServerSettings])
def test_the_guides_to_serving_say_when_to_change_each_setting(group: type) -> None:
    pages = [DOCS / "serve.md", *DOCS.glob("operations.md")]
    spans = {flag for page in pages for span in spans_of(page) for flag in re.findall(r"--\w+", span)}
    assert not {f"--{name}" for name in fields_of(group)} - spans


def test_every_command_has_an_example() -> None:
    written = " \n".join(block.text for block in BLOCKS if block.language in {"sh", "bash"})
    for words in names.leaves(names.command_line()):
        assert re.search(rf"flashtts {words}\b", written), f"no example of flashtts {words}"


def test_every_route_has_an_example_with_curl_and_one_in_python() -> None:
    """A route under /v1 that is another one's second name, and those of pages and of WebSockets, need none."""
    page = blocks_of(DOCS / "http.md")
    known = {path for path, *_ in reference("http_page").operations()}
    for path, method, *_ in reference("http_page").operations():
        second_name = path.startswith("/v1/") and path.removeprefix("/v1") in known
        if second_name or path in {"/", "/docs", "/openapi.json", *sockets()}:
            continue
        wanted = re.compile(re.sub(r"\\{\w+\\}", "[^/ \"'?]+", re.escape(running.ADDRESS + path)) + r"(?=[\"'?\s]|$)")
        for language in ("sh", "python"):
            found = [block for block in page if block.language == language and shows(block, wanted, method)]
            assert found, f"http.md has no {language} example of {method} {path}"


def sockets() -> set[str]:
    """Return the paths of WebSockets."""
    return {route.path for route in reference("http_page").routes() if isinstance(route, WebSocketRoute)}


def test_every_websocket_is_documented() -> None:
    generated = set(dict(reference("generate").pages()))
    written = "".join(text_of(page) for page in PAGES if page not in generated and page.name != "log.md")
    assert not {path for path in sockets() if path not in written}


def shows(block: Block, url: re.Pattern[str], method: str) -> bool:
    if block.language == "sh":
        lines = re.sub(r"\\\n\s*", " ", block.text).splitlines()
        return any(url.search(line) and (method in {"GET", "POST"} or f"-X {method}" in line) for line in lines)
    text = block.text.replace('f"{base}', f'"{running.ADDRESS}').replace(
        "client.audio.speech", f"{running.ADDRESS}/v1/audio/speech "
    )
    text = text.replace("client.models", f"{running.ADDRESS}/v1/models ")
    return url.search(text) is not None


def test_every_error_is_in_the_reference() -> None:
    for kind in reference("http_page").classes():
        assert f"`{kind.__name__}` | `{kind.code}`" in text_of(DOCS / "reference" / "errors.md")


def test_messages_are_quoted_as_they_are_said() -> None:
    """Lines that begin with > in the page of symptoms are messages of flashtts; an ellipsis stands for a value."""
    quotes = re.findall(r"^> (.+)$", prose_of(DOCS / "troubleshooting.md"), re.MULTILINE)
    assert len(quotes) > 20
    for quote in quotes:
        assert names.is_said(quote), quote


def anchors_of(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    found = set()
    for heading in re.findall(r"^#+ (.+)$", prose_of(page), re.MULTILINE):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
        found.add(re.sub(r"[^\w\- ]", "", plain).replace(" ", "-"))
    return found


def test_links_and_their_anchors_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)\s]+)\)", prose_of(page)):
            if "://" in target or target.startswith("mailto:"):
                continue
            path, _, anchor = target.partition("#")
            leads = (page.parent / path).resolve() if path else page
            assert leads.exists(), f"{page.relative_to(ROOT)}: {target}"
            assert not anchor or anchor in anchors_of(leads), f"{page.relative_to(ROOT)}: {target}"


def test_every_page_can_be_reached_from_the_map() -> None:
    targets = re.findall(r"\]\(([^)#\s]+)", text_of(DOCS / "README.md"))
    reached = {(DOCS / target).resolve() for target in targets}
    assert not {page for page in PAGES if DOCS in page.parents and page != DOCS / "README.md"} - reached


def test_both_readmes_have_the_same_structure_and_the_same_code() -> None:
    english, chinese = text_of(README), text_of(CHINESE)
    assert [block.text for block in blocks_of(README)] == [block.text for block in blocks_of(CHINESE)]
    assert [(b.language, b.words) for b in blocks_of(README)] == [(b.language, b.words) for b in blocks_of(CHINESE)]
    for shape in (r"^#+ ", r"^\|", r"^\* "):
        count = [[mark.strip() for mark in re.findall(shape, text, re.MULTILINE)] for text in (english, chinese)]
        assert count[0] == count[1], f"the two differ in {shape}"
    links = [set(re.findall(r"\]\(([^)]+)\)", text)) - {"README.md", "README.zh.md"} for text in (english, chinese)]
    assert links[0] == links[1]
    assert "(README.zh.md)" in english
    assert "(README.md)" in chinese
