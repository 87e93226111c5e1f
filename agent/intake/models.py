"""Sources, runs and completions. A version of a completion is never changed but for the flag that a newer one came."""

from __future__ import annotations

from django.db import models

from agent.organisations.models import Organisation


class Source(models.Model):
    """One place where people learn, as an operator connected it."""

    name = models.CharField(max_length=100, unique=True)
    kind = models.CharField(max_length=40)
    url = models.CharField(max_length=1000)
    token = models.BinaryField(null=True, help_text="sealed")
    options = models.JSONField(default=dict)
    allow_private = models.BooleanField(default=False)
    organisation = models.ForeignKey(Organisation, null=True, on_delete=models.PROTECT)
    most_missing = models.PositiveSmallIntegerField(default=5, help_text="percent of rows that may vanish at once")
    connected_at = models.DateTimeField(auto_now_add=True)
    scheduled = models.BooleanField(default=True, help_text="false: asked by hand and by push only")
    recent_at = models.CharField(max_length=100, default="15m", help_text="a period (15m, 2h) or a cron line")
    full_at = models.CharField(max_length=100, default="30 2 * * *", help_text="a period (1d) or a cron line")
    time_zone = models.CharField(max_length=60, default="Asia/Shanghai", help_text="of the cron lines")
    jitter = models.PositiveIntegerField(default=300, help_text="seconds by which a pull may come later")
    budget = models.PositiveIntegerField(default=3600, help_text="most calls an hour")
    push_secret = models.BinaryField(null=True, help_text="sealed; signs what the LMS posts to us")
    revision = models.PositiveIntegerField(default=1, db_default=1, help_text="grows with each change by a person")

    def __str__(self) -> str:
        return self.name


class SourceDraft(models.Model):
    """A source that somebody is connecting, or changing, step by step; gone when that takes effect or is given up."""

    organisation = models.ForeignKey(Organisation, null=True, on_delete=models.CASCADE)
    source = models.ForeignKey(
        Source, null=True, on_delete=models.CASCADE, related_name="+", help_text="the one to be changed"
    )
    revision = models.PositiveIntegerField(null=True, help_text="the source's, as it was changed from")
    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=40)
    url = models.CharField(max_length=1000, blank=True)
    file = models.CharField(max_length=200, blank=True, help_text="what an uploaded file was called")
    token = models.BinaryField(null=True, help_text="sealed")
    options = models.JSONField(default=dict)
    allow_private = models.BooleanField(default=False)
    found = models.JSONField(null=True, help_text="what the last look came to; numbers masked")
    by = models.CharField(max_length=150)
    at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.name


class SourceState(models.Model):
    """How far a source has been read, and whether it is left alone for a while."""

    source = models.OneToOneField(Source, on_delete=models.PROTECT, primary_key=True, related_name="progress")
    reached = models.DateTimeField(null=True, help_text="all that was completed before has landed")
    sequence = models.BigIntegerField(null=True, help_text="place in the source's own log of changes")
    compared_at = models.DateTimeField(null=True, help_text="the last whole comparison")
    failures = models.PositiveIntegerField(default=0, help_text="in a row")
    open_until = models.DateTimeField(null=True, help_text="nothing asks the source by itself before")
    open_code = models.CharField(max_length=40, blank=True)

    def __str__(self) -> str:
        return f"{self.source} up to {self.reached or 'nothing'}"


class SyncRun(models.Model):
    """One pull of a source, and how it went."""

    class Mode(models.TextChoices):
        FULL = "full", "全面比对"
        RECENT = "recent", "增量"
        BACKFILL = "backfill", "补采"
        REPLAY = "replay", "重放"

    class State(models.TextChoices):
        RUNNING = "running", "进行中"
        DONE = "done", "完成"
        FAILED = "failed", "失败"

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="runs")
    state = models.CharField(max_length=10, choices=State, default=State.RUNNING)
    mode = models.CharField(max_length=10, choices=Mode, default=Mode.FULL)
    because = models.CharField(max_length=40, default="hand", help_text="hand | clock | push | backfill")
    since = models.DateTimeField(null=True, help_text="of the span that was asked for")
    until = models.DateTimeField(null=True)
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)
    counted = models.PositiveIntegerField(
        null=True, help_text="rows that the source says it has, in what was asked for"
    )
    new = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)
    missing_upstream = models.PositiveIntegerField(default=0)
    calls = models.PositiveIntegerField(default=0)
    error_code = models.CharField(max_length=40, blank=True)
    error = models.TextField(blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["source", "-started_at"], name="run_newest"),
            # when a source last brought something: most pulls of a day bring nothing
            models.Index(
                fields=["source", "finished_at"],
                name="run_wrote",
                condition=models.Q(new__gt=0) | models.Q(changed__gt=0),
            ),
        ]

    @property
    def seconds(self) -> float | None:
        """What it took; None: it goes on."""
        return (self.finished_at - self.started_at).total_seconds() if self.finished_at else None

    def __str__(self) -> str:
        return f"{self.source} {self.started_at:%Y-%m-%d %H:%M} {self.state}"


