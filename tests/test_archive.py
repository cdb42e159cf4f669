"""Files in and out, and the starter library."""

import hashlib
import io
import os
import unicodedata
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from taggit.models import Tag

from peacekb.archive import bring_in, export, markdown_file, read_file
from peacekb.documents import document_of, write
from peacekb.models import (
    Actor,
    Article,
    Case,
    Concept,
    Contribution,
    Event,
    Instrument,
    Label,
    Membership,
    Mention,
    Operation,
    Page,
    Participation,
    Resolution,
    Revision,
    Role,
    SearchEntry,
    Section,
    Source,
    TagBroader,
    TagName,
    Task,
)
from peacekb.publishing import publish, withdraw

from .factories import draft_article, published_article, published_concept, source

pytestmark = pytest.mark.django_db

FIXTURES = Path(settings.BASE_DIR) / "fixtures"
#: Of the author's text, from its title to its last full stop. Nobody edits it here.
SEED_DIGEST = "1f314efc2511796b198c98f2a16ef0a576e2c15968e59c22a94cb2f73ba8d2d5"
ESSAY = FIXTURES / "essays" / "diplomacy-in-peacekeeping.md"


def run(command: str, *args, **options) -> str:
    out = io.StringIO()
    call_command(command, *args, stdout=out, stderr=out, **options)
    return out.getvalue()


def everything() -> dict[str, list[tuple]]:
    return {
        model.__name__: list(model.objects.order_by("pk").values_list())
        for model in (
            Page,
            Article,
            Concept,
            Role,
            Task,
            Label,
            Section,
            Mention,
            Revision,
            Source,
            SearchEntry,
            TagName,
            TagBroader,
            Actor,
            Operation,
            Case,
            Participation,
            Instrument,
            Membership,
            Contribution,
            Resolution,
            Event,
        )
    }


def files_below(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def put(folder: Path, name: str, front: str, body: str = "Text.") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"---\n{front}\n---\n\n{body}\n", encoding="utf-8")
    return path


def test_the_starter_library_is_whole_and_seeding_twice_changes_nothing(tmp_path):
    assert run("seed").strip() == "1,124 created, 0 updated, 0 unchanged, 0 left alone, 0 refused."
    assert (Concept.objects.count(), Role.objects.count(), Task.objects.count()) == (135, 36, 39)
    assert (Actor.objects.count(), Operation.objects.count(), Case.objects.count()) == (147, 71, 77)
    assert (Event.objects.count(), Source.objects.count()) == (135, 436)
    essay = Page.objects.get(kind="article", slug="diplomacy-in-peacekeeping")
    sections = list(essay.sections.all())
    assert [section.heading for section in sections[1:]] == [
        "The Equilibrium Art: Diplomacy in Peacekeeping",
        "Diplomacy: The Pivot for Conflict Resolution and Post-Conflict Reconstruction",
        "The Role and Promise of Islamic Nations",
        "Conclusion",
    ]
    assert (sections[0].first_paragraph, sections[-1].last_paragraph) == (1, 6)
    linked = set(Mention.objects.filter(section__page=essay, linked=True).values_list("target__kind", "target__slug"))
    assert linked >= {("role", "mediator")} | {
        ("concept", slug)
        for slug in (
            *("negotiation", "ceasefire", "conflict-resolution", "post-conflict-reconstruction"),
            *("human-rights", "ummah"),
            *("peacekeeping", "diplomacy", "conciliation", "islamic-nations", "international-peace-and-security"),
        )
    } | {
        ("task", slug)
        for slug in ("establishing-democratic-principles", "building-institutions", "advancing-socio-economic-reforms")
    }
    # The mediator, six concepts and three tasks that the essay must link, and at least eight more.
    assert len(linked) >= 18
    before = everything()
    assert run("seed").strip() == "0 created, 0 updated, 1,124 unchanged, 0 left alone, 0 refused."
    assert everything() == before
    run("rebuild")
    assert everything() == before
    # The fixtures are in the form that an export has, so that a change of one is a change of what it says.
    run("export", str(tmp_path / "out"))
    exported = files_below(tmp_path / "out")
    kept = {name: text for name, text in files_below(FIXTURES).items() if name != "README.md"}
    for name in ("sources", "tags"):
        text = kept[f"{name}.yaml"]
        kept[f"{name}.yaml"] = text[text.index(f"{name}:\n".encode()) :]  # without the words for people at its top
    assert exported == kept


