from nines import __version__


def test_version_is_semantic() -> None:
    assert len(__version__.split(".")) == 3
