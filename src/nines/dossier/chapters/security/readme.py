"""The chapter's own page."""

from __future__ import annotations

from nines.dossier import diagrams
from nines.dossier.chapters.security import headers, matrix, people, threats
from nines.dossier.diagrams import Graph
from nines.dossier.markdown import bullets, code, heading, page, table
from nines.dossier.words import duration
from nines.model.blueprint import FieldKind, GrantKind
from nines.model.design import Design


def text(design: Design, diagram: Graph) -> str:
    return page(
        heading(1, "Security"),
        _opening(design),
        heading(2, "Trust boundaries"),
        "Each frame is a zone of trust; an arrow that leaves its frame crosses a boundary, and is treated as "
        "hostile on "
        "both sides.",
        diagrams.as_markdown(diagram),
        *_open(design),
        heading(2, "Who may do what"),
        *_matrix(design),
        *_properties(design),
        heading(2, "OWASP API Security Top 10, 2023"),
        _owasp(design),
        *_secrets(design),
        *_encryption(design),
        *_headers(design),
        heading(2, "Personal data"),
        *_people(design),
        heading(2, "Threats by element"),
        "STRIDE: the kinds that are possible for each kind of element (Shostack, Threat Modeling, 2014). What is tried "
        f"by {code('contract:operation/status/problem')} is the contract test of that answer; the others are a rule of "
        f"{code('nines review')} or an experiment of {code('nines prove')}.",
        *threats.by_element(design),
    )


def _opening(design: Design) -> str:
    still = [each for each in design.threats if each.is_open]
    tried = sum(1 for each in design.threats if each.trials)
    elements = [each for each in design.elements if not each.is_flow]
    crossing = {each.element for each in design.threats} & {each.id for each in design.elements if each.is_flow}
    found = (
        f"{len(design.threats):,} threats to {len(elements):,} elements and {len(crossing):,} flows over a boundary: "
        f"{tried:,} are tried by a rule, an experiment or a contract test, and {len(still):,} are open."
    )
    if design.is_recovered:
        return (
            f"{found} This was read from the code of {code(design.name)}: what it says of guards, dependencies and "
            "statements was found there, and what it calls not known was not. An open threat here is a question, not "
            "a finding; findings are what `nines review` reports."
        )
    return found


def _open(design: Design) -> list[str]:
    listed = threats.open_ones(design)
    return [heading(2, "What is open"), listed] if listed else []


def _matrix(design: Design) -> list[str]:
    says = [
        "`any`: on every object; `own`: on those whose owner is the caller; `tenant's`: on those of the caller's "
        "tenant; "
        "`yes`: there is no object to ask yet, or it is public; `none`: the role may call it, and the rule of "
        "the object "
        "lets it touch nothing."
    ]
    if design.tenancy:
        says.append(
            f"Also `any` ends at the tenant: {code(design.tenancy.key)} of the credential stands in every statement."
        )
    if design.is_recovered:
        says = [
            "`401`: something that turns callers away was found in front of it. `yes`: nothing was found that "
            "turns such a "
            "caller away; which role or whose object is asked for is not part of the reading. A question mark: "
            "what guards "
            "the operation was not understood."
        ]
    blocks = [" ".join(says), matrix.text(design)]
    nobody = matrix.unreachable(design)
    if nobody and not design.is_recovered:
        names = ", ".join(code(each.id) for each in nobody)
        blocks.append(
            f"**These do not fit together:** {names} can be carried out by no role, because those that may call it do "
            "not satisfy the rule of its object (`access` of the resource against `roles` of the operation)."
        )
    return blocks


def _properties(design: Design) -> list[str]:
    blueprint = design.blueprint
    if blueprint is None:
        return []
    rows = []
    for resource in blueprint.resources:
        for field in resource.fields:
            marks = []
            marks += ["set by the service alone"] if field.is_read_only else []
            marks += ["taken, never given back"] if field.kind is FieldKind.PASSWORD else []
            marks += ["personal"] if field.is_personal else []
            marks += ["encrypted"] if field.is_encrypted else []
            if marks:
                readers = ", ".join(dict.fromkeys(_grant(g.kind, g.role) for g in resource.access.read)) or "nobody"
                rows.append(
                    (
                        code(f"{resource.name}.{field.name}"),
                        ", ".join(marks),
                        readers if field.is_answered else "nobody",
                    )
                )
        if resource.states:
            rows.append(
                (
                    code(f"{resource.name}.status"),
                    "moved by transitions alone",
                    ", ".join(dict.fromkeys(_grant(g.kind, g.role) for g in resource.access.read)) or "nobody",
                )
            )
    return [heading(3, "Fields with a rule of their own"), table(("field", "rule", "read by"), rows)] if rows else []