def test_the_seed_essay_is_kept_word_for_word():
    text = ESSAY.read_text(encoding="utf-8").split("---\n", 2)[2].strip("\n")
    assert text.startswith("# The Invaluable Place of International Diplomacy in Peacekeeping Operations\n")
    assert hashlib.sha256(text.encode()).hexdigest() == SEED_DIGEST
    assert "conflicting parties. \n\nWhen Islamic nations" in text


def test_exporting_importing_and_exporting_again_gives_the_same_bytes(tmp_path):
    source("un-charter", url="https://www.un.org/en/about-us/un-charter", note="Two words.")
    published_concept("Ceasefire", "truce", "cease: fire", phases=["ceasefire"], sources=["un-charter"])
    arabic = {"text": "هدنة", "language": "ar"}
    published_concept("Hudna", broader=["ceasefire"], related=["ceasefire"], label_rows=[arabic])
    article = published_article(
        title="“Quotes”: and *stars*", slug="quotes", source="A truce.\n\n\n    code\n\n- [[Hudna]]", tags=["b", "a"],
        authors=["Amal: Haddad"], language="fr",
    )  # fmt: skip
    published_article(title="Translated", translation_of=article.slug)
    draft_article(title="Secret")
    run("export", str(tmp_path / "one"))
    before = files_below(tmp_path / "one")
    assert len(before) == 8
    Page.objects.all().delete()
    Source.objects.all().delete()
    run("import", str(tmp_path / "one"))
    run("export", str(tmp_path / "two"))
    assert files_below(tmp_path / "two") == before


def test_a_page_that_an_editor_changed_is_left_alone_by_seeding_and_named(tmp_path):
    put(tmp_path, "concepts/ceasefire.md", "title: Ceasefire\nslug: ceasefire", "One.")
    bring_in([tmp_path], seeding=True)
    concept = Concept.objects.get()
    publish(write({**document_of(concept), "source": "By an editor."}, "concept", concept))
    put(tmp_path, "concepts/ceasefire.md", "title: Ceasefire\nslug: ceasefire", "Two.")
    report = bring_in([tmp_path], seeding=True)
    assert Concept.objects.get().source == "By an editor."
    assert len(report.kept) == 1
    assert "left alone, changed on" in report.kept[0]


def test_a_page_that_nobody_changed_follows_the_starter_library(tmp_path):
    put(tmp_path, "concepts/ceasefire.md", "title: Ceasefire\nslug: ceasefire", "One.")
    bring_in([tmp_path], seeding=True)
    put(tmp_path, "concepts/ceasefire.md", "title: Ceasefire\nslug: ceasefire", "Two.")
    assert len(bring_in([tmp_path], seeding=True).updated) == 1
    assert Concept.objects.get().source == "Two."


