"""Nobody can read or change what belongs to somebody else of equal rights."""

from __future__ import annotations

import msgspec

from nines.experiments import judging
from nines.experiments.belonging import Belonging, id_in, is_evidence, names_owner, sharing
from nines.experiments.choosing import FORBIDDEN, NO_CREATOR, attempt, is_door, is_named, peers
from nines.model.budget import Budgets
from nines.model.contract import Operation
from nines.model.experiment import Bench, Call, CredentialFlaw, ExperimentInfo, Judgement, Need
from nines.model.history import Check, Exchange, History, Outcome
from nines.model.record import Record
from nines.model.rule import Standard, Tier
from nines.model.verdict import Verdict

CREATORS_MAX = 12
TIME_MAX_S = 25.0
REFUSED = (401, 403, 404, 405, 410)
READ, CHANGE = "read as peer", "change as peer"

INFO = ExperimentInfo(
    title="Object authorization",
    claim="Another identity of equal rights can neither read nor change what somebody created",
    tier=Tier.SECURITY,
    needs=(Need.TWO_IDENTITIES, Need.MUTATION),
    standards=(
        Standard(
            id="OWASP API1:2023",
            url="https://owasp.org/API-Security/editions/2023/en/0xa1-broken-object-level-authorization/",
        ),
        Standard(id="CWE-639", url="https://cwe.mitre.org/data/definitions/639.html"),
    ),
    duration_s=5.0,
)


async def run(bench: Bench) -> None:
    """Creates as one identity, and tries to read and to change it as another."""
    pair = peers(bench)
    if pair is None:
        bench.skip("identities", "two identities without administrator's rights are needed")
        return
    # Parents first: whether their lists are shared tells about what hangs below them.
    creators = sorted(bench.creators(), key=lambda creator: len(creator.path_parameters))
    known: dict[str, Belonging] = {}
    if not creators:
        bench.skip("creates", NO_CREATOR)
    for position, creator in enumerate(creators):
        if position >= CREATORS_MAX or bench.clock_s() > TIME_MAX_S:
            bench.skip(creator.id, "there was no time left")
        elif creator == bench.registration():
            continue
        elif is_door(creator):
            bench.skip(creator.id, "it makes accounts for others")
        else:
            await _try(bench, creator, pair, known)
    await _try_accounts(bench)


class _Case(Record):
    """An object, whose it is, and who tries to reach it."""

    creator: Operation
    reader: Operation
    created: Exchange
    own: Exchange
    owner: str
    peer: str
    belonging: Belonging = Belonging.UNCLEAR
    is_account: bool = False
    """Whether the object is its owner."""


async def _try(bench: Bench, creator: Operation, pair: tuple[str, str], known: dict[str, Belonging]) -> None:
    owner, peer = pair
    tried = await attempt(bench, creator, owner, "create")
    if tried is None or tried[1].outcome is not Outcome.OK:
        answer = judging.answered(tried[1]) if tried else "no valid request could be made"
        bench.skip(creator.id, f"nothing could be created: {answer}")
        return
    created = tried[1]
    reader = bench.reader_of(creator) or bench.lister_of(creator)
    own = await _read(bench, reader, created, owner, "own read") if reader else None
    if reader is None or own is None or own[1].outcome is not Outcome.OK:
        bench.skip(creator.id, "what it creates cannot be read back by its owner")
        return
    case = _Case(creator=creator, reader=reader, created=created, own=own[1], owner=owner, peer=peer)
    await _examine(bench, case, own[0], known)


async def _try_accounts(bench: Bench) -> None:
    """Two newcomers: what is whose needs no asking, for everybody is their own."""
    door = bench.registration()
    reader = bench.reader_of(door) if door is not None else None
    if door is None or reader is None:
        return
    found = await bench.newcomers(2)
    if len(found) < 2:
        bench.skip(door.id, "two accounts could not be registered and signed in")
        return
    first, second = found
    own = await _read(bench, reader, first.registered, first.identity, "own read")
    if own is None or own[1].outcome is not Outcome.OK:
        answer = judging.answered(own[1]) if own else "nothing tells what it is called"
        bench.skip(door.id, f"an account cannot be read by its owner: {answer}")
        return
    case = _Case(
        creator=door,
        reader=reader,
        created=first.registered,
        own=own[1],
        owner=first.identity,
        peer=second.identity,
        is_account=True,
    )
    await _examine(bench, case, own[0], {})


