from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from .label import Label
from .mention import MentionText
from .page import Page
from .revision import Revision
from .section import Section


class NameChange(models.Model):
    """A change of names that other pages' links follow: one event over all pages whose text or names it changed.

    `links_appeared`, `links_altered` and `links_vanished` count links in other pages. What touches many sections is
    `WAITING` until every one of `sections_total` is prepared, and then seen by readers at once.
    """

    class Deed(models.TextChoices):
        NAMES = "names", _("Names changed")
        MERGE = "merge", _("Pages merged")
        SPLIT = "split", _("Page divided")
        UNDO = "undo", _("Change taken back")

    class State(models.TextChoices):
        WAITING = "waiting", _("Being prepared")
        DONE = "done", _("Done")
        UNDONE = "undone", _("Taken back")
        STOPPED = "stopped", _("Stopped")

    deed = models.CharField(_("deed"), max_length=10, choices=Deed)
    summary = models.CharField(_("what changed"), max_length=300)
    state = models.CharField(_("state"), max_length=10, choices=State)
    problem = models.CharField(_("problem"), max_length=500, blank=True)
    editor = models.ForeignKey(
        settings.AUTH_USER_MODEL, related_name="+", null=True, blank=True, on_delete=models.SET_NULL
    )
    editor_name = models.CharField(_("editor"), max_length=200, blank=True)
    note = models.CharField(_("note"), max_length=300, blank=True)
    undoes = models.ForeignKey("self", related_name="undone_by", null=True, on_delete=models.SET_NULL)
    links_appeared = models.PositiveIntegerField(_("links that appeared"), default=0)
    links_altered = models.PositiveIntegerField(_("links that changed"), default=0)
    links_vanished = models.PositiveIntegerField(_("links that vanished"), default=0)
    sections_total = models.PositiveIntegerField(_("sections touched"), default=0)
    sections_done = models.PositiveIntegerField(_("sections prepared"), default=0)
    #: The newest revision when sections began to be prepared: what came later is looked at again.
    prepared_from = models.PositiveBigIntegerField(null=True)
    created_at = models.DateTimeField(_("begun"), auto_now_add=True)
    finished_at = models.DateTimeField(_("seen by readers from"), null=True)

    class Meta:
        verbose_name = _("change of names")
        verbose_name_plural = _("changes of names")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=["waiting", "done", "undone", "stopped"]),
                name="name_change_state_is_known",
            ),
        ]

    def __str__(self) -> str:
        return self.summary


class ChangedPage(models.Model):
    """A page whose document a change of names changed: from `before` (none for a new page) to `after`.

    While the change waits `after` is a draft. `successor` is the page into which this one was merged; with a
    `reason` it is withdrawn.
    """

    change = models.ForeignKey(NameChange, related_name="pages", on_delete=models.CASCADE)
    page = models.ForeignKey(Page, related_name="name_changes", on_delete=models.CASCADE)
    before = models.ForeignKey(Revision, related_name="+", null=True, on_delete=models.CASCADE)
    after = models.ForeignKey(Revision, related_name="+", null=True, on_delete=models.CASCADE)
    successor = models.ForeignKey(Page, related_name="+", null=True, on_delete=models.CASCADE)
    reason = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["change", "page"], name="page_once_in_a_name_change")]

    def __str__(self) -> str:
        return f"{self.page_id} in {self.change_id}"


class StagedSection(models.Model):
    """What a section will be once a waiting change of names is done; `is_ready` when it is prepared.

    `replaced` holds the keys of the mentions that go, or have another form among the staged ones.
    """

    change = models.ForeignKey(NameChange, related_name="staged_sections", on_delete=models.CASCADE)
    section = models.ForeignKey(Section, related_name="staged", on_delete=models.CASCADE)
    is_ready = models.BooleanField(default=False)
    html = models.TextField(blank=True)
    notes_html = models.TextField(blank=True)
    replaced = models.JSONField(default=list)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["change", "section"], name="section_staged_once_in_a_change")]
        indexes = [models.Index(fields=["change", "is_ready", "section"], name="sections_to_prepare")]

    def __str__(self) -> str:
        return f"section {self.section_id} in {self.change_id}"


class StagedMention(MentionText):
    """A mention of a staged section that is new or other. `mention_id` is the row that has its place, and keeps it.

    `new_name` counts the names that the change brings and that have no row before it is done.
    """

    staged = models.ForeignKey(StagedSection, related_name="mentions", on_delete=models.CASCADE)
    section = models.ForeignKey(Section, related_name="+", on_delete=models.CASCADE)
    target = models.ForeignKey(Page, related_name="+", null=True, on_delete=models.CASCADE)
    label = models.ForeignKey(Label, related_name="+", null=True, on_delete=models.SET_NULL)
    new_name = models.PositiveSmallIntegerField(null=True)
    mention_id = models.PositiveBigIntegerField(null=True)
