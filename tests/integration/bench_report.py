"""Reports of `concurred bench`: runs it and holds what it writes to the published schema."""

import json
import pathlib
import subprocess

from mock_provider import binary

SCHEMA = json.loads((pathlib.Path(__file__).resolve().parents[2] / "bench" / "report.schema.json").read_text())
TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "number": (int, float), "null": type(None)}


def faults(value, schema, where="report"):
    """What of a value is against a schema: the keywords of JSON Schema that the report's schema uses, and no others."""
    unknown = schema.keys() - {"$schema", "$defs", "title", "description", "$ref", "type", "required", "properties", "items", "const",
                               "enum", "minimum", "allOf"}
    assert not unknown, unknown
    if "$ref" in schema:
        yield from faults(value, SCHEMA["$defs"][schema["$ref"].removeprefix("#/$defs/")], where)
    for part in schema.get("allOf", []):
        yield from faults(value, part, where)
    names = schema.get("type", [])
    names = [names] if isinstance(names, str) else names
    fits = [n for n in names if isinstance(value, TYPES[n]) and (n == "boolean" or not isinstance(value, bool))]
    if names and not fits:
        yield f"{where}: is no {names}: {value!r:.80}"
        return
    if "const" in schema and value != schema["const"] or "enum" in schema and value not in schema["enum"]:
        yield f"{where}: is {value!r}"
    if "minimum" in schema and value < schema["minimum"]:
        yield f"{where}: is {value}"
    if isinstance(value, dict):
        yield from (f"{where}: has no {name}" for name in schema.get("required", []) if name not in value)
        for name, inner in schema.get("properties", {}).items():
            if name in value:
                yield from faults(value[name], inner, f"{where}.{name}")
    if isinstance(value, list) and "items" in schema:
        for i, item in enumerate(value):
            yield from faults(item, schema["items"], f"{where}[{i}]")


def bench(*arguments, folder=None):
    """Runs `concurred bench`. Returns the completed process."""
    return subprocess.run([binary(), "bench", *arguments], capture_output=True, text=True, timeout=100, check=False, cwd=folder)


def run(folder, scenario, *arguments):
    """Runs a scenario, given as TOML. Returns the completed process, the report and the page; the report fits its schema."""
    (folder / "scenario.toml").write_text(scenario)
    done = bench("run", str(folder / "scenario.toml"), "--json", str(folder / "report.json"), "--html", str(folder / "report.html"),
                 *arguments)
    assert (folder / "report.json").exists(), done.stderr
    report = json.loads((folder / "report.json").read_text())
    assert list(faults(report, SCHEMA)) == []
    return done, report, (folder / "report.html").read_text()
