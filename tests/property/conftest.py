"""One hypothesis profile for all property tests: the same examples on every machine and run."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "marginquake",
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("marginquake")
