"""Editing: who may do what, and that readers see only what was published."""

import html
import re
import threading

import pytest
from axes.models import AccessAttempt
from django.contrib import admin
from django.contrib.auth.models import Group, Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from taggit.models import Tag

from peacekb import publishing
from peacekb.admin.safety import SafeAdmin
from peacekb.documents import document_of
from peacekb.models import (
    Actor,
    Article,
    Case,
    Claim,
    Concept,
    DismissedName,
    Event,
    Label,
    Mention,
    NameChange,
    Operation,
    Page,
    Revision,
    Role,
    SearchQuery,
    Source,
    Status,
    Task,
)
from peacekb.text import compose, worker
from peacekb.text.markdown_tree import TextRefused

from .factories import claim

pytestmark = pytest.mark.django_db

TOO_MANY_BRACKETS = "Fine.\n\n" + "[" * 700
KINDS = {model.KIND.value: model for model in (Article, Concept, Role, Task, Actor, Operation, Case)}
#: What pages of some kinds must say besides.
FACTS = {
    Actor: {"type": "state"},
    Operation: {"acronym": "UNX", "region": "africa", "start": "1998-02", "end": "2000-07"},
    Case: {"conflict": "A war", "region": "africa", "start_year": 1998, "result": "held"},
}


def person(name, *groups, staff=True):
    user = User.objects.create_user(name, password="a long enough password", is_staff=staff)
    user.groups.set(Group.objects.filter(name__in=groups))
    return user


def browser_of(user):
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def editor():
    return browser_of(person("hala", "Editors"))


@pytest.fixture
def publisher():
    return browser_of(person("paul", "Publishers"))


def labels(*rows):
    """Give the label rows of a form: dictionaries with `id` where the row is stored."""
    stored = sum("id" in row for row in rows)
    posted = {"labels-TOTAL_FORMS": len(rows), "labels-INITIAL_FORMS": stored, "labels-MIN_NUM_FORMS": 0}
    for place, row in enumerate(rows):
        for key, value in ({"language": "en", "kind": "alt"} | row).items():
            posted[f"labels-{place}-{key}"] = value
    return posted


def written(page=None, **changes):
    """Give what a browser posts from a form with these values."""
    posted = {
        "title": "The long talks",
        "slug": "the-long-talks",
        "language": "en",
        "standpoint": "essay",
        "authors": "A. Writer\r\nB. Writer",
        "summary": "Talks take time.",
        "source": "A mediator spoke.\r\n\r\nThen the guns fell silent.",
        "tags": "mediation, patience",
        "newest": 0,
        "note": "Written",
        **labels(),
    }
    if page is not None:
        newest = page.revisions.order_by("-number").first()
        posted |= {
            "title": page.title,
            "slug": page.slug,
            "source": page.source,
            "newest": newest.number if newest else 0,
        }
    return posted | changes


def form_of(page):
    return reverse(f"admin:peacekb_{page.kind}_change", args=[page.pk])


def said(response):
    return " ".join(str(message) for message in response.context["messages"])


def sent_by(response, button, *, untick=()):
    """What a browser sends from the page that asks when a button is pressed: name and value, `name=value`."""
    form = re.search(r'<form method="post"[^>]*class="links">(.*?)</form>', response.text, re.S)[1]
    posted: dict[str, list[str]] = {}
    for tag in re.findall(r"<input[^>]*>", form):
        attributes = {key: html.unescape(value) for key, value in re.findall(r'(\S+?)="([^"]*)"', tag)}
        kind, name, value = attributes["type"], attributes.get("name", ""), attributes.get("value", "")
        if name in ("", "csrfmiddlewaretoken") or kind == "submit" or (kind == "checkbox" and " checked" not in tag):
            continue
        if name != "_names_link" or value not in untick:
            posted.setdefault(name, []).append(value)
    name, _, value = button.partition("=")
    return {**posted, name: value or "pressed"}


def published(model=Article, title="The long talks", source="A text.", **values):
    facts = FACTS.get(model, {}) | values
    page = model.objects.create(title=title, slug=title.lower().replace(" ", "-"), source=source, **facts)
    publishing.publish(page)
    return page


# --- who may do what ---------------------------------------------------------------------------------------------


def test_groups_hold_what_editing_needs_and_nothing_else():
    def granted(name):
        return set(Permission.objects.filter(group__name=name).values_list("content_type__app_label", "codename"))

    editors, publishers = granted("Editors"), granted("Publishers")
    assert ("peacekb", "change_article") in editors
    assert ("peacekb", "publish_page") not in editors
    assert {app for app, _ in publishers} == {"peacekb", "taggit"}
    assert not any(codename.startswith("delete") for _, codename in editors)
    assert publishers - editors == {
        ("peacekb", "publish_page"),
        *(("peacekb", f"delete_{model}") for model in (*KINDS, "source", "event")),
        ("taggit", "delete_tag"),
    }


LISTS = [f"/admin/peacekb/{name}/" for name in (*KINDS, "event", "label", "source", "revision")]
LISTS.append("/admin/taggit/tag/")
FORMS = [f"/admin/peacekb/{name}/add/" for name in (*KINDS, "event", "source")]
FORBIDDEN = [
    "/admin/auth/user/",
    "/admin/auth/group/",
    "/admin/auth/user/add/",
    "/admin/axes/accessattempt/",
    "/admin/peacekb/label/add/",
    "/admin/peacekb/revision/add/",
]


@pytest.mark.parametrize("group", ["Editors", "Publishers"])
def test_both_groups_reach_the_lists_and_forms_and_neither_reaches_people(group):
    client = browser_of(person("somebody", group))
    for address in [*LISTS, *FORMS]:
        assert client.get(address).status_code == 200, address
    for address in FORBIDDEN:
        assert client.get(address).status_code == 403, address


def test_the_public_and_staff_without_a_group_reach_nothing(client):
    stranger = browser_of(person("reader", staff=False))
    member = browser_of(person("member"))
    for address in [*LISTS, *FORMS, *FORBIDDEN]:
        for browser in (client, stranger):
            response = browser.get(address)
            assert response.status_code == 302, address
            assert response.url.startswith("/admin/login/")
        assert member.get(address).status_code == 403, address


def test_only_publishers_withdraw_and_publish_versions(client, editor, publisher):
    page = published()
    version = page.revisions.get()
    withdraw = reverse("admin:peacekb_article_withdraw", args=[page.pk])
    publish = reverse("admin:peacekb_revision_publish", args=[version.pk])
    assert client.post(withdraw, {"reason": "x"}).status_code == 302
    assert editor.get(withdraw).status_code == 403
    assert editor.post(withdraw, {"reason": "x"}).status_code == 403
    assert editor.post(publish).status_code == 403
    assert publisher.get(withdraw).status_code == 200
    assert publisher.get(publish).status_code == 405
    page.refresh_from_db()
    assert page.status == Status.PUBLISHED


def test_only_publishers_see_the_button_that_publishes(editor, publisher):
    for page in (published(), Article.objects.create(title="Draft", slug="draft")):
        for_editor, for_publisher = editor.get(form_of(page)).text, publisher.get(form_of(page)).text
        assert 'name="_publish"' not in for_editor
        assert "/withdraw/" not in for_editor
        assert 'name="_publish"' in for_publisher
        assert ("/withdraw/" in for_publisher) == page.is_public
        assert ("/delete/" in for_publisher) == (not page.is_public)
        # The Enter key presses the first of a form's buttons.
        assert re.findall(r'<input type="submit"[^>]*name="(\w+)"', for_publisher) == ["_draft", "_publish"]


