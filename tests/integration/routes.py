"""The routes that the gateway declares, read from its source: so that tables of tests cannot leave one out."""

import re
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2] / "gateway/pipeline/chain.cpp"


def declared():
    """Method and path of each, as in the router's table; with its query where that decides."""
    text = SOURCE.read_text()
    table = text[text.index("std::vector<endpoint> table{"):text.index("for (endpoint& e : table)")]
    found = []
    for row in re.split(r"\},?\s*\n", table):
        method, path = re.search(r"verb::(\w+?)_?,", row), re.search(r'"(/[^"]*)"', row)
        if method and path:
            query = re.search(r'\.query = "([^"]*)"', row)
            found.append((method[1].upper(), path[1] + ("?" + query[1] if query else "")))
    assert len(found) == table.count("verb::")
    return found