async def _examine(bench: Bench, case: _Case, own: Call, known: dict[str, Belonging]) -> None:
    reader = case.reader
    anonymous = await bench.send(msgspec.structs.replace(own, phase="anonymous read"), flaw=CredentialFlaw.NONE)
    if is_evidence(case.own, anonymous, case.created.marker):
        bench.skip(reader.id, "it shows the object to everyone, so that reading it is no privilege")
        case = msgspec.structs.replace(case, belonging=Belonging.PUBLIC)
    else:
        case = msgspec.structs.replace(case, belonging=await _belonging(bench, case, known))
        await _peer_reads(bench, case)
    known[reader.path] = case.belonging
    for operation in _changing(bench, case):
        await _peer_changes(bench, operation, case)


async def _read(
    bench: Bench, reader: Operation, created: Exchange, identity: str, phase: str
) -> tuple[Call, Exchange] | None:
    call = await bench.prepare_on(reader, created, identity)
    if call is None:
        return None
    call = msgspec.structs.replace(call, phase=phase)
    return call, await bench.send(call)


async def _belonging(bench: Bench, case: _Case, known: dict[str, Belonging]) -> Belonging:
    """Whether the service itself keeps the objects of the two apart, as its lists show."""
    parent = next((found for path, found in known.items() if case.creator.path.startswith(path + "/")), None)
    if parent is not None:
        return parent
    lister = bench.lister_of(case.creator)
    if lister is None or lister.path_parameters:
        return Belonging.UNLISTED
    own = await _read(bench, lister, case.created, case.owner, "list")
    others = await _read(bench, lister, case.created, case.peer, "list")
    if case.is_account and own is not None and own[1].status in FORBIDDEN:
        return Belonging.CLOSED
    own_id = id_in(case.own.path) if case.reader.path_parameters else ""
    return sharing(case.created.marker, own_id, own[1] if own else None, others[1] if others else None)


async def _peer_reads(bench: Bench, case: _Case) -> None:
    reader = case.reader
    if _is_declared(bench, reader):
        return
    tried = await _read(bench, reader, case.created, case.peer, "peer read")
    if tried is None:
        bench.skip(reader.id, "no request of the peer could be made")
        return
    passed: bool | None = True
    if is_evidence(case.own, tried[1], case.created.marker):
        is_owned = case.belonging.separates or (case.belonging is Belonging.UNCLEAR and names_owner(case.own))
        if case.is_account:
            # A name is there to be seen; the address by which somebody signs in is not.
            is_owned = case.belonging.separates and f"{case.created.marker}@" in tried[1].body
        passed = False if is_owned else None
        if passed is None:
            reason = f"the peer can read it, but {case.belonging.words}; declare it in security.shared if so meant"
            bench.skip(reader.id, reason)
    elif tried[1].status not in REFUSED:
        passed = None
    _check(bench, reader, READ, tried[1], passed=passed, index=bench.last())


def _is_declared(bench: Bench, operation: Operation) -> bool:
    settings = bench.security_settings
    if is_named(operation, settings.shared) or is_named(operation, settings.public):
        bench.skip(operation.id, "the settings declare its objects shared")
        return True
    return False


def _changing(bench: Bench, case: _Case) -> list[Operation]:
    """What changes the object or adds to it; what deletes it comes last.

    On what everybody may see, adding (a comment, a like) is everybody's right, so only the object itself counts."""
    reader = case.reader
    is_private = case.belonging.separates
    found = [
        operation
        for operation in bench.contract.mutations()
        if operation.method in ("PUT", "PATCH", "DELETE", "POST")
        and reader.path.endswith("}")
        and operation.path_parameters == reader.path_parameters
        and (
            (operation.path == reader.path and operation.method != "POST")
            or (is_private and operation.path.startswith(reader.path + "/"))
        )
    ]
    return sorted(found, key=lambda operation: operation.method == "DELETE")


