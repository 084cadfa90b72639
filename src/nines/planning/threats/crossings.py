"""Threats to what flows over a boundary of trust: it is changed, read or held up on its way."""

from __future__ import annotations

from collections.abc import Iterator

from nines.model.blueprint import Action, FieldKind
from nines.model.design import Design, Element, PlannedEndpoint, Stride, Threat
from nines.model.design.access import ANONYMOUS, reach
from nines.planning.threats import asking, elements
from nines.planning.threats.drafting import (
    STALL,
    choice,
    named,
    threat,
    verb,
)


def of_flow(design: Design, element: Element) -> Iterator[Threat]:
    """Nothing for a flow inside one zone."""
    if not elements.crosses(element, design.elements):
        return
    if element.source.startswith("person:"):
        yield from _of_caller(design, element)
    elif element.source == elements.GATE:
        yield from _of_gate(design, element)
    elif element.target.startswith("store:"):
        yield from asking.of_store(design, element)
    elif element.target == elements.ISSUER:
        yield from _of_issuer(design, element)
    elif element.target == elements.SUBSCRIBERS:
        yield from _of_subscribers(design, element)
    else:
        yield from asking.of_external(design, element)


def _of_caller(design: Design, element: Element) -> Iterator[Threat]:
    role = {elements.ANONYMOUS: ANONYMOUS, elements.SIGNED_IN: "?"}.get(
        element.source, element.source.partition(":")[2]
    )
    mine = [
        each
        for each in design.endpoints
        if (each.is_public if role == ANONYMOUS else not each.is_public and reach(each, role))
    ]
    carried = _carried(design, mine, role)
    yield threat(
        element,
        Stride.TAMPERING,
        "A request or an answer is changed on its way between the caller and the balancer.",
        "TLS 1.2 or newer with forward secrecy; port 80 answers nothing but a redirect, and "
        "Strict-Transport-Security keeps "
        "browsers off it (RFC 6797).",
        where="ingress",
    )
    told = _in_urls(mine)
    where = f"TLS; but {named(told)} {verb(told, 'stands', 'stand')} in the query, which proxies and browsers log."
    yield threat(
        element,
        Stride.DISCLOSURE,
        f"Whoever stands in between reads {named(carried)}.",
        where if told else "TLS; nothing of it is in a URL, which others log.",
        where="ingress, the parameters of the contract",
        is_open=bool(told),
        options=_FILTERS if told else (),
    )
    yield threat(
        element,
        Stride.DENIAL,
        "Connections are opened and kept, or send a byte a minute, until no other caller gets one.",
        "Bounded at the balancer: connections for each address, and time for headers, body and idling.",
        where="ingress",
        owasp=4,
    )


_FILTERS = (
    choice(
        "a search by POST with the value in the body", "the value is in no log of others", "such a read is not cached"
    ),
    choice(
        "leave it",
        "lists work as everywhere",
        "the value stands in logs on the way",
        "only staff use the filter, from machines of the house",
    ),
)


def _carried(design: Design, mine: list[PlannedEndpoint], role: str) -> Iterator[str]:
    """Credentials, and the personal fields of what the caller may touch."""
    if role != ANONYMOUS:
        yield {"api-key": "the key", "session": "the session's cookie"}.get(
            design.auth.scheme if design.auth else "", "the token"
        )
    blueprint = design.blueprint
    for name in dict.fromkeys(each.resource for each in mine):
        resource = blueprint.resource(name) if blueprint else None
        actions = {each.action for each in mine if each.resource == name}
        for field in resource.fields if resource else ():
            is_secret = field.kind is FieldKind.PASSWORD and bool(actions & _WITH_PASSWORD)
            if is_secret or (field.is_personal and bool(actions - _WITHOUT_FIELDS)):
                yield f"{name}.{field.name}"
    if role == ANONYMOUS and not mine:
        yield "nothing but a refusal"
    elif role == ANONYMOUS:
        yield "what is public"


