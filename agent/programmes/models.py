"""Filed programmes. What was filed is a version and never changes; states move by events, which are kept."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from agent.intake.models import Source
from agent.organisations.models import Organisation
from agent.programmes.transitions import ON_RECORD, Code, Kind, State, moves

__all__ = [
    "Attachment", "Category", "CourseLink", "FilingCounter", "FilingDraft", "FilingEvent", "FilingLetter",
    "FilingNotice", "FilingReminder", "Mode", "Programme", "ProgrammeVersion", "State", "VoidProposal",
]  # fmt: skip


class Category(models.TextChoices):
    """The two kinds of hours (notice 2024-17, part 2)."""

    PUBLIC = "public", "公需科目"
    PROFESSIONAL = "professional", "专业科目"


class Mode(models.TextChoices):
    """How it is taught."""

    IN_PERSON = "in_person", "线下"
    ONLINE = "online", "线上"
    MIXED = "mixed", "线上线下结合"


class Programme(models.Model):
    """What a department files: known by region, year and a key; its filing number comes with the acceptance."""

    region = models.CharField(max_length=6)
    year = models.PositiveSmallIntegerField()
    key = models.CharField(max_length=60, help_text="the filer's own short name, unique in region and year")
    sequence = models.PositiveIntegerField(help_text="the five digits of the programme in certificate numbers")
    organiser = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="organised")
    implementer = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="implemented", null=True)
    state = models.CharField(max_length=16, choices=State, default=State.DRAFT)
    # the database's own answer to «do its hours count», from the one definition; read by the stages
    on_record = models.GeneratedField(
        expression=models.Q(state__in=[str(each) for each in ON_RECORD]),  # type: ignore[arg-type] # a condition is an expression, says Django's own documentation
        output_field=models.BooleanField(), db_persist=True,
    )  # fmt: skip
    filing_number = models.CharField(max_length=60, null=True, unique=True)  # noqa: DJ001 - NULL is «none yet», and unique
    certificates_need_approval = models.BooleanField(
        default=False, db_default=False, help_text="certificates wait until the organiser has approved their holders"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["region", "year", "key"], name="programme_key_once"),
            models.UniqueConstraint(fields=["region", "year", "organiser", "sequence"], name="programme_sequence_once"),
            models.CheckConstraint(condition=models.Q(sequence__range=(1, 99999)), name="programme_sequence_5_digits"),
            models.CheckConstraint(
                condition=~models.Q(state__in=[*map(str, ON_RECORD), "voided"]) | models.Q(filing_number__isnull=False),
                name="filed_has_a_filing_number",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.region}/{self.year}/{self.key}"


class ProgrammeVersion(models.Model):
    """What was filed, word for word. Immutable (the database refuses UPDATE and DELETE)."""

    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="versions")
    version = models.PositiveIntegerField()
    title = models.CharField(max_length=200)
    category = models.CharField(max_length=12, choices=Category)
    subject = models.CharField(max_length=100, blank=True, help_text="public subject")
    series = models.CharField(max_length=100, blank=True, help_text="title series of a professional programme")
    hours = models.PositiveIntegerField(help_text="hundredths of an hour, as filed")
    starts_on = models.DateField()
    ends_on = models.DateField()
    details = models.JSONField(
        default=dict, db_default={}, help_text="the rest of the form, as `content.Details` has it; {}: not asked then"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["programme", "version"], name="programme_version_once"),
            models.CheckConstraint(condition=models.Q(hours__gt=0), name="programme_hours_positive"),
            models.CheckConstraint(condition=models.Q(ends_on__gte=models.F("starts_on")), name="programme_dates"),
        ]

    def __str__(self) -> str:
        return f"{self.title} v{self.version}"


def _steps() -> models.Q:
    """What an event of each kind says, as a constraint; those of before the kinds say none."""
    found = models.Q(kind="")
    for kind, before, after in sorted(moves()):
        found |= models.Q(kind=kind, from_state=before, to_state=after)
    return found


class FilingEvent(models.Model):
    """A change of state: who, when, why. Append-only."""

    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="events")
    at = models.DateTimeField(auto_now_add=True)
    kind = models.CharField(max_length=16, choices=Kind, blank=True, db_default="", help_text="empty: an old import's")
    from_state = models.CharField(max_length=16, choices=State)
    to_state = models.CharField(max_length=16, choices=State)
    actor = models.CharField(max_length=150)
    second = models.CharField(max_length=150, blank=True, db_default="", help_text="who confirmed, of two people")
    reason = models.TextField(blank=True)
    code = models.CharField(max_length=16, choices=Code, blank=True, db_default="")
    remarks = models.JSONField(default=dict, db_default={}, help_text="what the bureau says of fields, by field")
    version = models.PositiveIntegerField(null=True, help_text="the version that it is about")

    class Meta:
        constraints = [models.CheckConstraint(condition=_steps(), name="filing_event_is_a_step")]

    def __str__(self) -> str:
        return f"{self.programme}: {self.from_state} → {self.to_state}"


class FilingNotice(models.Model):
    """What a department is to be told of: written with the event itself, delivered later by others."""

    event = models.OneToOneField(FilingEvent, on_delete=models.PROTECT, related_name="notice")
    delivered_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["id"], condition=models.Q(delivered_at=None), name="filing_notice_undelivered"),
        ]

    def __str__(self) -> str:
        return str(self.event)


class FilingLetter(models.Model):
    """A notice to one person. ``begun_at`` without ``sent_at``: it may have arrived, and is not sent again."""

    notice = models.ForeignKey(FilingNotice, on_delete=models.PROTECT, related_name="letters")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    begun_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["notice", "user"], name="filing_letter_once")]

    def __str__(self) -> str:
        return f"{self.notice_id} {self.user_id}"


class FilingReminder(models.Model):
    """What was due was told to one person on one day. Written before the letter leaves: none is sent twice."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    day = models.DateField()
    begun_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "day"], name="filing_reminder_once_a_day")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.day}"