# --- drafts and publishing ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("button", ["_draft", "_publish", "_save", "_continue"])
def test_an_editor_s_new_essay_is_a_draft_whatever_is_pressed(editor, button):
    response = editor.post("/admin/peacekb/article/add/", written(**{button: "1"}), follow=True)
    essay = Article.objects.get()
    assert essay.status == Status.DRAFT
    assert response.redirect_chain[-1][0] == form_of(essay)
    assert "The draft is saved" in said(response)
    assert essay.authors == ["A. Writer", "B. Writer"]
    assert essay.source == "A mediator spoke.\n\nThen the guns fell silent."
    revision = essay.revisions.get()
    assert (revision.state, revision.editor_name, revision.note) == ("draft", "hala", "Written")
    assert revision.content["tags"] == ["mediation", "patience"]
    assert not essay.sections.exists()


def test_a_draft_is_found_nowhere_and_publishing_shows_links_and_quotes_it(client, publisher):
    mediator = published(Role, "Mediator", "Somebody who helps.")
    publisher.post("/admin/peacekb/article/add/", written(_draft="1"))
    essay = Article.objects.get()
    hidden = ["/articles/", "/search/?q=guns", "/tags/", "/roles/mediator/", "/"]
    for address in hidden:
        assert "The long talks" not in client.get(address).text, address
    for address in (essay.get_absolute_url(), "/tags/patience/"):
        assert client.get(address).status_code == 404, address
    assert "viewsitelink" not in publisher.get(form_of(essay)).text

    response = publisher.post(form_of(essay), written(essay, _publish="1"), follow=True)
    assert f'<a href="{essay.get_absolute_url()}">The long talks</a>” is published.' in said(response)
    assert "viewsitelink" in response.text
    assert 'href="/roles/mediator/"' in client.get(essay.get_absolute_url()).text
    assert "The long talks" in client.get("/search/?q=guns").text
    assert "The long talks" in client.get("/tags/patience/").text
    assert "spoke." in client.get("/roles/mediator/").text
    assert Mention.objects.filter(target=mediator, section__page=essay, linked=True).exists()


def test_publishing_a_new_role_says_how_many_links_appeared(publisher):
    essay = published(source="The envoy came.")
    posted = written(
        title="Envoy", slug="envoy", phases=["mediation", "ceasefire"], source="Somebody sent.", _publish="1"
    )
    asked = publisher.post("/admin/peacekb/role/add/", posted)
    response = publisher.post("/admin/peacekb/role/add/", sent_by(asked, "_names_confirmed"), follow=True)
    assert "1 link appeared" in said(response)
    envoy = Role.objects.get()
    assert document_of(envoy)["phases"] == ["mediation", "ceasefire"]
    assert Mention.objects.filter(section__page=essay, target=envoy, linked=True).exists()


def test_a_page_dated_in_the_future_is_announced_and_stays_hidden(client, publisher):
    posted = written(published_at_0="2099-01-02", published_at_1="10:00", _publish="1")
    response = publisher.post("/admin/peacekb/article/add/", posted, follow=True)
    assert "will be public from 2 January 2099, 10:00 UTC." in said(response)
    assert "Scheduled" in response.text
    assert client.get(Article.objects.get().get_absolute_url()).status_code == 404


def test_an_editor_s_change_of_a_published_page_is_a_draft_version_and_readers_see_the_old_text(
    client, editor, publisher
):
    essay = published(source="The old text.")
    essay.tags.add("kept")
    publishing.publish(essay)
    before = document_of(essay)
    posted = written(
        essay, source="A new text.", title="New title", tags="fresh", **labels({"text": "Talks"}), _draft="1"
    )
    response = editor.post(form_of(essay), posted, follow=True)
    assert "The change is kept as a draft" in said(response)
    assert document_of(Article.objects.get()) == before
    assert not Tag.objects.filter(name="fresh").exists()
    assert "The old text." in client.get(essay.get_absolute_url()).text
    draft = essay.revisions.first()
    assert (draft.state, draft.editor_name) == ("draft", "hala")
    assert draft.content["labels"] == [{"text": "Talks"}]
    link = reverse("admin:peacekb_revision_change", args=[draft.pk])
    assert link in response.text  # the form of the page says that there is a newer draft
    assert "A new text." in editor.get(link).text

    published_now = publisher.post(reverse("admin:peacekb_revision_publish", args=[draft.pk]), follow=True)
    assert "is published" in said(published_now)
    assert "A new text." in client.get(essay.get_absolute_url()).text
    changed = Article.objects.get()
    assert (changed.title, changed.revisions.count()) == ("New title", 4)


def test_a_publisher_too_can_keep_a_change_as_a_draft(client, publisher):
    essay = published(source="The old text.")
    publisher.post(form_of(essay), written(essay, source="A new text.", _draft="1"))
    assert "The old text." in client.get(essay.get_absolute_url()).text
    assert essay.revisions.first().content["source"] == "A new text."


def test_saving_without_a_change_makes_no_version(publisher):
    publisher.post("/admin/peacekb/article/add/", written(_publish="1"))
    essay = Article.objects.get()
    response = publisher.get(form_of(essay))
    form = response.context["adminform"].form
    posted = {**labels(), "newest": form.initial["newest"], "authors": "A. Writer\r\nB. Writer"}
    posted["published_at_0"], posted["published_at_1"] = (
        essay.published_at.strftime("%Y-%m-%d"),
        essay.published_at.strftime("%H:%M:%S"),
    )
    posted = written(essay) | posted
    for button in ("_draft", "_publish"):
        publisher.post(form_of(essay), posted | {button: "1"})
        assert essay.revisions.count() == 1


def test_a_published_page_keeps_its_date_when_the_field_is_emptied(publisher):
    essay = published()
    response = publisher.post(form_of(essay), written(essay, published_at_0="", published_at_1="", _publish="1"))
    assert response.status_code == 302
    assert Article.objects.get().published_at == essay.published_at


def test_selected_drafts_are_published_and_the_rest_is_left(publisher, editor):
    drafts = [Article.objects.create(title=f"Draft {n}", slug=f"draft-{n}", source="Text.") for n in range(2)]
    refused = Article.objects.create(title="Too much", slug="too-much", source=TOO_MANY_BRACKETS)
    withdrawn = published(title="Gone")
    publishing.withdraw(withdrawn, reason="Mistaken.")
    chosen = [page.pk for page in (*drafts, refused, withdrawn)]
    posted = {"action": "publish_selected", "_selected_action": chosen}
    editor.post("/admin/peacekb/article/", posted)
    assert not Page.objects.published().exists()
    response = publisher.post("/admin/peacekb/article/", posted, follow=True)
    assert "2 pages are published." in said(response)
    assert "“Too much” stays a draft. Line 3:" in said(response)
    assert "1 of the selected pages were left" in said(response)
    assert Page.objects.published().count() == 2


# --- refused texts -----------------------------------------------------------------------------------------------


