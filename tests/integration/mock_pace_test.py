"""The mock provider's clock: recorded times, and tokens that say when they were written."""

import subprocess
import time

import pytest

from mock_provider import MockProvider, binary

pytestmark = pytest.mark.skipif(not binary(), reason="CONCURRED_BIN is not set")


def test_tokens_carry_the_time_they_were_written():
    with MockProvider() as mock:
        before = time.monotonic()
        answer = mock.chat("tokens=3;gap=30ms;stamp", stream=True)
        after = time.monotonic()
    texts = [e["choices"][0]["delta"]["content"] for e in answer.events()[1:4]]
    assert all(text.startswith("@") and text.endswith(" ") for text in texts)
    stamps = [int(text[1:].split(":")[0]) / 1e6 for text in texts]
    assert [text.split(":")[1] for text in texts] == ["0 ", "1 ", "2 "]
    assert before <= stamps[0] < stamps[1] < stamps[2] <= after
    assert stamps[2] - stamps[0] >= 0.05


def test_a_recording_is_played_and_played_again_from_its_beginning(tmp_path):
    (tmp_path / "trace").write_text("# recorded\n20ms\n30ms\n\n90ms\n")
    with MockProvider("--trace-file", f"slow={tmp_path}/trace") as mock:
        begin = time.monotonic()
        events = mock.chat("tokens=5;trace=slow;stamp", stream=True).events()
        assert mock.chat("trace=fast").json()["error"]["code"] == "mock_setting"
    stamps = [int(event["choices"][0]["delta"]["content"][1:].split(":")[0]) / 1e6 for event in events[1:6]]
    # Never early: 10 ms, 60 ms, 10 ms, 60 ms between them.
    assert all(stamp - begin >= due for stamp, due in zip(stamps, [0.020, 0.030, 0.090, 0.100, 0.160]))


@pytest.mark.parametrize("text", ["", "20ms\n", "20ms\n10ms\n", "20ms\nsoon\n"])
def test_a_file_that_is_no_recording_is_refused(tmp_path, text):
    (tmp_path / "trace").write_text(text)
    done = subprocess.run([binary(), "mock", "--trace-file", f"x={tmp_path}/trace"], capture_output=True, text=True,
                          timeout=10, check=False)
    assert done.returncode == 64 and "--trace-file" in done.stderr