class RawPage(models.Model):
    """The rows of a page that were new or changed, as they came: sealed together, which costs a tenth of each alone."""

    run = models.ForeignKey(SyncRun, on_delete=models.PROTECT, db_index=False)
    rows = models.PositiveIntegerField()
    sealed = models.BinaryField()

    def __str__(self) -> str:
        return f"{self.run_id}: {self.rows} rows"


class Completion(models.Model):
    """One version of what a source said about one learner and one course."""

    # No indexes of their own: the constraint below begins with the source, and nobody looks rows up by run. No foreign
    # keys in the database: a run holds its source and its own row while it lands, both are never deleted, and to check
    # it row by row took more than writing the row (7 of 19 µs, measured).
    source = models.ForeignKey(Source, on_delete=models.PROTECT, db_index=False, db_constraint=False)
    run = models.ForeignKey(
        SyncRun, on_delete=models.PROTECT, db_index=False, db_constraint=False, help_text="which landed this version"
    )
    key = models.CharField(max_length=300)
    version = models.PositiveIntegerField()
    current = models.BooleanField()
    digest = models.BinaryField(help_text="keyed hash of the whole record: equal means unchanged")
    account = models.CharField(max_length=500, help_text="the user there")
    course = models.CharField(max_length=500)
    course_name = models.CharField(max_length=500)
    name = models.CharField(max_length=500, help_text="as claimed, NFC")
    name_folded = models.CharField(max_length=500, help_text="for comparison only")
    name_code = models.CharField(max_length=40, help_text="what is wrong with the name; empty: nothing")
    id_masked = models.CharField(max_length=40)
    id_fingerprint = models.BinaryField(null=True, help_text="keyed hash of the normalised number")
    id_sealed = models.BinaryField(null=True)
    id_code = models.CharField(max_length=40, help_text="what is wrong with the number; empty: nothing")
    completed_at = models.DateTimeField(null=True)
    precision = models.CharField(max_length=8)
    learned_on = models.DateField(null=True, help_text="local date (Asia/Shanghai); decides the year")
    started_on = models.DateField(null=True)
    hours = models.PositiveIntegerField(null=True, help_text="hundredths of an hour, as reported")
    minutes = models.PositiveIntegerField(null=True)
    passed = models.BooleanField()
    active = models.BooleanField(help_text="false: account or enrolment suspended since; takes nothing away")
    grade = models.CharField(max_length=500)
    employer = models.CharField(max_length=500)
    filing_number = models.CharField(max_length=500)
    place = models.CharField(max_length=500, help_text="sheet and row, for files")
    serial = models.BigIntegerField(null=True, help_text="the source's own number of the row")
    mark = models.BigIntegerField(null=True, help_text="the source's own digest of the row")
    raw_page = models.ForeignKey("RawPage", on_delete=models.PROTECT, db_index=False, db_constraint=False)
    raw_place = models.PositiveIntegerField(help_text="which row of the raw page, from 0")
    first_landed_at = models.DateTimeField(help_text="when version 1 landed: a correction is not late")
    landed_at = models.DateTimeField()

    class Meta:
        constraints = [
            # the current one is guarded below; together the two keep every version once, and a new row pays for one
            models.UniqueConstraint(
                fields=["source", "key", "version"], condition=models.Q(current=False), name="completion_version_once"
            ),
            models.UniqueConstraint(
                fields=["source", "key"], condition=models.Q(current=True), name="completion_one_current"
            ),
        ]
        indexes = [
            models.Index(fields=["source", "course"], condition=models.Q(current=True), name="completion_course"),
            models.Index(fields=["id_fingerprint"], condition=models.Q(current=True), name="completion_person"),
        ]

    def __str__(self) -> str:
        return f"{self.source_id}/{self.key} v{self.version}"


class Backfill(models.Model):
    """A range of time that is read again from its beginning, piece by piece, and goes on where it was stopped."""

    source = models.ForeignKey(Source, on_delete=models.PROTECT)
    since = models.DateTimeField()
    until = models.DateTimeField()
    reached = models.DateTimeField(help_text="all before it has landed")
    rows = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["source"], condition=models.Q(finished_at=None), name="backfill_one_at_a_time"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.since:%Y-%m-%d} – {self.until:%Y-%m-%d}"


class PushSeen(models.Model):
    """A push that was taken; kept as long as its signature would be accepted, so that nobody sends it again."""

    signature = models.BinaryField(primary_key=True)
    at = models.DateTimeField(auto_now_add=True, db_index=True)

    def __str__(self) -> str:
        return f"{self.at:%H:%M:%S}"


class MissingUpstream(models.Model):
    """A row that the source showed once and shows no more. Never a revocation by itself."""

    completion = models.OneToOneField(Completion, on_delete=models.PROTECT)
    run = models.ForeignKey(SyncRun, on_delete=models.PROTECT, help_text="the run that missed it first")
    since = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.completion)
