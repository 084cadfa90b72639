from __future__ import annotations

import pytest

from nines.model.design.naming import WORD, package_name


@pytest.mark.parametrize(
    ("service", "package"),
    [
        ("payments", "payments"),
        ("clinic-bookings", "clinic_bookings"),
        ("s3-proxy", "s3_proxy"),
        ("class", "class_service"),
        ("calendar", "calendar_service"),
        ("redis", "redis_service"),
        ("3d-prints", "service_3_d_prints"),
    ],
)
def test_a_package_is_called_like_its_service_and_like_nothing_else(service: str, package: str) -> None:
    assert package_name(service) == package
    assert package.isidentifier()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("sha256", ["sha256"]),
        ("address2_line", ["address2", "line"]),
        ("createPayment", ["create", "Payment"]),
        ("S3Object", ["S3", "Object"]),
        ("HTTPServer", ["HTTP", "Server"]),
        ("payV2Order", ["pay", "V2", "Order"]),
        ("base-url", ["base", "url"]),
    ],
)
def test_a_number_belongs_to_the_word_before_it(name: str, words: list[str]) -> None:
    assert WORD.findall(name) == words
