"""What was used is shown as a table and as the body of the API."""

import datetime

import pytest

from cli_program import needs_binary, program  # noqa: F401 (a fixture)

pytestmark = needs_binary

TODAY = datetime.datetime.now(datetime.timezone.utc).date()
COLUMNS = ("owner, day, key_id, model, provider, byok, requests, failed, errors, prompt_tokens, cache_read_tokens, "
           "cache_write_tokens, completion_tokens, reasoning_tokens, cost_nano_usd, unpriced_requests, estimated_requests")


def day_number(days_ago):
    return (TODAY - datetime.timedelta(days=days_ago) - datetime.date(1970, 1, 1)).days


def iso(days_ago):
    return (TODAY - datetime.timedelta(days=days_ago)).isoformat()


@pytest.fixture
def used(program):
    """Two keys, three models, two days, and one day long ago."""
    program.mine = program.new_key("--name", "mine")["keyId"]
    program.hers = program.new_key("--name", "hers", "--owner", "her")["keyId"]
    rows = [
        # owner, day, key, model, provider, byok, requests, failed, errors, tokens: 5 classes, nano-USD, unpriced, estimated
        ("local", day_number(1), program.mine, "gpt-5.2", "openai", 0, 10, 1, 2, 100, 20, 3, 40, 5, 470_000_000, 0, 0),
        ("local", day_number(0), program.mine, "gpt-5.2", "openai", 0, 5, 0, 0, 50, 0, 0, 20, 0, 1, 0, 0),
        ("local", day_number(0), program.mine, "homemade", "lab", 0, 3, 0, 0, 7, 0, 0, 8, 0, 0, 3, 0),
        ("her", day_number(0), program.hers, "claude-opus-5", "anthropic", 0, 2, 0, 0, 11, 0, 0, 12, 0, 2_500_000_000, 0, 0),
        ("local", day_number(40), program.mine, "gpt-5.2", "openai", 0, 1000, 0, 0, 1, 0, 0, 1, 0, 9, 0, 0),
    ]
    connection = program.connect()
    connection.executemany(f"INSERT INTO usage_daily ({COLUMNS}) VALUES ({','.join('?' * 17)})", rows)
    connection.close()
    return program


def table(program, *arguments):
    """Heading and lines below the title, as words."""
    lines = program.ok("usage", *arguments).lines()
    assert lines[0][0] == "Usage" and lines[1] == []
    end = lines.index([], 2) if [] in lines[2:] else len(lines)
    return lines[2], lines[3:end]


def test_by_default_a_line_for_each_model_of_the_last_30_days(used):
    out = used.ok("usage").out
    assert out.startswith(f"Usage from {iso(29)} to {iso(0)} (UTC)\n")
    heading, lines = table(used)
    assert heading == ["MODEL", "REQUESTS", "ERRORS", "INPUT", "OUTPUT", "COST", "USD", "UNPRICED"]
    assert lines == [
        ["claude-opus-5", "2", "0", "11", "12", "2.500000000"],
        ["gpt-5.2", "15", "2", "173", "65", "0.470000001"],
        ["homemade", "3", "0", "7", "8", "unknown", "3"],
        ["total", "20", "2", "191", "85", "2.970000001", "3"],
    ]
    assert "models without a known price" in out


def test_costs_are_exact_and_stand_below_each_other(used):
    lines = used.ok("usage", "--owner", "local", "--from", iso(1), "--to", iso(1)).out.splitlines()
    assert lines[3].split() == ["gpt-5.2", "10", "2", "123", "45", "0.47"]
    assert "UNPRICED" not in lines[2]


def test_by_key_shows_the_names_of_keys(used):
    used.ok("keys", "revoke", used.hers, "--yes")
    heading, lines = table(used, "--by", "key")
    assert heading[:2] == ["KEY", "NAME"]
    assert {line[0]: line[1] for line in lines[:-1]} == {used.mine: "mine", used.hers: "hers"}


def test_by_provider_and_day(used):
    heading, lines = table(used, "--by", "provider", "--daily")
    assert heading[:3] == ["DAY", "PROVIDER", "REQUESTS"]
    assert [line[:3] for line in lines] == [[iso(1), "openai", "10"], [iso(0), "anthropic", "2"], [iso(0), "lab", "3"],
                                            [iso(0), "openai", "5"], ["total", "20", "2"]]


def test_daily_alone_has_a_line_for_each_day(used):
    heading, lines = table(used, "--daily")
    assert heading[:2] == ["DAY", "REQUESTS"]
    assert [line[:2] for line in lines] == [[iso(1), "10"], [iso(0), "10"], ["total", "20"]]


def test_one_owner_or_one_key_only(used):
    assert table(used, "--owner", "her")[1][-1][:2] == ["total", "2"]
    assert table(used, "--key", used.mine)[1][-1][:2] == ["total", "18"]
    assert "No requests." in used.ok("usage", "--owner", "nobody").out
    assert "No requests." in used.ok("usage", "--owner", "her", "--key", used.mine).out


def test_both_days_are_included(used):
    assert table(used, "--from", iso(40), "--to", iso(40))[1][-1][:2] == ["total", "1000"]
    assert table(used, "--from", iso(40))[1][-1][:2] == ["total", "1020"]
    assert table(used, "--to", iso(1))[1][-1][:2] == ["total", "10"]


def test_json_is_the_body_of_the_api(used):
    body = used.ok("usage", "--json", "--owner", "local").json()
    assert body == {"success": True, "data": {
        "totalRequests": 18, "totalTokens": 253, "totalCost": 0.470000001,
        "byModel": {"gpt-5.2": {"requests": 15, "tokens": 238, "cost": 0.470000001},
                    "homemade": {"requests": 3, "tokens": 15, "cost": 0, "unpriced": True}}}}


def test_json_with_days_and_groups_has_a_series(used):
    series = used.ok("usage", "--json", "--daily", "--by", "key", "--owner", "her").json()["data"]["series"]
    assert series == [{"date": iso(0), "key": used.hers, "requests": 2, "tokens": 23, "cost": 2.5}]


def test_no_requests_is_no_error(program):
    program.new_key()
    assert program.ok("usage").out.endswith("No requests.\n")
    assert program.ok("usage", "--json").json()["data"]["totalRequests"] == 0


@pytest.mark.parametrize("arguments, said", [
    (["--from", "yesterday"], "--from must be a date like 2026-03-01, not 'yesterday'"),
    (["--to", "2026-02-30"], "--to must be a date"),
    (["--from", "2026-03-02", "--to", "2026-03-01"], "--from must not be after --to"),
    (["--from", "2025-01-01", "--to", "2026-01-02"], "at most 366 days"),
])
def test_a_wrong_range_is_wrong_usage(program, arguments, said):
    outcome = program.run("usage", *arguments)
    assert outcome.code == 64 and outcome.out == "" and said in outcome.err


def test_the_longest_range_is_366_days(program):
    program.new_key()
    program.ok("usage", "--from", "2025-01-01", "--to", "2026-01-01")
