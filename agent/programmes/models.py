"""Filed programmes. What was filed is a version and never changes; states move by events, which are kept."""

from __future__ import annotations

from django.db import models

from agent.intake.models import Source
from agent.organisations.models import Organisation


class Category(models.TextChoices):
    """The two kinds of hours (notice 2024-17, part 2)."""

    PUBLIC = "public", "公需科目"
    PROFESSIONAL = "professional", "专业科目"


class State(models.TextChoices):
    """Where a filing stands."""

    DRAFT = "draft", "草稿"
    SUBMITTED = "submitted", "待受理"
    FILED = "filed", "已备案"
    RETURNED = "returned", "已退回"
    REJECTED = "rejected", "已驳回"
    CANCELLED = "cancelled", "已撤销"


class Programme(models.Model):
    """What a department files: known by region, year and a key; its filing number comes with the acceptance."""

    region = models.CharField(max_length=6)
    year = models.PositiveSmallIntegerField()
    key = models.CharField(max_length=60, help_text="the filer's own short name, unique in region and year")
    sequence = models.PositiveIntegerField(help_text="the five digits of the programme in certificate numbers")
    organiser = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="organised")
    implementer = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="implemented", null=True)
    state = models.CharField(max_length=12, choices=State, default=State.DRAFT)
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
                condition=~models.Q(state="filed") | models.Q(filing_number__isnull=False),
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
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["programme", "version"], name="programme_version_once"),
            models.CheckConstraint(condition=models.Q(hours__gt=0), name="programme_hours_positive"),
            models.CheckConstraint(condition=models.Q(ends_on__gte=models.F("starts_on")), name="programme_dates"),
        ]

    def __str__(self) -> str:
        return f"{self.title} v{self.version}"


class FilingEvent(models.Model):
    """A change of state: who, when, why. Append-only."""

    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="events")
    at = models.DateTimeField(auto_now_add=True)
    from_state = models.CharField(max_length=12, choices=State)
    to_state = models.CharField(max_length=12, choices=State)
    actor = models.CharField(max_length=150)
    reason = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"{self.programme}: {self.from_state} → {self.to_state}"


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
