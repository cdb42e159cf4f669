"""The forms by which pages are written, one a kind."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import F

from peacekb.documents import NAMED_KINDS
from peacekb.models import (
    Actor,
    Article,
    Case,
    Concept,
    Label,
    Language,
    Operation,
    Page,
    PagePhase,
    Phase,
    Revision,
    Role,
    Status,
    Task,
)

from .fields import LinesField, MarkdownField, OneLineField, SeenField, TagsField, one_line, spoken_time
from .names import doubt_about

if TYPE_CHECKING:
    PageModelForm = forms.ModelForm[Page]
    LabelModelForm = forms.ModelForm[Label]
    LabelInlineFormSet = forms.BaseInlineFormSet[Label, Page, forms.ModelForm[Label]]
else:
    PageModelForm = forms.ModelForm
    LabelModelForm = forms.ModelForm
    LabelInlineFormSet = forms.BaseInlineFormSet


class PageForm(PageModelForm):
    """What all kinds share."""

    title = OneLineField(
        max_length=300,
        widget=forms.TextInput(attrs={"dir": "auto", "class": "vTextField"}),
        help_text="The name readers see. The title of an entry is also linked where texts use it.",
    )
    summary = OneLineField(
        max_length=200,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, "dir": "auto", "spellcheck": "true", "class": "vLargeTextField"}),
        help_text="One sentence, 200 characters or fewer. Lists and search engines show it.",
        error_messages={"max_length": "Summary must be 200 characters or fewer; it has %(show_value)d."},
    )
    source = MarkdownField(
        label="Text",
        required=False,
        help_text=(
            "Leave a line empty between paragraphs. ## begins a heading, *word* stresses, [^1] marks a note and "
            "“[^1]: …” on a line of its own holds it. [[Ceasefire]] links a page, [[ceasefire|the truce]] links it "
            "with other words, [[!ceasefire]] keeps a word from being linked."
        ),
    )
    tags = TagsField(required=False, help_text="Words by which readers find the page, separated by commas.")
    unlinked = LinesField(
        label="Words not linked here",
        required=False,
        help_text="One a line. These words are not linked on this page, such as “mandate”.",
    )
    note = OneLineField(
        label="What changed?",
        max_length=300,
        required=False,
        widget=forms.TextInput(attrs={"class": "vTextField"}),
        help_text="A few words for the history, such as “Added the talks of 2008”.",
    )
    newest = forms.IntegerField(required=False, widget=forms.HiddenInput)
    doubted = SeenField()

    #: Why the text of this very form could not be published, once that was tried (see `PublishingAdmin`).
    refusal = ""
    #: Whether the button that was pressed makes the page public.
    publishes = False
    #: Whether the editor came back from the page that asks what publishing does to links.
    was_left_unconfirmed = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        newest = self._newest_revision()
        self.initial["newest"] = newest.number if newest else 0

    def clean_slug(self) -> str:
        slug: str = self.cleaned_data["slug"]
        kind = self._meta.model.KIND
        if Page.objects.filter(kind=kind, slug=slug).exclude(pk=self.instance.pk).exists():
            raise ValidationError(
                "Another %(kind)s has the address “%(slug)s”. Choose another one.",
                code="slug_taken",
                params={"kind": kind.label.lower(), "slug": slug},
            )
        return slug

    def clean_published_at(self) -> Any:
        """Keep what the form cannot show: fractions of a second, and the date that a published page must have."""
        before, given = self.instance.published_at, self.cleaned_data["published_at"]
        if before is not None and given == before.replace(microsecond=0):
            return before
        return before if given is None and self.instance.status == Status.PUBLISHED else given

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self.publishes and "source" in cleaned and not cleaned["source"]:
            self.add_error("source", ValidationError("Write the text before publishing.", code="text_missing"))
        if self.was_left_unconfirmed:
            raise ValidationError("Nothing is published yet. Everything that you wrote is here.", code="unconfirmed")
        self._doubt_title(cleaned)
        newest = self._newest_revision()
        number = newest.number if newest else 0
        if self.refusal:
            self.add_error("source", ValidationError(self.refusal, code="text_refused"))
            show_next(self, "newest", str(number))
        elif newest is not None and cleaned.get("newest") != number:
            show_next(self, "newest", str(number))
            raise ValidationError(
                "%(who)s saved this page on %(when)s, after you opened it. Nothing is lost: version %(number)d holds "
                "that text, and everything you typed is still here. Compare the two, then press the button again to "
                "save yours all the same.",
                code="saved_meanwhile",
                params={
                    "who": newest.editor_name or newest.get_origin_display(),
                    "when": spoken_time(newest.created_at),
                    "number": number,
                },
            )
        return cleaned

    def save_phases(self, page: Page) -> None:
        """Store the phases that were chosen. Nothing for kinds without a choice."""

    def _newest_revision(self) -> Revision | None:
        return self.instance.revisions.order_by("-number").first() if self.instance.pk else None

    def _doubt_title(self, cleaned: dict[str, Any]) -> None:
        """Ask once about a new title that would link badly, where the title is a name that texts use."""
        title, language = cleaned.get("title"), cleaned.get("language")
        if self._meta.model.KIND not in NAMED_KINDS or not title or not language:
            return
        if {"title", "language"} & set(self.changed_data):
            ask_once(self, "title", doubt_about(title, language, self.instance))


def show_next(form: forms.BaseForm, name: str, value: str) -> None:
    """Let the next press of a button say that this value was seen."""
    data: Any = form.data.copy()  # type: ignore[attr-defined]  # a QueryDict
    data[form.add_prefix(name)] = value
    form.data = data


def ask_once(form: forms.BaseForm, name: str, doubt: str | None) -> None:
    """Refuse a field for a doubt, unless the form was sent with that very doubt seen."""
    if doubt and form.cleaned_data.get("doubted") != doubt:
        show_next(form, "doubted", doubt)
        form.add_error(name, ValidationError(doubt, code="doubted"))


class ArticleForm(PageForm):
    """An essay or a reference text."""

    authors = LinesField(
        required=False, help_text="Names, one a line, in the order in which they sign. Reference entries have none."
    )

    class Meta:
        model = Article
        fields = "__all__"

    def clean_translation_of(self) -> Article | None:
        original: Article | None = self.cleaned_data["translation_of"]
        if original is not None and original.pk == self.instance.pk:
            raise ValidationError("An article cannot be a translation of itself.", code="translates_itself")
        return original


class PhasesForm(PageForm):
    """A page that may belong to several phases."""

    phases = forms.MultipleChoiceField(
        choices=Phase,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="When in a peace process this matters. “Any phase” is for what belongs to all of them.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["phases"] = _phases_of(self.instance)

    def save_phases(self, page: Page) -> None:
        _set_phases(page, self.cleaned_data["phases"])


class ConceptForm(PhasesForm):
    class Meta:
        model = Concept
        fields = "__all__"

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        for name in ("broader", "related"):
            if self.instance.pk and any(other.pk == self.instance.pk for other in cleaned.get(name) or ()):
                self.add_error(name, ValidationError("A concept cannot be joined to itself.", code="joined_to_itself"))
        return cleaned


class RoleForm(PhasesForm):
    class Meta:
        model = Role
        fields = "__all__"


class TaskForm(PageForm):
    phase = forms.ChoiceField(choices=[("", "—"), *Phase.choices], required=False, help_text="When this work is done.")

    class Meta:
        model = Task
        fields = "__all__"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["phase"] = next(iter(_phases_of(self.instance)), "")

    def save_phases(self, page: Page) -> None:
        phase = self.cleaned_data["phase"]
        _set_phases(page, [phase] if phase else [])


class ActorForm(PageForm):
    class Meta:
        model = Actor
        fields = "__all__"


class OperationForm(PageForm):
    class Meta:
        model = Operation
        fields = "__all__"


class CaseForm(PageForm):
    conflict = OneLineField(max_length=300, widget=forms.TextInput(attrs={"dir": "auto", "class": "vTextField"}))
    parties = LinesField(required=False, help_text="Names, one a line, as the sources have them.")

    class Meta:
        model = Case
        fields = "__all__"


def _phases_of(page: Page) -> list[str]:
    return list(page.phase_set.values_list("phase", flat=True)) if page.pk else []


def _set_phases(page: Page, phases: list[str]) -> None:
    """Make the phases those given; where they are the same, the order in which they were written stays."""
    if set(_phases_of(page)) != set(phases):
        page.phase_set.all().delete()
        PagePhase.objects.bulk_create(PagePhase(page=page, phase=phase) for phase in phases)


# --- labels ------------------------------------------------------------------------------------------------------


class LabelForm(LabelModelForm):
    text = OneLineField(label="Name", max_length=200, widget=forms.TextInput(attrs={"dir": "auto"}))
    language = forms.ChoiceField(
        choices=Language,
        # As the model has it: without, a row that nobody filled in would count as changed.
        initial=Language.ENGLISH,
        error_messages={"invalid_choice": "Choose a language from the list."},
    )
    doubted = SeenField()

    class Meta:
        model = Label
        fields = ("text", "language", "kind", "case_sensitive", "ambiguous")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        stored, field = self.instance.language, self.fields.get("language")
        if isinstance(field, forms.ChoiceField) and stored not in Language.values:
            field.choices = [*Language.choices, (stored, stored)]


class LabelFormSet(LabelInlineFormSet):
    """The names of a page besides its title. The title's own label is kept by publishing and not shown."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        labels = kwargs.get("queryset")
        if labels is None:
            labels = Label.objects.all()
        kwargs["queryset"] = labels.exclude(page__kind__in=NAMED_KINDS, kind="pref", language=F("page__language"))
        super().__init__(*args, **kwargs)

    @property
    def title_label(self) -> Label | None:
        """Give the stored label that holds the title."""
        page = self.instance
        if page.pk is None or page.kind not in NAMED_KINDS:
            return None
        return Label.objects.filter(page=page, kind="pref", language=F("page__language")).first()

    @property
    def names(self) -> dict[tuple[str, str], LabelModelForm]:
        """Give the forms that hold a name, by language and text; the last of equal ones."""
        return {
            (form.cleaned_data["language"], form.cleaned_data["text"]): form
            for form in self.forms
            if getattr(form, "cleaned_data", {}).get("text")
            and "language" in form.cleaned_data
            and not form.cleaned_data.get("DELETE")
        }

    def clean(self) -> None:
        super().clean()
        title_label = self.title_label
        preferred: set[str] = set()
        for form in self.forms:
            values = getattr(form, "cleaned_data", {})
            if not values.get("text") or not values.get("language") or values.get("DELETE"):
                continue
            place = (values["language"], values["text"])
            if values.get("kind") == "pref":
                named = self.instance.KIND in NAMED_KINDS and values["language"] == self.instance.language
                if named:
                    form.add_error("kind", "The preferred name in the page's own language is its title.")
                if values["language"] in preferred:
                    form.add_error("kind", "A page has one preferred name in each language.")
                preferred.add(values["language"])
            taken = title_label is not None and place == (title_label.language, title_label.text)
            if taken and title_label is not None and one_line(self.instance.title) == title_label.text:
                form.add_error("text", "This is the title, which is a name of the page already.")
            elif {"text", "language", "case_sensitive", "ambiguous"} & set(form.changed_data):
                flags = {flag: bool(values.get(flag)) for flag in ("case_sensitive", "ambiguous")}
                ask_once(form, "text", doubt_about(values["text"], values["language"], self.instance, **flags))

    def get_unique_error_message(self, unique_check: Any) -> str:
        return "A name stands here twice. Take one of the two away."

    def make_way(self) -> None:
        """Free the name that was the title where it becomes one of the other names with this form."""
        old = self.title_label
        if old is None or old.text == self.instance.title or (old.language, old.text) not in self.names:
            return
        if self.instance.labels.filter(language=old.language, text=self.instance.title).exists():
            old.delete()
        else:
            old.text = self.instance.title
            old.save(update_fields=["text", "key"])