_WITH_PASSWORD = frozenset({Action.REGISTER, Action.SIGN_IN, Action.RESET_PASSWORD})
_WITHOUT_FIELDS = frozenset(
    {
        Action.REFRESH,
        Action.SIGN_OUT,
        Action.SIGN_OUT_EVERYWHERE,
        Action.LIST_SESSIONS,
        Action.END_SESSION,
        Action.SEND_CODE,
        Action.VERIFY_CODE,
        Action.SIGN_IN_BY_CODE,
    }
)


def _in_urls(mine: list[PlannedEndpoint]) -> list[str]:
    return list(
        dict.fromkeys(p.name for each in mine for p in each.parameters if p.location == "query" and _is_address(p.name))
    )


def _is_address(name: str) -> bool:
    return any(word in name.lower().split("_") for word in ("email", "phone", "mail", "recipient"))


def _of_gate(design: Design, element: Element) -> Iterator[Threat]:
    yield threat(
        element,
        Stride.TAMPERING,
        "Somebody inside the network calls the service past the balancer, with headers that only it may set.",
        "A network policy lets the balancer in and nobody else; the token is verified here all the same.",
        where="the network policy",
        owasp=8,
    )
    yield threat(
        element,
        Stride.DISCLOSURE,
        "Requests are read on the network behind the balancer, credentials included.",
        "TLS ends at the balancer: behind it they travel in clear unless the network or a mesh encrypts them, "
        "and which is not said.",
        where="the network of " + design.deploy.platform,
        is_open=True,
        options=(
            choice(
                "TLS from the balancer on (a certificate for each service)",
                "nothing travels in clear",
                "certificates to renew inside",
            ),
            choice(
                "a network that encrypts between machines",
                "no change to the service",
                "whoever is on the machine reads it",
            ),
            choice(
                "leave it", "nothing to run", "whoever is in the network reads tokens", "the network has one tenant"
            ),
        ),
    )
    yield threat(
        element,
        Stride.DENIAL,
        "The balancer sends to a process that hangs or is going away.",
        "Readiness is taken back before it closes, and what is in flight is finished within its time.",
        where="probes and the drain of the deployment",
        tried=(STALL,),
    )


def _of_issuer(design: Design, element: Element) -> Iterator[Threat]:
    issuer = design.auth.issuer if design.auth and design.auth.issuer else "the issuer"
    who = element.source.partition(":")[2]
    yield threat(
        element,
        Stride.TAMPERING,
        f"The keys of {issuer} are exchanged on their way to {who}.",
        "TLS with a verified certificate, to the host in the settings; a redirect is not followed.",
        where="auth.issuer",
        owasp=2,
    )
    yield threat(
        element,
        Stride.DISCLOSURE,
        f"Somebody sees that {who} fetches the keys of {issuer}.",
        "The keys are public; nothing else is sent.",
        where="auth.issuer",
    )
    yield threat(
        element,
        Stride.DENIAL,
        f"{issuer} does not answer {who}, or tokens with made-up kids make it ask again and again.",
        "Keys are kept and go on to hold while it is away; an unknown kid is asked for at most once a minute, "
        "whoever sends it.",
        where="the cache of keys",
        tried=(STALL,),
        owasp=4,
    )


def _of_subscribers(design: Design, element: Element) -> Iterator[Threat]:
    events = named(each.name for each in design.events)
    yield threat(
        element,
        Stride.TAMPERING,
        f"An event{f' ({events})' if events else ''} is changed on its way to a subscriber.",
        "TLS with a verified certificate, and a signature over the body.",
        where="the relay of the outbox",
    )
    yield threat(
        element,
        Stride.DISCLOSURE,
        "An event goes to an address that is not the subscriber's, inside the network even (SSRF).",
        "Addresses are settings of the owner, not of callers; private and link-local ones are refused after the "
        "name was resolved, and redirects are not followed.",
        where="the list of destinations, the policy for outgoing traffic",
        owasp=7,
    )
    yield threat(
        element,
        Stride.DENIAL,
        "A subscriber answers slowly or never, and the others wait behind it.",
        "A deadline for each delivery, a wait that doubles, and a dead letter at the end; rows of others are "
        "claimed past it.",
        where="relayOutbox",
        tried=(STALL,),
        owasp=4,
    )
