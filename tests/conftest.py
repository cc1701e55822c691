"""For all tests: properties have no time limit, because machines are busy at times."""

from hypothesis import settings

settings.register_profile("without deadline", deadline=None)
settings.load_profile("without deadline")
