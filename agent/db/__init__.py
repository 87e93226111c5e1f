"""Where the data live: a PostgreSQL given by ``DATABASE_URL``, or a private one under ``XUESHI_HOME``.

Nothing here knows Django. *Private server*: a PostgreSQL that this program starts and stops, reachable through a Unix
socket only. *Postmaster*: the server's first process. *User* of the private server: a live process of ours.
"""
