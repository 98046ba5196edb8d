"""The pages of engines, backends and audio formats, from their specs."""

from __future__ import annotations

import workspace

from flashtts_core.audio.formats import FORMATS
from flashtts_core.host import HOST_KNOBS
from flashtts_core.settings import Settings, fields_of
from flashtts_core.types import SAMPLING_FIELDS

RESTRICTIONS = {
    "none": "no: the engine skips what does not belong",
    "flat": "one set for all steps",
    "cycle": "one set for each step of a frame",
}


def plugins() -> str:
    """Return the page of engines and backends."""
    known = workspace.plugins()
    parts = [
        "# Engines and backends",
        "",
        "What the plugins of this repository say about themselves. `flashtts plugins` shows what is installed on your "
        "machine, those of others too. What it means in practice: [Engines](../engines.md), "
        "[Backends](../backends.md).",
        "",
        "## Engines",
        "",
        "| name | what it is | comes with | language model | settings it honours |",
        "|---|---|---|---|---|",
    ]
    for engine in known.engines:
        spec = engine.spec
        home = f"{engine.plugin.distribution}: `{spec.install}`"
        honoured = " ".join(f"`--{name}`" for name in sorted(spec.knobs)) or "none"
        needs = "a backend" if spec.uses_llm else "none"
        parts.append(f"| `{spec.name}` | {spec.summary} | {home} | {needs} | {honoured} |")
    parts += ["", "## Backends", "", "Sampling fields and settings that a backend honours:", ""]
    specs = {entry.spec.name: entry.spec for entry in known.backends}
    parts += ["| | " + " | ".join(f"`{name}`" for name in specs) + " |", "|---|" + "---|" * len(specs)]
    parts += [
        f"| `{field}` | " + " | ".join(_mark(field in spec.sampling) for spec in specs.values()) + " |"
        for field in SAMPLING_FIELDS
    ]
    parts += [
        f"| `--{knob}` | " + " | ".join(_mark(knob in spec.knobs) for spec in specs.values()) + " |"
        for knob in fields_of(Settings)
        if knob not in HOST_KNOBS and any(knob in spec.knobs for spec in specs.values())
    ]
    parts += [
        "| keeps to the ids that can follow | "
        + " | ".join(RESTRICTIONS[s.restriction] for s in specs.values())
        + " |",
        "",
        "A flag without effect logs one warning. A sampling field without effect is named in the header "
        "`X-Flashtts-Ignored` of each answer.",
        "",
        "| name | also called | what it is | install |",
        "|---|---|---|---|",
    ]
    for backend in specs.values():
        aliases = " ".join(f"`{alias}`" for alias in backend.aliases)
        parts.append(f"| `{backend.name}` | {aliases} | {backend.summary} | `{backend.install}` |")
    parts += ["", "## Distributions", "", "| name | what it is | extras |", "|---|---|---|"]
    for tree in workspace.distributions():
        project = tree.project
        extras = " ".join(f"`{extra}`" for extra in sorted(project.get("optional-dependencies", {})))
        folder = tree.folder.relative_to(workspace.ROOT).as_posix()
        link = f"[{project['name']}](../../{folder}/README.md)".replace("/./", "/")
        parts.append(f"| {link} | {project['description']} | {extras} |")
    return "\n".join(parts)


def formats() -> str:
    """Return the page of audio formats."""
    rows = [f"| `{name}` | {spec.content_type} | .{spec.extension} |" for name, spec in FORMATS.items()]
    head = ["# Audio formats", "", "All of them stream.", "", "| name | content type | file |", "|---|---|---|"]
    return "\n".join([*head, *rows])


def _mark(honoured: bool) -> str:
    return "yes" if honoured else "—"
