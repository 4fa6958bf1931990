"""Every integration test has a watchdog: what hangs fails, with a traceback of where."""

import signal

import pytest

WATCHDOG = 120  # seconds; `@pytest.mark.watchdog(seconds)` sets another


def pytest_configure(config):
    config.addinivalue_line("markers", "memory: measures resident memory, which a sanitizer changes")
    config.addinivalue_line("markers", "watchdog(seconds): longest time for one test")


@pytest.fixture(autouse=True)
def watchdog(request):
    marker = request.node.get_closest_marker("watchdog")
    seconds = marker.args[0] if marker else WATCHDOG

    def bark(*_):
        raise TimeoutError(f"the test took longer than {seconds} s")

    previous = signal.signal(signal.SIGALRM, bark)
    signal.alarm(seconds)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, previous)