class FilingDraft(models.Model):
    """The form as somebody left it, word for word, right or wrong. ``lock`` grows with each saving."""

    programme = models.OneToOneField(Programme, on_delete=models.CASCADE, primary_key=True, related_name="draft")
    lock = models.PositiveIntegerField()
    typed = models.JSONField()
    saved_by = models.CharField(max_length=150)
    saved_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.programme} draft {self.lock}"


class Attachment(models.Model):
    """A file of a filing; its bytes lie under the home by their SHA-256. What a version names stays for ever."""

    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="attachments")
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=8, help_text="what it is by its content: pdf, png, jpg, docx, xlsx")
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    uploaded_by = models.CharField(max_length=150)
    uploaded_at = models.DateTimeField()
    dropped_at = models.DateTimeField(null=True, help_text="no longer part of the form")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["programme", "sha256"], condition=models.Q(dropped_at=None), name="attachment_once"
            )
        ]

    def __str__(self) -> str:
        return self.name


class VoidProposal(models.Model):
    """One person asks for a programme to be voided, another decides."""

    class Fate(models.TextChoices):
        """What becomes of the certificates and hours that were given."""

        REVOKE = "revoke", "撤销证书和学时"
        HONOUR = "honour", "保留证书和学时"

    class Outcome(models.TextChoices):
        """How it ended."""

        OPEN = "", "等第二人确认"
        CONFIRMED = "confirmed", "已确认"
        DROPPED = "dropped", "未采纳"

    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="void_proposals")
    fate = models.CharField(max_length=8, choices=Fate)
    code = models.CharField(max_length=16, choices=Code)
    reason = models.TextField()
    proposed_by = models.CharField(max_length=150)
    proposed_at = models.DateTimeField()
    outcome = models.CharField(max_length=10, choices=Outcome, default="", blank=True)
    decided_by = models.CharField(max_length=150, blank=True)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["programme"], condition=models.Q(outcome=""), name="one_open_proposal"),
            models.CheckConstraint(
                condition=~models.Q(outcome="confirmed") | ~models.Q(decided_by=models.F("proposed_by")),
                name="voided_by_two_people",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.programme}: {self.fate}"


class CourseLink(models.Model):
    """A confirmed mapping: this course of this source, completed within these dates, is that programme. A withdrawn one
    stays on record and counts for nothing.
    """

    source = models.ForeignKey(Source, on_delete=models.PROTECT, null=True, help_text="empty: waits for its source")
    kind = models.CharField(max_length=40, help_text="kind of source that the course code belongs to")
    course = models.CharField(max_length=500)
    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="course_links")
    valid_from = models.DateField()
    valid_to = models.DateField()
    confirmed_by = models.CharField(max_length=150)
    confirmed_at = models.DateTimeField(auto_now_add=True)
    because = models.CharField(max_length=300, blank=True, db_default="", help_text="why it was confirmed")
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_by = models.CharField(max_length=150, blank=True, db_default="")
    withdrawn_because = models.CharField(max_length=300, blank=True, db_default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["source", "kind", "course", "programme", "valid_from"],
                condition=models.Q(withdrawn_at=None),
                name="course_link_once_in_force",
                nulls_distinct=False,
            ),
            models.CheckConstraint(condition=models.Q(valid_to__gte=models.F("valid_from")), name="course_link_dates"),
            models.CheckConstraint(
                condition=models.Q(withdrawn_at=None) | ~models.Q(withdrawn_by=""),
                name="course_link_withdrawn_by_someone",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.course} → {self.programme}"


class FilingCounter(models.Model):
    """Filing numbers of a region and year, given without gaps."""

    region = models.CharField(max_length=6)
    year = models.PositiveSmallIntegerField()
    last = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["region", "year"], name="filing_counter_once")]

    def __str__(self) -> str:
        return f"{self.region}/{self.year}: {self.last}"