def test_a_refused_text_of_a_new_page_is_kept_as_a_draft(publisher):
    posted = written(source=TOO_MANY_BRACKETS, _publish="1")
    response = publisher.post("/admin/peacekb/article/add/", posted, follow=True)
    essay = Article.objects.get()
    assert (essay.status, essay.published_at, essay.source) == (Status.DRAFT, None, TOO_MANY_BRACKETS)
    assert "saved as a draft but not published. Line 3: this paragraph holds" in said(response)
    assert TOO_MANY_BRACKETS in response.text
    assert essay.revisions.get().state == "draft"
    assert set(essay.tags.names()) == {"mediation", "patience"}


def test_a_refused_change_of_a_published_page_is_kept_and_stays_on_the_screen(client, publisher):
    essay = published(source="The old text.")
    posted = written(essay, source=TOO_MANY_BRACKETS, title="New title", _publish="1", **labels({"text": "Talks"}))
    response = publisher.post(form_of(essay), posted)
    assert response.status_code == 200
    assert response.context["adminform"].form.errors["source"][0].startswith("Line 3: this paragraph holds")
    assert TOO_MANY_BRACKETS in response.text
    assert 'value="New title"' in response.text
    assert 'value="Talks"' in response.text
    draft = essay.revisions.first()
    assert (draft.state, draft.content["source"]) == ("draft", TOO_MANY_BRACKETS)
    assert reverse("admin:peacekb_revision_change", args=[draft.pk]) in said(response)
    assert "The old text." in client.get(essay.get_absolute_url()).text
    assert not essay.labels.exists()

    again = publisher.post(reverse("admin:peacekb_revision_publish", args=[draft.pk]), follow=True)
    assert "is not published. Line 3" in said(again)

    corrected = posted | {
        "source": "A short text.",
        "newest": re.search(r'name="newest" value="(\d+)"', response.text)[1],
    }
    assert publisher.post(form_of(essay), corrected).status_code == 302
    assert "A short text." in client.get(essay.get_absolute_url()).text
    assert essay.labels.get().text == "Talks"


def test_a_text_that_takes_too_long_is_kept_too(publisher, monkeypatch):
    def never_ready(source, seconds=worker.SECONDS):
        raise TextRefused("the text could not be rendered within 3 seconds.", 7)

    monkeypatch.setattr(compose, "parse_within", never_ready)
    response = publisher.post("/admin/peacekb/article/add/", written(_publish="1"), follow=True)
    assert "Line 7" in said(response)
    assert Article.objects.get().status == Status.DRAFT


@pytest.mark.parametrize("is_published", [True, False])
def test_a_draft_with_a_text_that_cannot_be_published_is_kept_and_says_so(editor, is_published):
    essay = published() if is_published else Article.objects.create(title="Draft", slug="draft")
    response = editor.post(form_of(essay), written(essay, source=TOO_MANY_BRACKETS, _draft="1"), follow=True)
    assert "The text is kept but cannot be published yet. Line 3: this paragraph holds" in said(response)
    assert essay.revisions.first().content["source"] == TOO_MANY_BRACKETS
    essay.refresh_from_db()
    assert essay.source == ("A text." if is_published else TOO_MANY_BRACKETS)


def test_an_empty_text_is_a_draft_and_is_never_published(publisher):
    response = publisher.post("/admin/peacekb/article/add/", written(source=" \r\n", _publish="1"))
    assert response.context["adminform"].form.errors == {"source": ["Write the text before publishing."]}
    assert "One field needs a change." in response.text
    assert '<a href="#id_source">Text</a>: Write the text before publishing.' in response.text
    assert "correct the error" not in response.text
    response = publisher.post("/admin/peacekb/article/add/", written(source="", slug="Ä b", _publish="1"))
    assert "2 fields need a change." in response.text
    assert "Use letters, digits and hyphens only." in response.text

    publisher.post("/admin/peacekb/article/add/", written(source="", _draft="1"))
    essay = Article.objects.get()
    chosen = {"action": "publish_selected", "_selected_action": [essay.pk]}
    assert "Write the text before publishing." in said(publisher.post("/admin/peacekb/article/", chosen, follow=True))
    version = reverse("admin:peacekb_revision_publish", args=[essay.revisions.get().pk])
    assert "Write the text before publishing." in said(publisher.post(version, follow=True))
    assert not Page.objects.published().exists()


@pytest.mark.parametrize("button", ["_draft", "_publish"])
def test_a_summary_is_too_long_for_a_draft_too(publisher, button):
    response = publisher.post("/admin/peacekb/article/add/", written(summary="a" * 201, **{button: "1"}))
    assert "Summary must be 200 characters or fewer; it has 201." in response.text
    assert not Article.objects.exists()


def test_written_links_that_match_no_page_are_named(publisher):
    published(Role, "Mediator", "Somebody who helps.")
    posted = written(source="A [[mediator]] and a [[Nonexistent thing]].", _publish="1")
    response = publisher.post("/admin/peacekb/article/add/", posted, follow=True)
    assert "[[Nonexistent thing]] matches no page yet: readers see plain words." in said(response)
    assert "[[mediator]]" not in said(response)

    essay = Article.objects.get()
    many = " ".join(f"[[Missing {number}]]" for number in range(7))
    response = publisher.post(form_of(essay), written(essay, source=many, _publish="1"), follow=True)
    assert "[[Missing 3]], [[Missing 4]] and 2 more match no page yet: readers see plain words." in said(response)
    first = reverse("admin:peacekb_revision_publish", args=[essay.revisions.last().pk])
    assert "[[Nonexistent thing]] matches no page yet" in said(publisher.post(first, follow=True))


# --- drafts that wait --------------------------------------------------------------------------------------------


def open_drafts_in(response):
    return [draft.number for draft in response.context["open_drafts"]]


def test_all_drafts_of_a_published_page_are_listed_until_they_are_published(editor, publisher):
    essay = Article.objects.create(title="The long talks", slug="the-long-talks", source="First.")
    publishing.save_draft(essay)
    publishing.publish(essay)
    assert open_drafts_in(editor.get(form_of(essay))) == []
    for text in ("Second.", "Third."):
        editor.post(form_of(essay), written(essay, source=text, _draft="1"))
    publisher.post(form_of(essay), written(essay, source="Fourth.", _draft="1"))
    response = publisher.get(form_of(essay))
    assert open_drafts_in(response) == [3, 4, 5]
    assert "3 drafts of changes are not published:" in response.text

    publish = reverse("admin:peacekb_revision_publish", args=[essay.revisions.get(number=4).pk])
    response = publisher.post(publish, follow=True)
    assert "Version 4 is published as version 6." in said(response)
    assert open_drafts_in(response) == [3, 5]
    assert "says what is published already" in said(publisher.post(publish, follow=True))


def test_a_draft_is_done_with_once_its_editor_publishes_a_corrected_text(editor, publisher):
    essay = published()
    editor.post(form_of(essay), written(essay, source="Hala's text.", _draft="1"))
    publisher.post(form_of(essay), written(essay, source=TOO_MANY_BRACKETS, _publish="1"))
    response = publisher.post(form_of(essay), written(essay, source="Corrected.", _publish="1"), follow=True)
    assert open_drafts_in(response) == [2]
    essay.refresh_from_db()
    publishing.withdraw(essay, reason="It names a person.")
    shown = publisher.get(form_of(essay))
    assert open_drafts_in(shown) == [2]
    assert ".." not in re.search(r"<p class=\"state\">Readers see.*</p>", shown.text)[0]


