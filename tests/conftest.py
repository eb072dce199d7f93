"""What every test shares: hypothesis judges results, never the time that they took."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("ringfence", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ringfence")
