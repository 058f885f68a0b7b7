"""How many examples a test draws: few in the suite, many with `--hypothesis-profile thorough --timeout 0`.

The suite draws the same ones each time, so that a change fails for what it changed; the thorough profile draws others.
"""

from hypothesis import HealthCheck, settings

_SUITE, THOROUGH = "suite", "thorough"
_FACTOR = 20

# hypothesis draws a hundred unless told otherwise.
_USUAL = 100


def register() -> None:
    """Let no example fail because a machine was busy, and make `thorough` known to hypothesis' own pytest option."""
    settings.register_profile(_SUITE, deadline=None, derandomize=True)
    settings.register_profile(THOROUGH, deadline=None, max_examples=_USUAL * _FACTOR)
    settings.load_profile(_SUITE)


def effort(examples: int) -> settings:
    """Return the settings of a test that draws so many examples in the suite."""
    return settings(
        max_examples=max(1, examples * (settings.default or settings()).max_examples // _USUAL),
        deadline=None,
        # What asks a server is slow, and fixtures outlive the examples on purpose.
        suppress_health_check=[
            HealthCheck.too_slow,
            HealthCheck.data_too_large,
            HealthCheck.filter_too_much,
            HealthCheck.function_scoped_fixture,
        ],
    )