async def _peer_changes(bench: Bench, operation: Operation, case: _Case) -> None:
    """A change counts when its owner sees it afterwards, whatever the peer was told."""
    if _is_declared(bench, operation):
        return
    witness = bench.contract.at("GET", operation.path) or case.reader
    first = await _read(bench, witness, case.created, case.owner, "own before")
    second = await _read(bench, witness, case.created, case.owner, "own before")
    call = await bench.prepare_on(operation, case.created, case.peer)
    if first is None or second is None or second[1].outcome is not Outcome.OK or call is None:
        bench.skip(operation.id, "no request of the peer could be made, or its owner cannot see the object")
        return
    answer = await bench.send(msgspec.structs.replace(call, phase="peer change"))
    sent = bench.last()
    after = await _read(bench, witness, case.created, case.owner, "own after")
    if after is None:
        return
    is_stable = first[1].body == second[1].body
    passed: bool | None = True
    if answer.outcome is Outcome.OK and _is_changed(second[1], after[1], call.marker, is_stable=is_stable):
        # Among colleagues who see everything everybody often may edit, too; what strangers see has one author.
        is_shared = case.belonging is Belonging.SHARED
        is_owned = case.is_account or case.belonging.separates or (not is_shared and names_owner(case.own))
        passed = False if is_owned else None
        if passed is None:
            reason = f"the peer can change it, but {case.belonging.words}; declare it in security.shared if so meant"
            bench.skip(operation.id, reason)
    elif answer.status not in REFUSED:
        # A 409 or a 422 speaks of the object's state or of the values, not of who is asking.
        passed = None
    _check(bench, operation, CHANGE, answer, passed=passed, index=sent)


def _is_changed(before: Exchange, after: Exchange, marker: str, *, is_stable: bool) -> bool:
    if after.status in (404, 410):
        return True
    if after.outcome is not Outcome.OK:
        return False
    return bool(marker and marker in after.body) or (is_stable and before.body != after.body)


def _check(
    bench: Bench, operation: Operation, variant: str, answer: Exchange, *, passed: bool | None, index: int
) -> None:
    bench.check(
        Check(
            subject=operation.id,
            variant=variant,
            expected="refused",
            got=judging.answered(answer),
            passed=passed,
            exchanges=(index,),
        )
    )


def judge(history: History, budgets: Budgets) -> Judgement:
    """A cell breaks the claim when the peer saw the marker, or when the owner saw the peer's change."""
    del budgets
    cells = [check for check in history.checks if check.variant in (READ, CHANGE)]
    if not cells:
        return judging.unknown("no object of one identity could be tried as another", history)
    verdicts = {True: Verdict.HOLDS, False: Verdict.BROKEN, None: Verdict.UNKNOWN}
    subjects = judging.merged_subjects((check.subject, verdicts[check.passed]) for check in cells)
    decided = [check for check in cells if check.passed is not None]
    broken = [check for check in cells if check.passed is False]
    figures = (judging.share_figure("cells open to a peer", len(broken), len(decided)),)
    if broken:
        names = [f"{check.subject} ({'read' if check.variant == READ else 'changed'})" for check in broken]
        return Judgement(
            verdict=Verdict.BROKEN,
            says=f"a peer reached {len(broken)} of {len(decided)} of somebody else's objects: {judging.listed(names)}",
            figures=figures,
            offending=tuple(index for check in broken for index in check.exchanges)[: judging.OFFENDING_MAX],
            subjects=subjects,
        )
    if not decided:
        return judging.unknown("whether objects belong to somebody could not be told", history, figures)
    says = f"a peer was kept from all {len(decided)} tried ways to somebody else's objects"
    unclear = [subject for subject, verdict in subjects if verdict is Verdict.UNKNOWN]
    says += f"; without a conclusion: {judging.listed(unclear)}" if unclear else ""
    return Judgement(verdict=Verdict.HOLDS, says=says, figures=figures, subjects=subjects)
