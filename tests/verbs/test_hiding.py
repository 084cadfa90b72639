"""A report holds no credential, and still tells how to repeat what it says."""

from __future__ import annotations

import msgspec

from nines.model.history import Check, Credential, Exchange, History, Mark, Outcome
from nines.verbs.hiding import HIDDEN, hide
from nines.verbs.reproduction import reproductions

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcdef"
LOGIN = 'access_token in the answer to: curl -d "password=${OWNER_PASSWORD}" http://h/login'
CREDENTIALS = (
    Credential(variable="OWNER_TOKEN", how=LOGIN, secret="t0ken-of-owner"),
    Credential(variable="OWNER_PASSWORD", how="as the settings say", secret="hunter2hunter2"),
)
CURL = 'curl -i -H "authorization: Bearer ${OWNER_TOKEN}" http://h/x'


def exchange(**fields: object) -> Exchange:
    usual = {"operation": "x", "method": "GET", "path": "/x", "outcome": Outcome.OK, "status": 200}
    return Exchange(**(usual | fields))  # type: ignore[arg-type]


def test_no_credential_is_left_anywhere() -> None:
    history = History(
        exchanges=(
            exchange(
                path="/x?token=t0ken-of-owner",
                request_body='{"password": "hunter2hunter2"}',
                body=f'{{"access_token": "fresh-and-unknown", "jwt": "{JWT}", "me": "hunter2hunter2", "token": null}}',
                headers=(("set-cookie", "session=0123456789; Path=/"), ("x-jwt", JWT), ("server", "x")),
            ),
        ),
        checks=(Check(subject="x", got="t0ken-of-owner"),),
        notes=("answered t0ken-of-owner",),
        credentials=CREDENTIALS,
    )
    hidden, without = hide(history)
    text = msgspec.json.encode(hidden).decode()
    for secret in ("t0ken-of-owner", "hunter2hunter2", "fresh-and-unknown", JWT, "0123456789"):
        assert secret not in text
        assert secret not in without(f'{{"token": "{secret}"}}')
    assert hidden.exchanges[0].path == "/x?token=$OWNER_TOKEN"
    assert ("set-cookie", f"session={HIDDEN}; Path=/") in hidden.exchanges[0].headers
    assert ("server", "x") in hidden.exchanges[0].headers


def test_other_ways_to_write_a_secret_are_hidden_as_well() -> None:
    secret = 'p"ss w&rd!'
    known = Credential(variable="OWNER_PASSWORD", how="", secret=secret)
    _, without = hide(History(credentials=(known,)))
    for written in ('p\\"ss w&rd!', "p%22ss%20w%26rd%21", "p%22ss+w%26rd%21"):
        assert written in known.forms
        assert without(f"x={written}") == "x=$OWNER_PASSWORD"


def test_what_holds_no_credential_is_left_as_it_is() -> None:
    history = History(exchanges=(exchange(body='{"tokens": 3, "password": ["too short"], "note": "a token"}'),))
    assert hide(history)[0] == history


def test_a_variable_is_explained_once_and_before_it_is_used() -> None:
    history = History(exchanges=(exchange(curl=CURL, status=500), exchange(curl=CURL)), credentials=CREDENTIALS)
    first, second = reproductions(hide(history)[0], (0, 0, 1))
    assert first.splitlines() == [
        "# $OWNER_PASSWORD: as the settings say",
        f"# $OWNER_TOKEN: {LOGIN}",
        CURL,
        "# answered: 500",
    ]
    assert second.splitlines() == [CURL, "# answered: 200"]


def test_what_was_under_load_is_repeated_by_one_like_it_with_the_fault_described() -> None:
    slow = exchange(status=None, error="timeout", outcome=Outcome.INDEFINITE, sent_s=5.0, ended_s=35.0)
    later = exchange(status=500, sent_s=50.0, ended_s=50.1)
    marks = (
        Mark(time_s=1.0, event="load on", name="fault", detail="20/s"),
        Mark(time_s=2.0, event="fault on", name="database", detail="stall"),
        Mark(time_s=40.0, event="fault off", name="database", detail="stall"),
        Mark(time_s=41.0, event="load off", name="fault"),
        Mark(time_s=49.0, event="killed", name="service"),
    )
    history = History(exchanges=(exchange(curl="curl -i http://h/x"), slow, later), marks=marks)
    first, second = reproductions(history, (1, 2))
    assert first.splitlines() == [
        "# while there is a fault at database: its connections stay open, and not a byte moves",
        "# under a load of 20/s",
        "curl -i http://h/x",
        "# answered: timeout after 30.0 s",
    ]
    assert second.splitlines()[0] == "# while the service is being killed and started again"


def test_a_race_is_repeated_at_once() -> None:
    won = exchange(curl="curl -i http://h/x", group=3, status=201)
    lost = exchange(curl="curl -i http://h/x", group=3, status=500)
    history = History(exchanges=(won, lost, lost, exchange(group=4)))
    assert reproductions(history, (0, 1, 2)) == (
        "for each in $(seq 3); do curl -i http://h/x & done; wait\n"
        "# answered: 2 \N{MULTIPLICATION SIGN} 500, 1 \N{MULTIPLICATION SIGN} 201",
    )