def test_a_source_that_an_editor_changed_is_left_alone_by_seeding(tmp_path):
    (tmp_path / "sources.yaml").write_text("sources:\n- id: a\n  type: book\n  title: A\n")
    bring_in([tmp_path], seeding=True)
    Source.objects.update(title="By an editor")
    assert len(bring_in([tmp_path], seeding=True).kept) == 1
    assert Source.objects.get().title == "By an editor"
    assert len(bring_in([tmp_path]).updated) == 1
    assert Source.objects.get().title == "A"


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("No front matter.", 1, "front matter is missing"),
        ("---\ntitle: A\n", 1, "not closed"),
        ("---\ntitle: A\nslug: a\ntitle: B\n---\n", 4, "stands here twice"),
        ("---\ntitle: A\nslug: a\nlanguage: xx\n---\n", 4, "not one of en, fr, ar"),
        ("---\ntitle: A\nslug: a\ncolour: red\n---\n", 4, "unknown key “colour”"),
        ("---\ntitle: [\n---\n", 3, "not YAML"),
        ("---\n- a\n---\n", 2, "keys and values"),
        ("---\na: &x [1]\nb: *x\n---\n", 3, "write the value itself"),
        ("---\ntitle: !!python/object/apply:os.system ['true']\n---\n", 2, "write the value alone"),
        ("---\ntitle: A\nslug: !!timestamp a\n---\n", 3, "write the value alone"),
        ("---\ntitle: A\nlabels: " + "[" * 100_000 + "\n---\n", 3, "too deeply"),
        ("---\ntitle: A\nlabels:\n" + "- " * 50_000 + "a\n---\n", 4, "too deeply"),
        ("---\ntitle: A\n1: B\n---\n", 3, "a key must be a word"),
        ("---\ntitle: A\n? [a]\n: B\n---\n", 3, "a key must be a word"),
        ("---\ntitle: A\n<<: {slug: a}\n---\n", 3, "a key must be a word"),
        ("---\ntitle: A\nlabels:\n- {text: B, text: C}\n---\n", 4, "stands here twice"),
        ("---\ntitle: A\nslug: a\nlanguage: 0x" + "f" * 5_000 + "\n---\n", 4, "Put it in quotes"),
        ("---\ntitle: 1.10\nslug: a\n---\n", 2, "“1.10” reads as a number"),
        ("---\ntitle: A\nslug: a\nreview_by: 2027-13-01\n---\n", 4, "month must be in 1..12"),
        ('---\ntitle: A\nslug: a\nlanguage: "\\e[31m"\n---\n', 4, "“�[31m” is not one of"),
        ('---\ntitle: A\nslug: a\nsummary: "\\ud800"\n---\n', 4, "Unicode"),
        ('---\ntitle: A\nslug: a\nsummary: "\\0"\n---\n', 4, "cannot be stored"),
        ("---\ntitle: A\nsummary: \x1b\n---\n", 3, "control character stands here (U+001B)"),
        ("---\ntitle: A\nslug: a\n---\n\nOne.\x00", 6, "cannot be stored"),
        ("---\ntitle: A\nslug: a\ntags: [" + "a," * 20_000 + "]\n---\n", 4, "has 20,000 entries; 500 are the most"),
        ("---\ntitle: A\nslug: a\nlabels: [" + "{text: a}," * 501 + "]\n---\n", 4, "501 entries; 500 are the most"),
        ("---\ntitle: " + "a" * 300_000 + "\n---\n", 2, "longer than 256 kB"),
        ("---\ntitle: A\n---\n" + "a" * 4 * 1024**2, 1, "larger than 4 MB"),
        ("---\ntitle: A\nslug: a\nsources: [nowhere]\n---\n", 4, "no source has the slug “nowhere”"),
        ("---\ntitle: A\nslug: a\n---\n\nOne.\n\n" + "[" * 2_000, 8, "opening brackets"),
        ("---\ntitle: A\nslug: a\nkind: poem\n---\n", 4, "unknown kind “poem”"),
        ("---\nslug: a\n---\n", 1, "title is missing"),
        ("---\ntitle: A\nslug: a\nkind: [a]\n---\n", 4, "unknown kind"),
        ("---\ntitle: A\nslug: a\ntranslation_of: a\n---\n", 4, "cannot be so to itself"),
        ("---\ntitle: A\nslug: a\nverified_url: nope\n---\n", 4, "valid URL"),
    ],
)
def test_a_file_that_is_refused_is_named_with_its_line_and_nothing_of_it_is_stored(tmp_path, text, line, message):
    path = tmp_path / "a.md"
    path.write_text(text, encoding="utf-8")
    (refusal,) = bring_in([path]).refused
    assert (refusal.path, refusal.line) == (str(path), line)
    assert message in refusal.message
    assert not Page.objects.exists()


def test_a_file_that_is_not_text_is_refused(tmp_path):
    path = tmp_path / "a.md"
    path.write_bytes(b"---\ntitle: \xff\n---\n")
    (refusal,) = bring_in([path]).refused
    assert refusal.line == 2
    assert "not UTF-8" in refusal.message


def test_a_file_with_many_unknown_keys_is_told_of_a_few(tmp_path):
    put(tmp_path, "a.md", "title: A\nslug: a\n" + "\n".join(f"key{number}: a" for number in range(5_000)))
    assert len(bring_in([tmp_path]).refused) == 10


