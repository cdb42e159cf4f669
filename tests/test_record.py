"""Actors, operations, cases and the timeline: stored, shown, found, exported, merged and edited."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from peacekb.archive import bring_in, export
from peacekb.documents import DocumentRefused, document_of, write
from peacekb.models import Actor, Case, Event, Mention, Operation, Page
from peacekb.publishing import publish, withdraw
from peacekb.publishing.changes import apply
from peacekb.publishing.proposals import of_merging
from peacekb.search import search

from .factories import published, published_article, published_concept, published_role, source

pytestmark = pytest.mark.django_db


def actor(title: str, **values: Any) -> Page:
    return published("actor", title=title, type="state", **values)


def operation(title: str, **values: Any) -> Page:
    facts = {"acronym": "UNX", "region": "africa", "start": "1998-02", "end": "2000-07"}
    return published("operation", title=title, **{**facts, **values})


def case(title: str, **values: Any) -> Page:
    facts = {"conflict": "A border war", "region": "africa", "start_year": 1998, "end_year": 2000, "result": "held"}
    return published("case", title=title, **{**facts, **values})


@pytest.fixture
def algiers() -> Page:
    """A case with a mediator who also was the host, and a witness."""
    source("communique")
    published_role("Mediator")
    published_role("Witness")
    actor("Algeria", contributions=[{"date": "2021-01-31", "personnel": 2, "women": 0, "source": "communique"}])
    actor("Ethiopia")
    actor("United States")
    operation("Mission in Ethiopia", slug="unmee", acronym="UNMEE", countries=["ethiopia"])
    return case(
        "Algiers Agreement",
        slug="algiers-2000",
        source="It ended open war, and UNMEE patrolled the zone.",
        countries=["ethiopia"],
        parties=["Ethiopia", "Eritrea"],
        participations=[
            {"actor": "algeria", "role": "mediator", "person": "Abdelaziz Bouteflika"},
            {"actor": "united-states", "role": "witness"},
        ],
        instruments=[{"name": "Agreement of December", "date": "2000-12-12", "place": "Algiers"}],
        operations=["unmee"],
        sources=["communique"],
    )


def test_a_document_comes_back_as_it_was_written(algiers: Page) -> None:
    document = document_of(algiers)
    assert document["participations"] == [
        {"actor": "algeria", "role": "mediator", "person": "Abdelaziz Bouteflika"},
        {"actor": "united-states", "role": "witness"},
    ]
    assert document["instruments"] == [{"name": "Agreement of December", "date": "2000-12-12", "place": "Algiers"}]
    document["participations"].reverse()
    publish(write(document, "case", algiers))
    assert document_of(Page.objects.get(pk=algiers.pk)) == document


def test_a_nought_is_a_figure_and_not_an_absence(algiers: Page) -> None:
    (row,) = document_of(Page.objects.get(slug="algeria"))["contributions"]
    assert row == {"date": "2021-01-31", "personnel": 2, "women": 0, "source": "communique"}


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("participations", [{"actor": "algeria"}], "has no role"),
        ("participations", [{"actor": "algeria", "role": "mediator", "year": 2000}], "unknown key “year”"),
        ("participations", [{"actor": "nowhere", "role": "mediator"}], "no actor has the slug “nowhere”"),
        ("participations", [{"actor": "algeria", "role": "king"}], "no role has the slug “king”"),
        ("participations", [{"actor": "algeria", "role": "mediator"}] * 2, "says again"),
        ("participations", ["algeria"], "must have keys and values"),
        ("participations", {"actor": "algeria"}, "must be a list"),
        ("participations", [{"actor": "algeria", "role": "mediator", "person": ["x"]}], "must have a text"),
        ("participations", [{"actor": "algeria", "role": "mediator", "person": "a\x00"}], "NUL"),
        ("instruments", [{"name": "A", "date": "2000-02-31"}], "Enter a date"),
        ("instruments", [{"name": "A" * 301}], "300"),
        ("result", "won", "is not one of"),
        ("region", "moon", "is not one of"),
        ("start_year", "1998", "must be a year"),
        ("end_year", 1990, "cannot end before"),
        ("signed", "2000-13", "must be a date"),
        ("countries", ["nowhere"], "no actor has the slug"),
    ],
)
def test_a_wrong_fact_is_refused_in_a_sentence(algiers: Page, key: str, value: Any, said: str) -> None:
    document = {**document_of(algiers), "slug": "another", "title": "Another", key: value}
    with pytest.raises(DocumentRefused, match=said):
        write(document, "case")


def test_figures_that_cannot_be_are_refused() -> None:
    source("list")
    row = {"date": "2021-01-31", "personnel": 5, "women": 6, "source": "list"}
    with pytest.raises(DocumentRefused, match="Women are counted among all"):
        actor("Atlantis", contributions=[row])
    with pytest.raises(DocumentRefused, match="last known to be deployed"):
        operation("Endless", end=None)
    with pytest.raises(DocumentRefused, match="cannot end before"):
        operation("Backwards", end="1990-01")


def test_names_of_the_record_are_linked_in_prose(algiers: Page) -> None:
    text = published_article(title="Wars", source="Algeria mediated; UNMEE came after the Algiers Agreement.")
    Operation.objects.get(slug="unmee").labels.create(text="UNMEE", case_sensitive=True)
    publish(Page.objects.get(slug="unmee"))
    found = Mention.objects.filter(section__page=text).order_by("start").values_list("target__slug", flat=True)
    assert list(found) == ["algeria", "unmee", "algiers-2000"]


def test_a_name_that_one_page_calls_ambiguous_is_left_to_the_other(client: Client) -> None:
    concept = published_concept("African Union")
    mine = [{"text": "African Union", "kind": "pref", "ambiguous": True}]
    published("actor", title="African Union", type="organization", described_by="african-union", labels=mine)
    text = published_article(title="Talks", source="The African Union sent an envoy, says [[African Union]].")
    targets = Mention.objects.filter(section__page=text).values_list("target", flat=True)
    assert list(targets) == [concept.pk, concept.pk]
    assert "/concepts/african-union/" in client.get("/actors/african-union/").content.decode()


def test_a_case_is_found_by_its_persons_parties_places_and_countries(algiers: Page) -> None:
    for words in ("Bouteflika", "Eritrea", "border war", "Agreement of December", "United States"):
        assert algiers.pk in search(words).values_list("page", flat=True), words
    assert Page.objects.get(slug="unmee").pk in search("UNMEE Ethiopia").values_list("page", flat=True)


def test_pages_tell_who_played_which_role_with_which_result(algiers: Page, client: Client) -> None:
    shown = client.get("/cases/algiers-2000/").content.decode()
    for words in ("Abdelaziz Bouteflika", "Held", "12 December 2000", "Eritrea", "/operations/unmee/", "A border war"):
        assert words in shown, words
    shown = client.get("/actors/algeria/").content.decode()
    assert "/cases/algiers-2000/" in shown
    assert "/roles/mediator/" in shown
    assert "31 January 2021" in shown
    assert "Held <bdi>1</bdi>" in shown
    shown = client.get("/roles/mediator/").content.decode()
    assert "Who has played this role" in shown
    assert "/actors/algeria/" in shown
    assert "/cases/algiers-2000/" in shown
    shown = client.get("/operations/unmee/").content.decode()
    assert "February 1998" in shown
    assert "/actors/ethiopia/" in shown
    assert "/cases/algiers-2000/" in shown


def test_what_is_not_public_is_not_told(algiers: Page, client: Client) -> None:
    withdraw(Page.objects.get(slug="algeria"), reason="Unclear.")
    assert "lgeria" not in client.get("/cases/algiers-2000/").content.decode()
    assert "algeria" not in client.get("/roles/mediator/").content.decode()
    withdraw(algiers, reason="Unclear.")
    assert "algiers-2000" not in client.get("/actors/united-states/").content.decode()
    assert client.get("/cases/algiers-2000/").status_code == 410


@pytest.mark.parametrize(
    ("address", "most"),
    [("/cases/algiers-2000/", 12), ("/actors/algeria/", 12), ("/operations/unmee/", 12), ("/roles/mediator/", 11)],
)
def test_pages_of_the_record_cost_few_queries(
    algiers: Page, client: Client, django_assert_max_num_queries: Any, address: str, most: int
) -> None:
    with django_assert_max_num_queries(most):
        assert client.get(address).status_code == 200


def test_two_actors_are_merged_with_their_parts(algiers: Page) -> None:
    source("other")
    other = actor(
        "Algeria, State",
        slug="algeria-state",
        contributions=[{"date": "2022-01-31", "personnel": 3, "source": "other"}],
    )
    into = Page.objects.get(slug="algeria")
    apply(of_merging(into, other), editor=None)
    played = document_of(Case.objects.get(pk=algiers.pk))["participations"]
    assert [row["actor"] for row in played] == [other.slug, "united-states"]
    merged = document_of(Actor.objects.get(pk=other.pk))
    assert [row["date"] for row in merged["contributions"]] == ["2022-01-31", "2021-01-31"]


def test_the_timeline_is_exported_and_brought_in_again(algiers: Page, tmp_path: Any) -> None:
    file = tmp_path / "in" / "events.yaml"
    file.parent.mkdir()
    file.write_text(
        "events:\n- slug: signed\n  date: '2000-12-12'\n  title: Signed\n  text: They sign.\n"
        "  operations:\n  - unmee\n  cases:\n  - algiers-2000\n  source: communique\n  verified: page\n"
    )
    assert bring_in([file.parent]).created
    assert Event.objects.get().cases.get() == Case.objects.get()
    assert bring_in([file.parent]).unchanged
    list(export(tmp_path / "out"))
    assert (tmp_path / "out" / "events.yaml").read_text() == file.read_text()
    Event.objects.update(text="An editor's words.")
    assert bring_in([file.parent], seeding=True).kept
    assert Event.objects.get().text == "An editor's words."


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("  date: '2000-02-31'", "Enter a date"),
        ("  source: nothing", "no source has the slug"),
        ("  cases: [nowhere]", "no case has the slug"),
        ("  cases: algiers-2000", "must be a list"),
        ("  colour: red", "is not known"),
    ],
)
def test_a_wrong_event_is_refused_with_its_line(algiers: Page, tmp_path: Any, line: str, said: str) -> None:
    key = line.split(":")[0].strip()
    rows = {
        "date": "  date: '2000-12-12'",
        "title": "  title: T",
        "text": "  text: T.",
        "source": "  source: communique",
    }
    rows[key] = line
    file = tmp_path / "events.yaml"
    file.write_text("events:\n- slug: one\n" + "\n".join(rows.values()) + "\n")
    (refusal,) = bring_in([file]).refused
    assert said in str(refusal)
    assert refusal.line == 2
    assert not Event.objects.exists()


def test_an_editor_adds_a_case_with_who_took_part(algiers: Page, admin_client: Client) -> None:
    mediator, algeria = Page.objects.get(slug="mediator"), Page.objects.get(slug="algeria")
    form = {
        **{"title": "Oslo", "slug": "oslo", "language": "en", "conflict": "A war", "region": "europe"},
        **{
            "start_year": "1993",
            "end_year": "1995",
            "signed": "1993-09-13",
            "result": "collapsed",
            "source": "It broke.",
        },
        **{"parties": "One\nOther", "tags": "", "unlinked": "", "newest": "0", "_publish": "Publish"},
        **_formset("participations", {"actor": algeria.pk, "role": mediator.pk, "person": "A Person"}),
        **_formset("instruments", {"name": "Accords", "date": "1993-09", "place": "Oslo"}),
        **_formset("labels"),
    }
    response = admin_client.post("/admin/peacekb/case/add/", form)
    assert response.status_code == 302, response.context["adminform"].form.errors
    page = Case.objects.get(slug="oslo")
    assert page.is_public
    assert document_of(page)["participations"][0]["person"] == "A Person"
    assert page.revisions.get().content["instruments"] == [{"name": "Accords", "date": "1993-09", "place": "Oslo"}]


def test_an_editor_without_the_right_to_publish_changes_nothing_that_is_public(algiers: Page, client: Client) -> None:
    editor = User.objects.create_user("writer", password="x", is_staff=True)
    editor.groups.add(Group.objects.get(name="Editors"))
    client.force_login(editor)
    address = f"/admin/peacekb/case/{algiers.pk}/change/"
    shown = client.get(address)
    assert shown.status_code == 200
    form = {**shown.context["adminform"].form.initial, "source": algiers.source, "parties": "One", "newest": "1"}
    rows = list(Case.objects.get(pk=algiers.pk).participations.order_by("pk"))
    data = {
        **{key: value for key, value in form.items() if value is not None and not isinstance(value, list)},
        **{"countries": [page.pk for page in form["countries"]], "sources": [work.pk for work in form["sources"]]},
        **{"operations": [page.pk for page in form["operations"]], "tags": "", "unlinked": "", "_save": "Save"},
        **_formset(
            "participations", {"id": rows[0].pk, "case": algiers.pk, "DELETE": "on", **_row(rows[0])}, initial=1
        ),
        **_formset("instruments"),
        **_formset("labels"),
    }
    response = client.post(address, data)
    assert response.status_code == 302
    assert Case.objects.get(pk=algiers.pk).participations.count() == 2
    draft = algiers.revisions.get(state="draft").content
    assert draft["parties"] == ["One"]
    assert [row["actor"] for row in draft["participations"]] == ["united-states"]


def _row(row: Any) -> dict[str, Any]:
    return {"actor": row.actor_id, "role": row.role_id, "person": row.person}


def _formset(prefix: str, *rows: dict[str, Any], initial: int = 0) -> dict[str, Any]:
    data: dict[str, Any] = {f"{prefix}-TOTAL_FORMS": len(rows), f"{prefix}-INITIAL_FORMS": initial}
    for number, row in enumerate(rows):
        data |= {f"{prefix}-{number}-{key}": value for key, value in row.items()}
    return data
