"""For all tests: how properties draw their examples, and which tests are slow."""

import pytest
from hypothesis import settings

# No profile has a time limit for an example, because machines are busy at times. `make test` draws
# the same examples every time, `make fuzz` new ones: a failure of it is printed as a decorator
# that draws the example again.
settings.register_profile("ci", deadline=None, derandomize=True)
settings.register_profile("fuzz", deadline=None, derandomize=False, print_blob=True)
settings.load_profile("ci")


@pytest.hookimpl(tryfirst=True)  # before -m chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test as slow that asks for Prefect's server, itself or through a fixture."""
    for item in items:
        if "prefect_server" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)
