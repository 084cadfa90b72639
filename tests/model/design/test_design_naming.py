from __future__ import annotations

import pytest

from nines.model.design.naming import package_name


@pytest.mark.parametrize(
    ("service", "package"),
    [
        ("payments", "payments"),
        ("clinic-bookings", "clinic_bookings"),
        ("s3-proxy", "s_3_proxy"),
        ("class", "class_service"),
        ("calendar", "calendar_service"),
        ("redis", "redis_service"),
        ("3d-prints", "service_3_d_prints"),
    ],
)
def test_a_package_is_called_like_its_service_and_like_nothing_else(service: str, package: str) -> None:
    assert package_name(service) == package
    assert package.isidentifier()