def _grant(kind: GrantKind, role: str) -> str:
    return (
        role
        if kind is GrantKind.ROLE
        else {
            GrantKind.OWNER: "its owner",
            GrantKind.TENANT: "its tenant",
            GrantKind.AUTHENTICATED: "anybody signed in",
            GrantKind.PUBLIC: "anybody",
        }[kind]
    )


def _owasp(design: Design) -> str:
    return table(
        ("risk", "how it is met", "threats"),
        [
            (f"{a.code} {a.title}", a.says if a.applies else f"Does not apply. {a.says}", ", ".join(a.threats))
            for a in design.answers
        ],
    )


def _secrets(design: Design) -> list[str]:
    if not design.secrets:
        return [heading(2, "Secrets"), "Which secrets the service needs was not read."]
    assumed = [each for each in design.secrets if each.is_assumed]
    rows = [(code(each.name), each.says, each.held_in, each.rotation, _every(each.every_s)) for each in design.secrets]
    blocks = [
        heading(2, "Secrets"),
        table(("secret", "opens", "held in", "changed without an interruption", "how often"), rows),
    ]
    if assumed:
        names = ", ".join(code(each.name) for each in assumed)
        blocks.append(
            f"The blueprint names none of {names}; something of the kind is needed, and its form is the provider's."
        )
    return blocks


def _every(every_s: float | None) -> str:
    return f"every {duration(every_s)}, and when it leaked" if every_s else "when it leaked"


def _encryption(design: Design) -> list[str]:
    if design.is_recovered:
        return []
    secret = [f"{t.name}.{c.name}" for t in design.tables for c in t.columns if c.is_encrypted]
    external = [each.name for each in design.dependencies if each.is_external]
    stores = [each.name for each in design.dependencies if not each.is_external]
    lines = [
        "In transit, callers: TLS 1.2 or newer, ended by the balancer.",
    ]
    if stores:
        lines.append(
            f"In transit, inside: {', '.join(stores)} with a verified certificate; between balancer and service "
            "see what is open."
        )
    if external:
        lines.append(f"In transit, outside: {', '.join(external)} with a verified certificate and host name.")
    lines.append(
        "At rest: volumes, replicas and backups are encrypted by whoever runs them, which a blueprint cannot "
        "show; the readiness review asks for it."
    )
    if secret:
        lines.append(
            f"Fields: {', '.join(code(each) for each in secret)} as AES-256-GCM ciphertext that begins with the number "
            "of its key, so that two keys hold while one replaces the other (see the secrets)."
        )
    else:
        lines.append("Fields: none is encrypted apart (`encrypted: true` on a field would do it).")
    return [heading(2, "Encryption"), bullets(lines)]


def _headers(design: Design) -> list[str]:
    if design.is_recovered:
        return []
    return [
        heading(2, "Headers of answers"),
        "Beside those of the contract; the balancer may set them for all.",
        headers.text(design),
        headers.left_out(),
    ]


def _people(design: Design) -> list[str]:
    if design.is_recovered:
        return ["Which columns hold data about people was not read: code does not say it."]
    found = people.inventory(design)
    if not found:
        return ["The blueprint marks no field as personal (`pii: true`)."]
    blocks = [
        found,
        "Logs, traces and metrics hold none of it: marked fields are redacted where a record is logged. The "
        "audit trail keeps the names of changed fields, of personal ones no values.",
    ]
    unsaid = people.unsaid(design)
    if unsaid:
        blocks.append(
            f"Without a purpose: {', '.join(code(each) for each in unsaid)}. A record of processing needs one "
            "(GDPR, Art. 30 (1) b): say it at the field."
        )
    stuck = people.unerasable(design)
    if stuck:
        blocks.append(
            f"From {', '.join(code(each) for each in stuck)} no operation erases before the time is over. Whether "
            "somebody "
            "may ask for it earlier (GDPR, Art. 17) and which duty to keep stands against it, is for the owner to say."
        )
    return blocks
