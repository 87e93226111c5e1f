"""`xueshi people`: the first administrator, and what to do when somebody can't get in."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from agent.boot import start
from agent.cli.output import AsJson, emit, operator, page, table

group = typer.Typer(help="Invite people, list accounts and bodies, help who can't get in.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the group to the command line."""
    app.add_typer(group, name="people")


@group.command("invite")
def invite(
    role: Annotated[
        str,
        typer.Option(help="base_operator, department_officer, bureau_reviewer, bureau_head, auditor or administrator."),
    ],
    organisation: Annotated[
        str | None, typer.Option(metavar="USCC", help="For whom; needed unless there is one bureau only.")
    ] = None,
    mail: Annotated[str, typer.Option(help="Where the link is sent, when a mail server is set.")] = "",
    as_json: AsJson = False,
) -> None:
    """Print a link that opens once within 7 days. This is how the first administrator comes in."""
    start()
    from agent.organisations.models import Kind, Organisation, Role  # noqa: PLC0415 - models need Django
    from agent.people.errors import OrganisationUnknown  # noqa: PLC0415
    from agent.people.invitations import invite as send  # noqa: PLC0415

    if role not in Role.values:
        raise typer.BadParameter(f"{role}: there is no such role", param_hint="--role")
    found = (
        Organisation.objects.filter(uscc=organisation)
        if organisation
        else Organisation.objects.filter(kind=Kind.HR_BUREAU)
    )
    bodies = list(found[:2])
    if len(bodies) != 1:
        raise OrganisationUnknown(uscc=organisation or "(one bureau)")
    invited = send(bodies[0], role, by=operator(), email=mail)
    if as_json:
        emit({"link": invited.link, "expires_at": invited.invitation.expires_at.isoformat(), "mailed": invited.mailed})
    else:
        page.print(f"{bodies[0].name} · {Role(role).label}", markup=False)
        page.print(invited.link, markup=False, soft_wrap=True)


@group.command("add-organisation")
def add_organisation(
    uscc: Annotated[str, typer.Option(help="Unified social credit code (GB 32100).")],
    kind: Annotated[str, typer.Option(help="hr_bureau, sector_department, training_base or employer.")],
    name: Annotated[str, typer.Option()],
    region: Annotated[str, typer.Option(help="Administrative division, six digits.")],
    as_json: AsJson = False,
) -> None:
    """Put a body on record: on an empty house the bureau, before its administrator is invited."""
    start()
    from agent.people.bodies import Facts, add  # noqa: PLC0415

    made = add(Facts(uscc, kind, name, region), by=operator())
    if as_json:
        emit({"uscc": made.uscc, "issuer_number": made.issuer_number})
    else:
        page.print(f"{made.name} {made.uscc}", markup=False)


@group.command("organisations")
def organisations(as_json: AsJson = False) -> None:
    """All bodies."""
    start()
    from agent.organisations.models import Organisation  # noqa: PLC0415

    rows = [
        {"uscc": o.uscc, "kind": o.kind, "name": o.name, "region": o.region}
        for o in Organisation.objects.order_by("kind", "name")
    ]
    if as_json:
        emit(rows)
    else:
        table("单位 Organisations", ("uscc", "kind", "name", "region"), [list(row.values()) for row in rows])


@group.command("list")
def list_(as_json: AsJson = False) -> None:
    """Staff accounts with their roles."""
    start()
    from agent.organisations.models import Membership  # noqa: PLC0415
    from agent.people.models import SecondFactor  # noqa: PLC0415

    sure = set(SecondFactor.objects.exclude(confirmed_at=None).values_list("user_id", flat=True))
    rows = [
        {
            "user": m.user.get_username(), "name": m.user.first_name, "role": m.role,
            "organisation": m.organisation.name, "open": m.user.is_active, "second_factor": m.user_id in sure,
        }
        for m in Membership.objects.select_related("user", "organisation").order_by("user__username", "pk")
    ]  # fmt: skip
    if as_json:
        emit(rows)
    else:
        columns = ("user", "name", "role", "organisation", "open", "second_factor")
        table("账号 Accounts", columns, [[row[c] for c in columns] for row in rows])


@group.command("reset-factor")
def reset_factor(user: Annotated[str, typer.Argument(help="User name.")], as_json: AsJson = False) -> None:
    """For who lost the telephone and the recovery codes: all sessions end, the next sign-in sets up another."""
    start()
    from agent.people import factor, presence  # noqa: PLC0415

    found = _user(user)
    by = operator()
    presence.end_all(found, by=by)
    done = factor.take_away(found, by=by)
    if as_json:
        emit({"user": user, "taken_away": done})
    else:
        page.print("已去掉，下次登录重新设置。" if done else "这个账号没有设置过。")


@group.command("reset-password")
def reset_password(
    user: Annotated[str, typer.Argument(help="User name.")],
    lost_factor: Annotated[
        bool, typer.Option("--lost-factor", help="The second factor is lost, too: it is set up anew.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Print a link that opens once within a day and sets a new password: for the last administrator, too."""
    start()
    from agent.people import resets  # noqa: PLC0415

    given = resets.give(_user(user), by=operator(), lost_factor=lost_factor)
    if as_json:
        emit({"user": user, "link": given.link, "expires_at": given.reset.expires_at.isoformat()})
    else:
        page.print(given.link, markup=False, soft_wrap=True)


def _user(name: str) -> Any:
    from agent.people.errors import UserUnknown  # noqa: PLC0415
    from agent.people.roles import accounts  # noqa: PLC0415

    found = accounts(name)
    if found is None:
        raise UserUnknown(user=name)
    return found