def test_what_a_folder_holds_besides_files_is_refused_and_the_files_come_in(tmp_path):
    put(tmp_path, "in/essays/a.md", "title: A\nslug: a")
    folder = tmp_path / "in" / "essays"
    outside = put(tmp_path, "outside.md", "title: Outside\nslug: outside")
    (folder / "link.md").symlink_to(outside)
    (folder / "round").symlink_to(folder)
    (folder / "round.md").symlink_to("round.md")
    (tmp_path / "in" / "sources.yaml").symlink_to(outside)
    os.mkfifo(folder / "pipe.md")
    (folder / "folder.md").mkdir()
    put(folder, "folder.md/b.md", "title: B\nslug: b")
    report = bring_in([tmp_path / "in"])
    assert sorted(Page.objects.values_list("slug", flat=True)) == ["a", "b"]
    messages = {Path(refusal.path).name: refusal.message for refusal in report.refused}
    assert sorted(messages) == ["link.md", "pipe.md", "round", "round.md", "sources.yaml"]
    assert "links in a folder are not followed" in messages["link.md"]
    assert "no file that can be read to its end" in messages["pipe.md"]


@pytest.mark.parametrize("name", ["pipe", "/dev/zero"])
def test_a_pipe_or_a_device_is_not_read(tmp_path, name):
    os.mkfifo(tmp_path / "pipe")
    (refusal,) = bring_in([tmp_path / name]).refused
    assert "no file that can be read to its end" in refusal.message


@pytest.mark.parametrize("name", ["a" * 300, "nothing/a.md", "round"])
def test_a_path_that_leads_nowhere_is_told_in_a_sentence(tmp_path, name):
    (tmp_path / "round").symlink_to("round")
    (refusal,) = bring_in([tmp_path / name]).refused
    assert "the file cannot be read" in refusal.message
    with pytest.raises(CommandError, match="no such file or folder"):
        run("import", str(tmp_path / name))


@pytest.mark.parametrize(
    ("work", "line", "message"),
    [
        ("id: a\n  type: book\n  title: A\n  colour: red", 6, "“colour” is not known"),
        ("id: a\n  type: book\n  title: [A]", 6, "title: must be a text"),
        ("id: a\n  type: book\n  title: true", 6, "title: must be a text"),
        ('id: a\n  type: book\n  title: "A\\0"', 6, "title: must be a text"),
        ("id: a\n  type: book\n  title: A\n  year: .inf", 9, "“.inf” reads as a number"),
        ("id: a\n  type: book\n  title: A\n  year: 70000", 6, "year: must be a year such as 2009"),
        ("id: first\n  type: book\n  title: A", 6, "another work of this file has it"),
        ("type: book\n  title: A", 6, "a work without an id"),
        ("A", 6, "a work without an id"),
    ],
)
def test_a_work_that_is_refused_is_named_with_its_line(tmp_path, work, line, message):
    path = tmp_path / "sources.yaml"
    path.write_text(f"# id: a\nsources:\n- id: first\n  type: book\n  title: First\n- {work}\n")
    (refusal,) = bring_in([path]).refused
    assert refusal.line == line
    assert message in refusal.message
    assert not Source.objects.exclude(slug="first").exists()


@pytest.mark.parametrize("draft", [False, True])
def test_a_withdrawn_page_does_not_come_back_by_a_file(tmp_path, draft):
    article = published_article(title="A", slug="a", source="One.")
    withdraw(article, reason="It names people.")
    put(tmp_path, "essays/a.md", "slug: a\ntitle: B", "Two.")
    before = everything()
    (refusal,) = bring_in([tmp_path], draft=draft).refused
    assert everything() == before
    assert refusal.line == 2
    day = Page.objects.get().withdrawn_at.date().isoformat()
    assert refusal.message == (
        f"slug: the page that has it was withdrawn on {day}: It names people. "
        "Restore it in the admin first, or choose another slug."
    )


def test_seeding_leaves_withdrawn_pages_alone_and_says_so(tmp_path):
    put(tmp_path, "essays/a.md", "title: A\nslug: a", "One.")
    bring_in([tmp_path], seeding=True)
    withdraw(Page.objects.get(), reason="Wrong.")
    put(tmp_path, "essays/a.md", "title: A\nslug: a", "Two.")
    (kept,) = bring_in([tmp_path], seeding=True).kept
    assert "left alone, withdrawn on" in kept
    assert kept.endswith(": Wrong")
    assert Page.objects.get().status == "withdrawn"


def test_good_files_come_in_although_others_are_refused_but_not_those_that_need_them(tmp_path):
    put(tmp_path, "concepts/a.md", "title: A\nslug: a")
    put(tmp_path, "concepts/b.md", "title: B\nslug: b\nbroader: [c]")
    put(tmp_path, "concepts/c.md", "title: C\nslug: c\nlanguage: xx")
    put(tmp_path, "concepts/d.md", "title: D\nslug: d\nbroader: [b]")
    with pytest.raises(CommandError, match="3 problems"):
        run("import", str(tmp_path))
    assert list(Page.objects.values_list("slug", flat=True)) == ["a"]