# --- two at once -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_published", [True, False])
def test_a_save_by_somebody_else_is_not_overwritten_unseen(editor, publisher, is_published):
    publisher.post("/admin/peacekb/article/add/", written(**{"_publish" if is_published else "_draft": "1"}))
    essay = Article.objects.get()
    opened = written(essay)
    editor.post(form_of(essay), opened | {"source": "Hala's text.", "_draft": "1"})
    response = publisher.post(form_of(essay), opened | {"source": "Paul's text.", "_publish": "1"})
    assert response.status_code == 200
    error = response.context["adminform"].form.non_field_errors()[0]
    assert error.startswith("hala saved this page on ")
    assert "version 2 holds" in error
    assert "Paul&#x27;s text." in response.text
    assert essay.revisions.count() == 2

    number = re.search(r'name="newest" value="(\d+)"', response.text)[1]
    assert number == "2"
    response = publisher.post(form_of(essay), opened | {"source": "Paul's text.", "_publish": "1", "newest": number})
    assert response.status_code == 302
    assert Article.objects.get().source == "Paul's text."
    assert [revision.editor_name for revision in essay.revisions.all()] == ["paul", "hala", "paul"]


@pytest.mark.parametrize("garbled", ["", "x", "-1", "9" * 40, "2\x00"])
def test_a_form_without_its_number_overwrites_nothing(publisher, garbled):
    essay = published()
    response = publisher.post(form_of(essay), written(essay, source="Other.", newest=garbled, _publish="1"))
    assert response.status_code == 200
    assert Article.objects.get().source == "A text."


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_of_several_who_press_at_the_same_moment_one_saves_and_the_others_are_told():
    chief = User.objects.create_superuser("chief", password="a long enough password")
    essay = published()
    answers = []

    def press(address, posted):
        answers.append(browser_of(chief).post(address, posted).status_code)
        connection.close()

    for address, posted in (
        (form_of(essay), written(essay, source="Changed.", _publish="1")),
        ("/admin/peacekb/article/add/", written(slug="the-same", _draft="1")),
    ):
        answers.clear()
        threads = [threading.Thread(target=press, args=(address, posted)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(answers) == [200, 200, 302]
    assert essay.revisions.count() == 2


# --- withdrawing and deleting ------------------------------------------------------------------------------------


def test_a_page_is_withdrawn_with_a_public_reason_and_published_again(client, publisher):
    mediator = published(Role, "Mediator", "Somebody who helps.")
    essay = published(source="A mediator spoke.")
    withdraw = reverse("admin:peacekb_role_withdraw", args=[mediator.pk])
    page = publisher.get(withdraw).text
    assert "1 page links to it" in page
    assert form_of(essay) in page
    assert "Enter the reason" in publisher.post(withdraw, {"reason": " "}).text
    response = publisher.post(withdraw, {"reason": "It names\na person."}, follow=True)
    assert "1 other page was linked again." in said(response)
    assert "It names a person." in response.text
    mediator.refresh_from_db()
    assert (mediator.status, mediator.withdrawn_reason) == (Status.WITHDRAWN, "It names a person.")
    assert client.get("/roles/mediator/").status_code in (404, 410)
    assert "/roles/mediator/" not in client.get(essay.get_absolute_url()).text
    assert publisher.get(withdraw).status_code == 302

    asked = publisher.post(form_of(mediator), written(mediator, _publish="1"))
    publisher.post(form_of(mediator), sent_by(asked, "_names_confirmed"))
    mediator.refresh_from_db()
    assert (mediator.status, mediator.withdrawn_reason) == (Status.PUBLISHED, "")
    assert "/roles/mediator/" in client.get(essay.get_absolute_url()).text


@pytest.mark.parametrize("button", ["_draft", "_save", "_publish"])
def test_an_editor_s_change_of_a_withdrawn_page_is_a_draft_version(client, editor, publisher, button):
    essay = published(source="The old text.")
    essay.tags.add("kept")
    publishing.publish(essay)
    publishing.withdraw(essay, reason="Mistaken.")
    before = document_of(Article.objects.get())
    rows = labels({"text": "Talks"})
    posted = written(essay, slug="elsewhere", source="Better.", tags="fresh", published_at_0="2001-01-01", **rows)
    response = editor.post(form_of(essay), posted | {"published_at_1": "10:00", button: "1"}, follow=True)
    assert "The page stays withdrawn until somebody publishes it." in said(response)
    assert "This form shows the page as it was withdrawn." in response.text
    assert document_of(Article.objects.get()) == before
    assert client.get(essay.get_absolute_url()).status_code == 410
    draft = essay.revisions.first()
    assert (draft.state, draft.content["source"]) == ("draft", "Better.")
    assert open_drafts_in(response) == [draft.number]

    publisher.post(reverse("admin:peacekb_revision_publish", args=[draft.pk]))
    essay.refresh_from_db()
    assert (essay.status, essay.slug, essay.source) == (Status.PUBLISHED, "elsewhere", "Better.")
    assert open_drafts_in(publisher.get(form_of(essay))) == []


def test_a_withdrawn_page_stays_as_it_was_where_its_new_text_is_refused(publisher):
    essay = published(source="The old text.")
    publishing.withdraw(essay, reason="Mistaken.")
    response = publisher.post(form_of(essay), written(essay, source=TOO_MANY_BRACKETS, _publish="1"))
    assert response.status_code == 200
    assert "The change is not published; the page stays withdrawn." in said(response)
    essay.refresh_from_db()
    assert (essay.status, essay.source) == (Status.WITHDRAWN, "The old text.")
    assert essay.revisions.first().content["source"] == TOO_MANY_BRACKETS


def test_drafts_are_deleted_by_publishers_and_published_pages_by_nobody(editor, publisher):
    publisher.post("/admin/peacekb/role/add/", written(_draft="1", **labels({"text": "Talker"})))
    draft = Role.objects.get()
    shown = published()
    withdrawn = published(title="Gone")
    publishing.withdraw(withdrawn, reason="Mistaken.")

    def delete(client, page):
        return client.post(f"/admin/peacekb/{page.kind}/{page.pk}/delete/", {"post": "yes"}).status_code

    assert delete(editor, draft) == 403
    assert delete(publisher, shown) == 403
    assert delete(publisher, withdrawn) == 403
    assert delete(publisher, draft) == 302
    assert set(Page.objects.values_list("title", flat=True)) == {"The long talks", "Gone"}
    assert "delete_selected" not in publisher.get("/admin/peacekb/article/").text


def test_a_source_or_tag_in_use_is_not_deleted(publisher):
    essay = published()
    essay.tags.add("used")
    source = Source.objects.create(slug="un-charter", title="Charter", type="treaty")
    essay.sources.add(source)
    for address, row in (
        (f"/admin/peacekb/source/{source.pk}/delete/", source),
        (f"/admin/taggit/tag/{Tag.objects.get().pk}/delete/", Tag.objects.get()),
    ):
        response = publisher.post(address, {"post": "yes"})
        assert response.status_code == 200
        assert "uses it" in response.text
        assert type(row).objects.filter(pk=row.pk).exists()
        chosen = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
        assert "uses it" in publisher.post(address.replace(f"{row.pk}/delete/", ""), chosen).text
        assert type(row).objects.filter(pk=row.pk).exists()
    unused = Tag.objects.create(name="unused")
    publisher.post(f"/admin/taggit/tag/{unused.pk}/delete/", {"post": "yes"})
    assert not Tag.objects.filter(name="unused").exists()


def test_a_renamed_tag_is_found_under_its_new_name(client, editor):
    essay = published()
    essay.tags.add("ddr")
    publishing.publish(essay)
    tag = Tag.objects.get()
    editor.post(f"/admin/taggit/tag/{tag.pk}/change/", {"name": "disarmament", "slug": "disarmament"})
    assert "The long talks" in client.get("/search/?q=disarmament").text
    assert "The long talks" in client.get("/tags/disarmament/").text
    response = editor.post("/admin/taggit/tag/add/", {"name": "Disarmament", "slug": "d2"})
    assert "exists already" in response.text


# --- labels ------------------------------------------------------------------------------------------------------


def test_the_title_is_the_preferred_name_and_is_not_asked_twice(publisher):
    truce = published(Concept, "Truce", "No shots.")
    assert truce.labels.get().kind == "pref"
    response = publisher.get(form_of(truce))
    assert response.context["inline_admin_formsets"][0].formset.initial_form_count() == 0
    new = written(title="Lull", slug="lull", **labels({"text": "Break"}, {"text": "Break"}))
    assert "A name stands here twice" in publisher.post("/admin/peacekb/concept/add/", new).text
    for rows, message in (
        ([{"text": "Truce"}], "This is the title"),
        ([{"text": "Lull", "kind": "pref"}], "its title"),
        ([{"text": "Lull"}, {"text": "Lull"}], "A name stands here twice"),
        (
            [{"text": "Trêve", "language": "fr", "kind": "pref"}, {"text": "Pause", "language": "fr", "kind": "pref"}],
            "one preferred",
        ),
        ([{"text": "Lull", "language": "English"}], "Choose a language from the list."),
    ):
        response = publisher.post(form_of(truce), written(truce, _publish="1", **labels(*rows)))
        assert response.status_code == 200
        assert message in response.text
    rows = [
        {"text": "Lull"},
        {"text": "Trêve", "language": "fr", "kind": "pref"},
        {"text": "DDR", "case_sensitive": "on"},
    ]
    assert publisher.post(form_of(truce), written(truce, _publish="1", **labels(*rows))).status_code == 302
    assert set(truce.labels.values_list("text", "kind")) == {
        ("Truce", "pref"),
        ("Lull", "alt"),
        ("Trêve", "pref"),
        ("DDR", "alt"),
    }


@pytest.mark.parametrize("stored", [[], ["Ceasefire"]])
@pytest.mark.parametrize("button", ["_publish", "_draft"])
def test_a_page_is_renamed_and_its_old_title_kept_as_a_name(publisher, stored, button):
    truce = Concept.objects.create(title="Truce", slug="truce", source="No shots.")
    for text in stored:
        truce.labels.create(text=text)
    if button == "_publish":
        publishing.publish(truce)
    else:
        publishing.save_draft(truce)
    rows = [{"text": label.text, "id": label.pk} for label in truce.labels.filter(kind="alt")]
    rows.append({"text": "Truce", "ambiguous": "on"})
    posted = written(truce, title="Ceasefire", **{button: "1"}, **labels(*rows))
    assert publisher.post(form_of(truce), posted).status_code == 302
    names = set(truce.labels.values_list("text", "kind", "ambiguous"))
    assert names == {("Ceasefire", "pref", False), ("Truce", "alt", True)}


def test_an_editor_takes_a_name_away(editor):
    truce = Concept.objects.create(title="Truce", slug="truce")
    publishing.save_draft(truce)
    lull = truce.labels.create(text="Lull")
    editor.post(form_of(truce), written(truce, _draft="1", **labels({"text": "Lull", "id": lull.pk, "DELETE": "on"})))
    assert set(truce.labels.values_list("text", flat=True)) == {"Truce"}


def test_the_list_of_labels_leads_to_their_pages_and_changes_nothing(editor):
    truce = published(Concept, "Truce", "No shots.")
    label = truce.labels.create(text="Lull", ambiguous=True)
    shown = editor.get("/admin/peacekb/label/?ambiguous__exact=1").text
    assert form_of(truce) in shown
    assert "Lull" in shown
    assert editor.post(f"/admin/peacekb/label/{label.pk}/change/", {"text": "x"}).status_code == 403


@pytest.mark.parametrize("place", ["title", "label"])
@pytest.mark.parametrize(
    ("name", "doubt"),
    [
        ("mediators", None),
        ("mediator", "“mediator” already names the role Mediator. Texts would link neither."),
        ("Of", "“Of” is a very common word: texts would link it wherever it stands."),
    ],
)
def test_a_name_that_would_link_badly_needs_a_second_press(publisher, place, name, doubt):
    published(Role, "Mediator", "Somebody who helps.")

    def posted(seen=""):
        if place == "title":
            return written(title=name, doubted=seen, _publish="1")
        return written(title="Go-between", _publish="1", **labels({"text": name, "doubted": seen}))

    response = publisher.post("/admin/peacekb/concept/add/", posted())
    if doubt is not None:
        assert response.status_code == 200
        assert f"{doubt} Press the button again to keep it." in response.text
        assert not Concept.objects.exists()
        seen = re.search(r'<input type="hidden" name="(?:labels-0-)?doubted" value="([^"]+)"', response.text)[1]
        response = publisher.post("/admin/peacekb/concept/add/", posted(seen))
    assert response.status_code == 302
    concept = Concept.objects.get()
    assert concept.labels.filter(text=name).exists()
    # What is stored is not asked about again.
    rows = [{"text": label.text, "id": label.pk} for label in concept.labels.filter(kind="alt")]
    assert publisher.post(form_of(concept), written(concept, _publish="1", **labels(*rows))).status_code == 302


def test_names_that_cannot_be_confused_are_not_asked_about(publisher):
    who = published(Role, "World Health Organization", "It heals.")
    who.labels.create(text="MEDIATE", case_sensitive=True)
    rows = [
        {"text": "WHO", "case_sensitive": "on"},
        {"text": "after", "ambiguous": "on"},
        {"text": "World Health Organization", "language": "fr"},
        {"text": "Mediate", "case_sensitive": "on"},
        {"text": "in", "language": "fr"},
    ]
    assert publisher.post("/admin/peacekb/role/add/", written(_publish="1", **labels(*rows))).status_code == 302


def test_a_language_that_the_list_does_not_offer_is_kept(publisher):
    truce = published(Concept, "Truce", "No shots.")
    label = truce.labels.create(text="Tregua", language="es")
    posted = written(truce, _publish="1", **labels({"text": "Tregua", "language": "es", "id": label.pk}))
    assert publisher.post(form_of(truce), posted).status_code == 302
    assert truce.labels.get(language="es").text == "Tregua"


# --- phases, relations -------------------------------------------------------------------------------------------


def test_phases_keep_the_order_in_which_they_were_written(publisher):
    truce = Concept.objects.create(title="Truce", slug="truce")
    for phase in ("ceasefire", "prevention"):
        truce.phase_set.create(phase=phase)
    publisher.post(form_of(truce), written(truce, phases=["prevention", "ceasefire"], _draft="1"))
    assert document_of(truce)["phases"] == ["ceasefire", "prevention"]
    publisher.post(form_of(truce), written(truce, newest=1, phases=["mediation"], _draft="1"))
    assert document_of(truce)["phases"] == ["mediation"]


def test_a_task_has_one_phase_and_its_concepts(publisher):
    truce = published(Concept, "Truce", "No shots.")
    posted = written(title="Watching", slug="watching", phase="ceasefire", pillar="security", concepts=[truce.pk])
    publisher.post("/admin/peacekb/task/add/", posted | {"_publish": "1"})
    document = document_of(Task.objects.get())
    assert (document["phase"], document["pillar"], document["concepts"]) == ("ceasefire", "security", ["truce"])


def test_a_concept_is_not_joined_to_itself(publisher):
    truce = published(Concept, "Truce", "No shots.")
    response = publisher.post(form_of(truce), written(truce, broader=[truce.pk], _publish="1"))
    assert "cannot be joined to itself" in response.text


def test_an_address_in_use_is_refused_within_a_kind_only(publisher):
    concept = published(Concept, "The long talks")
    published()
    publishing.withdraw(concept)  # its name is free again, its address is not
    response = publisher.post("/admin/peacekb/article/add/", written(_draft="1"))
    assert "Another article has the address “the-long-talks”. Choose another one." in response.text
    posted = written(title="The long talks", _draft="1")
    assert publisher.post("/admin/peacekb/role/add/", posted).status_code == 302


# --- hostile input -----------------------------------------------------------------------------------------------

HOSTILE = ["\x00", "\ufffe\u202e\x07<script>alert(1)</script>' OR 1=1 --", "9" * 400]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_no_field_answers_500(publisher, hostile):
    essay = published()
    for field in (
        *("title", "slug", "language", "standpoint", "authors", "summary", "source", "tags", "sources", "unlinked"),
        *(
            "published_at_0",
            "published_at_1",
            "review_by",
            "verified",
            "verified_url",
            "translation_of",
            "note",
            "newest",
        ),
    ):
        for address, posted in (
            ("/admin/peacekb/article/add/", written(_draft="1")),
            (form_of(essay), written(essay, _publish="1")),
        ):
            response = publisher.post(address, posted | {field: f"a{hostile}"})
            assert response.status_code in (200, 302), field
            assert "<script>alert" not in response.text
    for field in ("text", "language", "kind"):
        posted = written(**labels({"text": "x", field: hostile}), _publish="1")
        assert publisher.post("/admin/peacekb/article/add/", posted).status_code in (200, 302)


def test_lone_surrogates_and_nul_bytes_in_a_body_are_cleaned_or_refused(publisher):
    encoded = "&".join(f"{key}={value}" for key, value in written(_draft="1", note="").items()).replace(
        "\r\n", "%0D%0A"
    )
    for bytes_of in ("%ED%A0%80", "%00", "%FF"):
        body = encoded.replace("A mediator", f"A{bytes_of}mediator").replace(
            "the-long-talks", f"talks{bytes_of[1:3].lower()}"
        )
        response = publisher.post("/admin/peacekb/article/add/", body, content_type="application/x-www-form-urlencoded")
        assert response.status_code == 302
    for essay in Article.objects.all():
        assert "\ufffd" in essay.source
        assert "\x00" not in essay.source


@pytest.mark.parametrize("hostile", ["%00", "%ED%A0%80", "x", "9" * 40, "-1", "'"])
def test_no_address_answers_500(publisher, hostile):
    published()
    for query in (
        "q",
        "status__exact",
        "tag",
        "language__exact",
        "o",
        "p",
        "published_at__year",
        "labels__text",
        "all",
    ):
        assert publisher.get(f"/admin/peacekb/article/?{query}={hostile}").status_code in (200, 302, 400), query
    for query in ("page__id__exact", "state__exact", "page__kind__exact", "q"):
        assert publisher.get(f"/admin/peacekb/revision/?{query}={hostile}").status_code in (200, 302, 400), query
    for name in ("article", "concept", "role", "task", "label", "source", "revision"):
        for deed in ("change", "delete", "history", "withdraw"):
            answer = publisher.get(f"/admin/peacekb/{name}/{hostile}/{deed}/")
            assert answer.status_code in (302, 403, 404), (name, deed)
    for field in ("title", "translation_of", "sources", "published_at"):
        assert publisher.get(f"/admin/peacekb/article/add/?{field}={hostile}").status_code == 200
    assert publisher.get(f"/admin/r/{hostile}/{hostile}/").status_code == 404
    autocomplete = "/admin/autocomplete/?app_label=peacekb&model_name=article&field_name=translation_of"
    assert publisher.get(f"{autocomplete}&term={hostile}").status_code == 200
    assert publisher.get(f"{autocomplete}&term=x&page={hostile}").status_code in (200, 404)


def test_a_form_of_an_ended_session_says_that_nothing_is_lost():
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(person("hala", "Editors"))
    response = browser.post("/admin/peacekb/article/add/", written(_draft="1"))
    assert response.status_code == 403
    assert "<h1>The page could not be saved</h1>" in response.text
    assert "Go back: your text is still in the form." in response.text
    assert "css/site.css" in response.text


def test_long_tags_and_tags_without_a_word_are_refused(publisher):
    for tags in ("a" * 91, "!!!", "fine, ???"):
        response = publisher.post("/admin/peacekb/article/add/", written(tags=tags, _publish="1"))
        assert response.status_code == 200
        assert response.context["adminform"].form.errors["tags"]


def test_what_the_form_keeps_can_always_be_published_from_its_version(publisher):
    essay = published()
    posted = written(
        essay,
        summary="Two\r\nlines.",
        title="Two\tspaces  here",
        authors="A\r\n\r\n  B  C\r\n",
        unlinked="mandate\r\n\r\nforce",
        tags='"Sierra Leone", ddr',
        note="Why\nnot",
        _draft="1",
    )
    publisher.post(form_of(essay), posted)
    draft = essay.revisions.first()
    assert draft.note == "Why not"
    response = publisher.post(reverse("admin:peacekb_revision_publish", args=[draft.pk]), follow=True)
    assert "is published" in said(response)
    essay.refresh_from_db()
    assert (essay.summary, essay.authors, essay.unlinked) == ("Two lines.", ["A", "B C"], ["mandate", "force"])
    assert set(essay.tags.names()) == {"Sierra Leone", "ddr"}


def test_a_version_whose_address_was_taken_is_not_published_and_says_so(publisher):
    essay = published()
    old = essay.revisions.get()
    Article.objects.filter(pk=essay.pk).update(slug="moved")
    published()
    response = publisher.post(reverse("admin:peacekb_revision_publish", args=[old.pk]), follow=True)
    assert "is not published" in said(response)
    essay.refresh_from_db()
    assert essay.slug == "moved"


# --- every list and every form, whoever wrote the address --------------------------------------------------------

# What a column, a date or an engine cannot hold. Longer ones stop at the server, which takes lines of 4 KB.
UNFIT = ["%00", "x", "9" * 25, "0", "9999"]
REGISTERED = sorted(admin.site._registry, key=lambda model: model._meta.label)


def unharmed(browser, address, posted=None):
    """Give the status of an answer; an exception in the view is raised here."""
    response = browser.get(address) if posted is None else browser.post(address, posted)
    assert response.status_code < 500, address
    return response.status_code


@pytest.fixture
def chief(django_user_model):
    return browser_of(django_user_model.objects.create_superuser("chief", password="a long enough password"))


def a_row_of(model):
    """Give a row of any registered model."""
    made = {
        Revision: lambda: published(title="Versions").revisions.get(),
        Label: lambda: published(Concept, "Truce", "No shots.").labels.get(),
        Source: lambda: Source.objects.create(slug="charter", title="Charter", type="treaty"),
        Claim: lambda: claim(published(title="Claiming", source="So it is."), "So it is."),
        Page: lambda: published(title="Any page"),
        Tag: lambda: Tag.objects.create(name="patience"),
        User: lambda: person("somebody", "Editors"),
        Group: lambda: Group.objects.first(),
        Mention: lambda: published(title="Waiting", source="[[No page]]").sections.get().mentions.get(),
        DismissedName: lambda: DismissedName.objects.create(page=published(title="Dismissing"), key="x", text="x"),
        Event: lambda: Event.objects.create(
            slug="x", date="2000", title="X", text="X.", source=Source.objects.create(slug="x", title="X", type="book")
        ),
        NameChange: lambda: NameChange.objects.create(deed="names", summary="A change", state="done"),
        SearchQuery: lambda: SearchQuery.objects.create(
            words="x", text="x", first_day="2026-11-24", last_day="2026-11-24"
        ),
    }
    if model in KINDS.values():
        return published(model, f"A {model.__name__}")
    seen = {"ip_address": "127.0.0.1", "username": "hala", "path_info": "/admin/login/", "user_agent": "x"}
    if model is AccessAttempt:
        return model.objects.create(**seen, failures_since_start=1)
    return made[model]() if model in made else model.objects.create(**seen)


def folder_of(model):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def filters_of(model):
    """Give the filters beside the list of a model: the fields, and the parameters that are no fields."""
    filters = [
        each if isinstance(each, str | type) else each[0] for each in admin.site.get_model_admin(model).list_filter
    ]
    fields = [each for each in filters if isinstance(each, str)]
    return fields, [each.parameter_name for each in filters if not isinstance(each, str)]


def test_every_admin_is_a_safe_one():
    assert all(isinstance(each, SafeAdmin) for each in admin.site._registry.values())


@pytest.mark.parametrize("model", REGISTERED, ids=str)
def test_a_list_takes_no_lookup_but_those_of_its_filters(chief, model):
    a_row_of(model)
    fields, parameters = filters_of(model)
    own = [field.name for field in model._meta.fields][:2]
    for field in {*fields, *own, "page__title", "page__source", "editor__password", "user__password"}:
        for lookup in ("regex", "iregex", "in"):
            assert unharmed(chief, f"{folder_of(model)}?{field}__{lookup}=(.*)*X{{9}}") == 400, (field, lookup)
    asked = [*parameters, *(f"{field}{part}" for field in fields for part in ("", "__exact", "__isnull", "__gte"))]
    asked += [f"{admin.site.get_model_admin(model).date_hierarchy}__{part}" for part in ("year", "month", "day")]
    asked += [
        "q",
        "o",
        "p",
        "all",
        "e",
        "_facets",
        "_popup",
        "_to_field",
        "_changelist_filters",
        "pk",
        "id",
        "id__exact",
    ]
    asked += [f"{field}__id__exact" for field in (*fields, "page")]
    for lookup in asked:
        for value in UNFIT if "__" in lookup else ("x", "9" * 25):
            unharmed(chief, f"{folder_of(model)}?{lookup}={value}")


def test_the_filters_beside_the_lists_answer(chief):
    for model in REGISTERED:
        a_row_of(model)
    for model in REGISTERED:
        shown = chief.get(folder_of(model))
        links = re.findall(r'href="(\?[^"]+)"', shown.text)
        assert links or not filters_of(model)[0], model
        for link in links:
            assert unharmed(chief, folder_of(model) + html.unescape(link)) == 200, link


def test_a_date_that_is_none_leads_back_to_the_list(chief):
    essay = published()
    of = "/admin/peacekb/article/?published_at__year={}&published_at__month={}&published_at__day={}"
    day = essay.published_at
    assert "The long talks" in chief.get(of.format(day.year, day.month, day.day)).text
    assert chief.get(of.format(2025, 2, 29)).url == "/admin/peacekb/article/?e=1"
    assert chief.get(of.format(9998, 12, 31)).status_code == 200
    assert chief.get("/admin/peacekb/article/?e=1").status_code == 200


def test_a_search_reads_two_hundred_characters(chief):
    published()
    with CaptureQueriesContext(connection) as queries:
        assert unharmed(chief, f"/admin/peacekb/article/?q={'a+' * 1900}") == 200
    assert max(len(query["sql"]) for query in queries) < 60_000


@pytest.mark.parametrize("model", REGISTERED, ids=str)
def test_no_form_answers_500_whatever_its_address(chief, model):
    row, folder = a_row_of(model), folder_of(model)
    fields = [field.name for field in model._meta.get_fields()]
    for name in ("_to_field", "_popup", "_changelist_filters"):
        for value in ["%00", "x", *(fields if name == "_to_field" else ())]:
            for deed in ("add", f"{row.pk}/change", f"{row.pk}/delete", f"{row.pk}/history"):
                unharmed(chief, f"{folder}{deed}/?{name}={value}")
    for value in [*UNFIT, "_00", "1/2"]:
        for deed in ("change", "delete", "history", "withdraw", "publish", "password"):
            assert unharmed(chief, f"{folder}{value}/{deed}/") in (302, 403, 404, 405), (value, deed)
            assert unharmed(chief, f"{folder}{value}/{deed}/", {"post": "yes"}) in (302, 403, 404, 405), (value, deed)


UNFIT_VALUES = ["\x00", "\udc80", "x", "9" * 25, "0000-01-01"]


@pytest.mark.parametrize("model", REGISTERED, ids=str)
def test_no_form_answers_500_whatever_is_posted(chief, model):
    row, folder = a_row_of(model), folder_of(model)
    for address in (f"{folder}add/", f"{folder}{row.pk}/change/"):
        shown = chief.get(address)
        if shown.status_code != 200:
            assert unharmed(chief, address, {"title": "x"}) in (403, 404)
            continue
        form = shown.context["adminform"].form
        names = set(re.findall(r'name="([^"]+)"', shown.text)) - {"csrfmiddlewaretoken"}
        whole = {name: form[name].value() or "" for name in form.fields if name not in ("sources", "tags")} | labels()
        whole |= written() if model in KINDS.values() else {}
        whole |= {name: "1" for name in names if name.endswith("-TOTAL_FORMS") and not name.startswith("labels")}
        whole |= {name: "0" for name in names if name.endswith("-INITIAL_FORMS") and not name.startswith("labels")}
        names |= {"_to_field", "labels-0-id", "labels-0-page", "labels-0-DELETE"}
        for value in UNFIT_VALUES:
            sent = value.encode(errors="surrogatepass")
            unharmed(chief, address, whole | dict.fromkeys(names, sent))
            for name in names if value == "9" * 25 and "add" not in address else ():
                unharmed(chief, address, whole | {"labels-TOTAL_FORMS": "1", name: sent})
        unharmed(chief, address, {})
        unharmed(chief, address, {name: value for name, value in whole.items() if "_FORMS" not in name})
        for total in ("x", "9" * 25):
            unharmed(chief, address, whole | {"labels-TOTAL_FORMS": total, "labels-INITIAL_FORMS": total})


@pytest.mark.parametrize("model", REGISTERED, ids=str)
def test_no_deed_on_chosen_rows_answers_500(chief, model):
    row, folder = a_row_of(model), folder_of(model)
    deeds = set(re.findall(r'<option value="(\w+)"', chief.get(folder).text)) | {"publish_selected", "x", ""}
    for deed in deeds:
        for chosen in ([], ["x"], ["\x00"], ["9" * 25], ["-1"], [row.pk, "x"], [str(10**17)] * 3):
            posted = {"action": deed, "_selected_action": chosen, "index": "0", "select_across": "0"}
            unharmed(chief, folder, posted)
            unharmed(chief, folder, posted | {"post": "yes", "index": "x"})
    assert model.objects.filter(pk=row.pk).exists()


def test_what_the_admin_offers_besides_answers_garbage(chief):
    usual = {"app_label": "peacekb", "model_name": "article", "field_name": "translation_of", "term": "", "page": "1"}
    for value in UNFIT:
        for name in usual:
            query = "&".join(f"{key}={word}" for key, word in (usual | {name: value}).items())
            assert unharmed(chief, f"/admin/autocomplete/?{query}") in (200, 403, 404)
        for address in (
            "jsi18n/?language=",
            "autocomplete/?x=",
            "?x=",
            "peacekb/?x=",
            "password_change/?x=",
            "login/?next=",
        ):
            unharmed(chief, f"/admin/{address}{value}")
        unharmed(chief, f"/admin/{value}/")
    assert chief.post("/admin/autocomplete/", usual).status_code in (200, 405)


def test_more_tags_and_lines_than_a_page_can_use_are_refused(publisher):
    for field, value in (("tags", ",".join(map(str, range(10_000)))), ("authors", "\n".join(map(str, range(10_000))))):
        response = publisher.post("/admin/peacekb/article/add/", written(**{field: value}, _publish="1"))
        assert "or fewer; there are 10000" in response.context["adminform"].form.errors[field][0]
    assert not Tag.objects.exists()
    response = publisher.post("/admin/peacekb/article/add/", written() | {"labels-TOTAL_FORMS": "9" * 25})
    assert len(response.context["inline_admin_formsets"][0].formset.forms) == 150


def test_a_megabyte_in_any_field_is_answered(publisher):
    essay = published()
    for field in ("title", "slug", "source", "tags", "verified_url"):
        for piece in ("a ", '"', ", "):
            unharmed(
                publisher, form_of(essay), written(essay, _publish="1") | {field: piece * (1_000_000 // len(piece))}
            )


# --- lists -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", LISTS)
def test_lists_cost_the_same_however_long_they_are(publisher, address):
    def fill(numbers):
        for number in numbers:
            for model in KINDS.values():
                page = published(model, f"Page {number}", "A text.", language="en")
                page.tags.add(f"tag {number}")
                page.labels.create(text=f"name {number}", case_sensitive=True)
                page.sources.add(Source.objects.create(slug=f"{page.pk}", title="Work", type="book"))

    counts = []
    for numbers in (range(2), range(2, 8)):
        fill(numbers)
        publisher.get(address)
        with CaptureQueriesContext(connection) as queries:
            assert publisher.get(f"{address}?q=a").status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert counts[1] <= 14


def test_lists_answer_searches_and_filters(editor):
    essay = published(title="The long talks")
    essay.labels.create(text="Marathon")
    essay.tags.add("patience")
    published(title="Another")
    for query in ("q=marathon", "q=long-talks", "tag=patience"):
        shown = editor.get(f"/admin/peacekb/article/?{query}").text
        assert "The long talks" in shown
        assert ">Another<" not in shown
    assert (
        "The long talks" in editor.get("/admin/peacekb/article/?status__exact=published&standpoint__exact=essay").text
    )
    truce = published(Concept, "Truce", "No shots.")
    truce.phase_set.create(phase="ceasefire")
    assert "Truce" in editor.get("/admin/peacekb/concept/?phase_set__phase__exact=ceasefire").text
    assert "Truce" in editor.get("/admin/peacekb/revision/?page__kind__exact=concept").text


def test_a_version_shows_its_content_in_words(editor):
    page = published(Concept, "Truce", "<b>No</b> shots.")
    page.labels.create(text="Lull", ambiguous=True, language="fr")
    publishing.publish(page, note="Added <i>a</i> name")
    shown = editor.get(reverse("admin:peacekb_revision_change", args=[page.revisions.first().pk])).text
    assert "Lull (fr, ambiguous)" in shown
    assert "&lt;b&gt;No&lt;/b&gt; shots." in shown
    assert "Added &lt;i&gt;a&lt;/i&gt; name" in shown
    assert "Publish this version" not in shown


def test_pages_and_derived_rows_have_no_admin_of_their_own(publisher):
    User.objects.filter(username="paul").update(is_superuser=True)
    for name in ("section", "searchentry", "pagephase"):
        assert publisher.get(f"/admin/peacekb/{name}/").status_code == 404
    for name in ("mention", "dismissedname"):
        for deed in ("add", "1/change", "1/delete"):
            assert publisher.get(f"/admin/peacekb/{name}/{deed}/").status_code == 404
    # The list of all pages is there for fields that choose among them.
    for deed in ("add", "1/change", "1/delete"):
        assert publisher.get(f"/admin/peacekb/page/{deed}/").status_code != 200
    index = publisher.get("/admin/").text
    assert "PeaceKB" in index
    assert "Editing" in index
    assert Label.objects.count() == Revision.objects.count() == 0


def test_a_page_with_as_many_names_as_it_may_have_is_kept_whole(publisher):
    fields = {"id": "", "page": "", "case_sensitive": "on", "ambiguous": "on", "verified": ""}
    rows = labels(*({"text": f"Name {number}", **fields} for number in range(150))) | {"labels-INITIAL_FORMS": 0}
    assert len(rows) > 1_000
    response = publisher.post("/admin/peacekb/concept/add/", written(title="Names", slug="names", _draft="1", **rows))
    assert response.status_code == 302
    assert Concept.objects.get(slug="names").labels.count() == 151


@pytest.mark.parametrize("key", ["1", "0", "abc"])
def test_no_row_is_saved_as_a_new_one(chief, key):
    published()
    for name in ("article", "concept", "source"):
        response = chief.post(f"/admin/peacekb/{name}/{key}/change/", written(_saveasnew="1"))
        assert response.status_code == 400, name
