"""The table of SDK, feature and provider: made from what the suites recorded, kept in README.md."""

import json

BEGIN = "<!-- matrix: written by run.sh --write-table -->"
END = "<!-- end of matrix -->"


def table(lines):
    """The table in Markdown. lines: one JSON object of sdk, feature, provider, result for each cell."""
    cells = {}
    for line in lines:
        one = json.loads(line)
        cells[one["sdk"], one["feature"], one["provider"]] = one["result"]
    sdks, features, providers = (list(dict.fromkeys(key[i] for key in cells)) for i in range(3))
    order = ["openai", "anthropic", "google", "x-ai", "openrouter", "minimax"]
    providers.sort(key=order.index)
    reasons = list(dict.fromkeys(result for result in cells.values() if result != "pass"))
    rows = ["| SDK | feature | " + " | ".join(providers) + " |", "|---|---|" + "---|" * len(providers)]
    for sdk in sorted(sdks):
        for feature in features:
            if not any((sdk, feature, provider) in cells for provider in providers):
                continue
            marks = [cells.get((sdk, feature, provider)) for provider in providers]
            rows.append(f"| {sdk} | {feature} | " + " | ".join(
                "●" if mark == "pass" else "" if mark is None else f"– {reasons.index(mark) + 1}"
                for mark in marks) + " |")
    notes = [f"{number}. {reason}" for number, reason in enumerate(reasons, 1)]
    return "\n".join([*rows, "", *(notes or ["No gaps."])])


def written(readme):
    """The table as README.md has it."""
    return readme.split(BEGIN)[1].split(END)[0].strip()


def replaced(readme, made):
    before, rest = readme.split(BEGIN)
    return f"{before}{BEGIN}\n\n{made}\n\n{END}{rest.split(END)[1]}"