def test_two_files_with_one_address_are_not_both_taken(tmp_path):
    put(tmp_path, "concepts/a.md", "title: A\nslug: a")
    put(tmp_path, "concepts/b.md", "title: B\nslug: a")
    assert "has this slug too" in bring_in([tmp_path]).refused[0].message


def test_importing_drafts_and_trying_first_publish_nothing(tmp_path):
    put(tmp_path, "essays/a.md", "title: A\nslug: a")
    run("import", str(tmp_path), dry_run=True)
    assert not Page.objects.exists()
    run("import", str(tmp_path), draft=True)
    assert Page.objects.get().status == "draft"
    assert not Section.objects.exists()


def test_importing_a_changed_file_makes_a_new_revision(tmp_path):
    article = published_article(title="A", slug="a", source="One.", published_at="2026-11-24T00:00:00Z")
    path = tmp_path / "a.md"
    path.write_text(markdown_file({**document_of(article), "source": "Two."}), encoding="utf-8")
    run("import", str(path))
    article.refresh_from_db()
    assert article.source == "Two."
    assert article.revisions.count() == 2


def test_an_export_never_writes_among_other_files(tmp_path):
    (tmp_path / "old.md").write_text("old")
    with pytest.raises(CommandError, match="not an empty folder"):
        run("export", str(tmp_path))


def test_every_page_of_an_export_has_a_file_of_its_own_on_any_file_system(tmp_path):
    slugs = ["readme", "peace", "Peace", "PEACE", "\uac00", "\u1100\u1161", "和" * 120]
    for slug in slugs:
        published_article(title="T", slug=slug)
    run("export", str(tmp_path / "out"))
    names = [path.name for path in (tmp_path / "out" / "essays").iterdir()]
    assert len({unicodedata.normalize("NFC", name).casefold() for name in names}) == len(slugs)
    Page.objects.all().delete()
    run("import", str(tmp_path / "out"))
    assert set(Page.objects.values_list("slug", flat=True)) == set(slugs)


def test_an_export_writes_over_nothing(tmp_path):
    published_article(title="A", slug="a")
    (tmp_path / "essays").mkdir()
    (tmp_path / "essays" / "a.md").symlink_to(tmp_path / "precious")
    with pytest.raises(FileExistsError):
        list(export(tmp_path))
    assert not (tmp_path / "precious").exists()


@pytest.mark.parametrize("name", ["link", "a.md/out", "a" * 300])
def test_an_export_to_where_no_folder_can_be_says_so(tmp_path, name):
    (tmp_path / "link").symlink_to(tmp_path / "link")
    (tmp_path / "a.md").write_text("A")
    with pytest.raises(CommandError, match="Name another folder"):
        run("export", str(tmp_path / name))


_PIECES = ["\n", ": ", " #", "'", '"', "---", "- ", "هدنة", "🕊", "\u2028", "\x85", "\ufeff", "*", "&", "yes", "1.0"]
_CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\x00\r")
_LINES = st.lists(st.sampled_from(_PIECES) | _CHARACTERS, min_size=1, max_size=30).map("".join)
_NAMES = _LINES.map(lambda text: " ".join(text.split())).filter(bool)


@hypothesis_settings(max_examples=100, deadline=None)
@given(
    title=_NAMES,
    summary=_NAMES,
    body=_LINES.map(lambda text: text.strip("\n")),
    authors=st.lists(_NAMES, max_size=3),
    labels=st.lists(_NAMES, max_size=3, unique=True),
    unlinked=st.lists(_NAMES, max_size=200),
)
def test_whatever_a_page_says_its_file_says_the_same(title, summary, body, authors, labels, unlinked):
    document = {
        "title": title,
        "slug": "a",
        "summary": summary,
        "authors": authors,
        "labels": [{"text": label, "language": "ar"} for label in labels],
        "unlinked": unlinked,
        "source": body,
    }
    document = {key: value for key, value in document.items() if value}
    text = markdown_file(document)
    file = read_file(text, path="a.md", folder="essays")
    assert file.document == document
    assert markdown_file(file.document) == text


