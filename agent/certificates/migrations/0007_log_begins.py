"""The log's tables can't be rewritten; what happened before there was a log is put into it, in the order it happened."""

from django.db import migrations

from agent.append_only import append_only
from agent.certificates import merkle
from agent.certificates.heads import entry_of

_EVENTS = """
SELECT e.id, c.number, e.kind, e.at, encode(sha256(convert_to(c.credential, 'UTF8')), 'hex')
FROM certificates_certificateevent e JOIN certificates_certificate c ON c.id = e.certificate_id ORDER BY e.id
"""


def begin(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(_EVENTS)
        events = cursor.fetchall()
        texts = [entry_of(*event[1:]) for event in events]
        with cursor.copy("COPY certificates_logleaf (index, event_id, entry) FROM STDIN") as copy:
            for place, (event, text) in enumerate(zip(events, texts, strict=True)):
                copy.write_row((place, event[0], text.decode()))
        with cursor.copy("COPY certificates_lognode (level, index, hash) FROM STDIN") as copy:
            for (level, index), value in merkle.append(0, {}, [merkle.leaf_hash(text) for text in texts]).items():
                copy.write_row((level, index, value))


class Migration(migrations.Migration):
    dependencies = [("certificates", "0006_transparency")]
    operations = [
        migrations.RunPython(begin, migrations.RunPython.noop),
        append_only("certificates_logleaf"),
        append_only("certificates_lognode"),
        append_only("certificates_loghead"),
    ]