def test_odd_texts_survive_an_export_and_an_import(tmp_path):
    published_concept(
        "yes", "null", "1.10", "2027-01-01", "'single' and \"double\": both", "- dash", "🕊 peace", "=", "<<",
        label_rows=[{"text": "هدنة: مؤقتة", "language": "ar"}], tags=["a, b", 'c "d"'], unlinked=["word"] * 400,
        summary="# no comment", source="---\ntitle: B\n---\n\nTrailing  \n\nspace \n🕊 [سلام](https://example.org)",
    )  # fmt: skip
    run("export", str(tmp_path / "one"))
    Page.objects.all().delete()
    run("import", str(tmp_path / "one"))
    run("export", str(tmp_path / "two"))
    assert files_below(tmp_path / "two") == files_below(tmp_path / "one")


@pytest.mark.parametrize(("encoding", "line_end"), [("utf-8-sig", "\n"), ("utf-8", "\r\n"), ("utf-8", "\r")])
def test_a_file_of_any_editor_says_the_same(tmp_path, encoding, line_end):
    path = tmp_path / "a.md"
    text = "---\ntitle: A\nslug: a\n---\n\nOne.\n\nTwo.\n"
    path.write_bytes(text.replace("\n", line_end).encode(encoding))
    assert bring_in([path]).refused == []
    assert Page.objects.get().source == "One.\n\nTwo."


def test_keys_without_a_value_are_no_values(tmp_path):
    put(tmp_path, "essays/a.md", "title: A\nslug: a\ntags:\nlabels:\nsummary:\nauthors:")
    assert bring_in([tmp_path]).refused == []
    assert Page.objects.get().summary == ""


def test_related_holds_both_ways_whichever_file_says_it(tmp_path):
    put(tmp_path, "concepts/a.md", "title: A\nslug: a\nrelated: [b]")
    put(tmp_path, "concepts/b.md", "title: B\nslug: b")
    bring_in([tmp_path])
    assert list(Concept.objects.get(slug="b").related.values_list("slug", flat=True)) == ["a"]


def test_a_draft_of_a_public_page_is_offered_and_readers_see_nothing_of_it(tmp_path):
    article = published_article(title="A", slug="a", source="One.", tags=["open"])
    put(tmp_path, "essays/a.md", "title: Secret\nslug: a\ntags: [hidden]", "Two.")
    run("import", str(tmp_path), draft=True)
    article.refresh_from_db()
    assert (article.title, list(article.tags.names())) == ("A", ["open"])
    assert article.revisions.get(state="draft").content["title"] == "Secret"


def test_seeding_leaves_alone_what_changed_without_a_revision_and_what_moved(tmp_path):
    put(tmp_path, "concepts/ceasefire.md", "title: Ceasefire\nslug: ceasefire\ntags: [old]", "One.")
    put(tmp_path, "concepts/truce.md", "title: Truce\nslug: truce", "One.")
    bring_in([tmp_path], seeding=True)
    Tag.objects.filter(name="old").update(name="new", slug="new")
    truce = Concept.objects.get(slug="truce")
    publish(write({**document_of(truce), "slug": "truce-pause", "title": "Pause"}, "concept", truce))
    put(tmp_path, "concepts/ceasefire.md", "title: Ceasefire\nslug: ceasefire\ntags: [old]", "Two.")
    report = bring_in([tmp_path], seeding=True)
    assert [line.rpartition(": ")[2] for line in report.kept] == [
        "left alone, its tags or relations were changed",
        "left alone, it is at /concepts/truce-pause/ now",
    ]
    assert Concept.objects.count() == 2


def test_a_file_in_another_order_and_form_says_the_same(tmp_path):
    published_article(title="A", slug="a", source="One.", tags=["b", "a"], published_at="2026-11-24T00:00:00Z")
    put(tmp_path, "essays/a.md", "published_at: 2026-11-24\nslug: a\ntags: [a, b]\ntitle: A", "One.")
    assert len(bring_in([tmp_path]).unchanged) == 1


def test_an_export_names_no_page_that_is_not_public(tmp_path):
    write({"title": "Secret", "slug": "secret"}, "concept")
    published_concept("Ceasefire", broader=["secret"])
    run("export", str(tmp_path / "out"))
    assert "secret" not in (tmp_path / "out" / "concepts" / "ceasefire.md").read_text()
