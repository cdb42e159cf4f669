"""Tags: their names and addresses, what narrows their pages, and what editors do with them."""

import re
from html import unescape

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from taggit.models import Tag

from peacekb import publishing
from peacekb.archive import bring_in, export
from peacekb.models import Edition, Page, TagBroader, TagName
from peacekb.publishing.tags import Name, TagRefused, merge_tags, save_tag

from .factories import draft_article, published_article, published_concept, published_role

pytestmark = pytest.mark.django_db


def tag(name: str) -> Tag:
    return Tag.objects.get(name=name)


def named(name: str, *names: Name, broader=()) -> Tag:
    """Give a tag names and broader tags beside what pages know of it."""
    one = Tag.objects.filter(name=name).first() or Tag(name=name, slug=name.replace(" ", "-"))
    save_tag(one, names, [tag(other) for other in broader])
    return one


def text_of(client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200, address
    return unescape(response.content.decode())


def choices(html: str) -> dict[str, dict[str, tuple[str, int]]]:
    """Give what narrows a list: title → label → address and number."""
    if 'class="narrow-by"' not in html:
        return {}
    box = html[html.index('class="narrow-by"') :].split("</nav>")[0]
    found = {}
    for part in box.split("<h3")[1:]:
        title = re.search(r">([^<]+)</h3>", part)[1]
        rows = re.findall(r'href="([^"]+)"><bdi>([^<]+)</bdi> <span class="count">(\d+)<', part)
        found[title] = {label: (href, int(number)) for href, label, number in rows}
    return found


def browser_of(name: str, *groups: str) -> Client:
    user = User.objects.create_user(name, password="correct horse", is_staff=True)
    user.groups.set(Group.objects.filter(name__in=groups))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def editor():
    return browser_of("hala", "Editors")


@pytest.fixture
def publisher():
    return browser_of("paul", "Publishers")


def form_of(one: Tag | None = None, **changes: str) -> dict[str, str]:
    empty = dict.fromkeys(("name_fr", "name_ar", "also_en", "also_fr", "also_ar", "broader"), "")
    own = {"name": one.name, "slug": one.slug} if one else {}
    return {**empty, **own, **changes}


# --- names -------------------------------------------------------------------------------------------------------


def test_a_synonym_in_an_address_leads_to_the_tag_and_keeps_what_was_asked(client):
    published_article(title="Guns fall silent", tags=["ceasefire", "talks"])
    named("ceasefire", Name("truce"), Name("هدنة", "ar"), Name("cessez-le-feu", "fr", "pref"))
    for asked, answered in {
        "/tags/truce/": "/tags/ceasefire/",
        "/tags/truce/?kind=article&page=1": "/tags/ceasefire/?kind=article&page=1",
        "/tags/truce+talks/": "/tags/ceasefire+talks/",
        "/tags/talks,truce/": "/tags/talks,ceasefire/",
        "/tags/truce,ceasefire/": "/tags/ceasefire/",
        "/tags/هدنة/": "/tags/ceasefire/",
        "/fr/tags/cessez-le-feu/": "/fr/tags/ceasefire/",
        "/tags/truce/feed/": "/tags/ceasefire/feed/",
    }.items():
        response = client.get(asked)
        assert (response.status_code, response.headers["Location"]) == (301, answered), asked


def test_a_name_of_a_tag_that_no_public_text_carries_leads_nowhere(client):
    draft_article(title="Draft", tags=["secret"])
    named("secret", Name("hidden"))
    assert client.get("/tags/hidden/").status_code == 404
    assert client.get("/search/?tag=hidden").status_code == 404
    assert "Nothing found" in text_of(client, "/search/?q=tag:hidden")


def test_a_search_understands_a_tag_by_any_of_its_names(client):
    published_article(title="Guns fall silent", tags=["ceasefire"])
    published_article(title="Other things", tags=["law"])
    named("ceasefire", Name("truce"), Name("وقف إطلاق النار", "ar", "pref"))
    for address in ("/search/?tag=truce", "/search/?q=tag:truce", '/search/?q=tag:"وقف إطلاق النار"'):
        html = text_of(client, address)
        assert "Guns fall silent" in html, address
        assert "Other things" not in html, address
        assert "<bdi>ceasefire</bdi>" in html, address
    assert "وقف إطلاق النار" in text_of(client, "/ar/search/?q=tag:truce")


def test_readers_see_tags_in_their_language_where_there_is_a_name(client):
    essay = published_article(title="Guns fall silent", tags=["ceasefire", "law"])
    published_article(title="Other", tags=["law"])
    named("ceasefire", Name("cessez-le-feu", "fr", "pref"))
    for address in ("/fr/tags/", "/fr/tags/ceasefire/", "/fr/tags/law/", "/fr/search/", "/fr/search/?tag=law",
                    f"/fr{essay.get_absolute_url()}"):  # fmt: skip
        html = text_of(client, address)
        assert "<bdi>cessez-le-feu</bdi>" in html, address
        assert "<bdi>ceasefire</bdi>" not in html, address
    assert "<bdi>law</bdi>" in text_of(client, "/fr/tags/law/")
    assert "cessez-le-feu" not in text_of(client, "/tags/ceasefire/")


def test_a_renamed_tag_is_found_under_its_former_name_and_address(client, editor):
    essay = published_article(title="Guns fall silent", tags=["ddr"])
    one = tag("ddr")
    editor.post(f"/admin/taggit/tag/{one.pk}/change/", form_of(one, name="disarmament", slug="disarmament"))
    assert client.get("/tags/ddr/").headers["Location"] == "/tags/disarmament/"
    assert "Guns fall silent" in text_of(client, "/search/?q=tag:ddr")
    other = published_article(title="Later", tags=["DDR"])
    assert [list(page.tags.names()) for page in (essay, other)] == [["disarmament"]] * 2
    one.refresh_from_db()
    editor.post(f"/admin/taggit/tag/{one.pk}/change/", form_of(one, name="ddr", slug="ddr"))
    assert client.get("/tags/disarmament/").headers["Location"] == "/tags/ddr/"
    assert client.get("/tags/ddr/").status_code == 200


def test_names_are_told_apart_over_tags_and_synonyms():
    published_article(tags=["ceasefire", "law"])
    named("ceasefire", Name("truce"))
    with pytest.raises(TagRefused, match="“truce” is a name of the tag “ceasefire”"):
        named("law", Name("Truce"))
    with pytest.raises(TagRefused, match="“law” is another tag"):
        named("ceasefire", Name("law"))
    with pytest.raises(TagRefused, match="stands here twice"):
        named("ceasefire", Name("truce"), Name("truce", "fr"))
    with pytest.raises(TagRefused, match="is the name of this tag itself"):
        named("ceasefire", Name("ceasefire"))
    named("law", Name("law", "fr", "pref"))
    assert list(TagName.objects.order_by("text").values_list("text", flat=True)) == ["law", "truce"]


# --- pages of tags -----------------------------------------------------------------------------------------------


@pytest.fixture
def library():
    published_role("Mediator", tags=["actors"], source="Who helps.", phases=["mediation"])
    published_concept("Mediation", tags=["mediation"], source="Help to settle.", phases=["mediation"])
    for number in range(4):
        published_article(
            title=f"Talks {number}",
            tags=["mediation", "talks"],
            source="The mediator speaks.",
            published_at=f"202{number}-01-01",
        )
    published_article(title="Law", tags=["law", "mediation"], language="fr", source="Le droit.")
    for number in range(6):
        published_article(title=f"Law {number}", tags=["law"], source="A text.")


def test_a_tag_page_offers_facts_with_counts_that_hold_and_leads_back(client, library):
    facets = choices(text_of(client, "/tags/mediation/"))
    assert list(facets) == ["Related tags", "Other tags", "Kind", "Phase", "Mentioned role", "Language", "Year"]
    assert facets["Related tags"] == {"talks": ("/tags/mediation+talks/", 4)}
    assert facets["Other tags"] == {"law": ("/tags/mediation+law/", 1)}
    assert facets["Kind"]["Concept"] == ("/tags/mediation/?kind=concept", 1)
    assert facets["Phase"] == {"Peacemaking": ("/tags/mediation/?phase=mediation", 5)}
    assert facets["Mentioned role"] == {"Mediator": ("/tags/mediation/?role=mediator", 4)}
    assert facets["Language"]["Français"] == ("/tags/mediation/?lang=fr", 1)
    assert facets["Year"]["2021"] == ("/tags/mediation/?year=2021", 1)
    for facet in facets.values():
        for address, number in facet.values():
            html = text_of(client, address)
            assert f">{number} text{'s' * (number > 1)}</h2>" in html, address


def test_choices_are_kept_one_upon_another_and_each_is_taken_off_alone(client, library):
    html = text_of(client, "/tags/mediation+talks/?kind=article&role=mediator")
    taken_off = re.findall(r'is-active" href="([^"]+)".*?<bdi>([^<]+)</bdi>', html)
    assert taken_off == [
        ("/tags/talks/?kind=article&role=mediator", "mediation"),
        ("/tags/mediation/?kind=article&role=mediator", "talks"),
        ("/tags/mediation+talks/?role=mediator", "Article"),
        ("/tags/mediation+talks/?kind=article", "a mention of Mediator"),
    ]
    assert choices(html)["Year"]["2020"] == ("/tags/mediation+talks/?kind=article&role=mediator&year=2020", 1)
    assert 'href="/tags/mediation,talks/?kind=article&role=mediator"' in html
    assert 'name="robots" content="noindex' in html
    assert "No text is left. Remove a filter." in text_of(client, "/tags/mediation/?year=1999")


@pytest.mark.parametrize("asked", ["kind=planet", "phase=x", "lang=xx", "year=20", "year=٢٠٢٠"])
def test_a_fact_that_is_none_is_a_bad_address(client, library, asked):
    assert client.get(f"/tags/mediation/?{asked}").status_code == 400


def test_a_hidden_role_is_no_choice_and_no_answer(client, library):
    publishing.withdraw(Page.objects.get(slug="mediator"), reason="Gone.")
    assert "Mentioned role" not in choices(text_of(client, "/tags/mediation/"))
    for role in ("mediator", "nobody", "%00"):
        assert client.get(f"/tags/mediation/?role={role}").status_code == 404


def test_three_tags_are_all_or_any(client, library):
    html = text_of(client, "/tags/mediation,talks,law/")
    assert "all of them: none" in html
    assert ">any of them</a>" in html
    assert "both" not in html.split("<h2")[0].split('class="switch"')[1]
    assert "No text carries all of these tags" in text_of(client, "/tags/mediation+talks+law/")


def test_a_tag_that_is_the_name_of_an_entry_shows_it(client, library):
    html = text_of(client, "/tags/mediation/")
    assert re.search(r'<a class="concept" href="/concepts/mediation/"[^>]*><bdi>Mediation</bdi></a>', html)
    assert "Help to settle." in html.split('class="results-grid"')[0]
    assert "measured" not in text_of(client, "/tags/law/")


def test_broader_narrower_and_synonyms_are_shown_and_drafts_of_them_are_not(client, library):
    draft_article(title="Draft", tags=["secret"])
    named("mediation", Name("peace talks"), broader=["law", "secret"])
    html = text_of(client, "/tags/mediation/")
    assert "Also called: <bdi>peace talks</bdi>" in html
    assert 'Broader tags: <a href="/tags/law/"><bdi>law</bdi></a> <span class="count">7</span></li>' in html
    assert 'Narrower tags: <a href="/tags/mediation/"><bdi>mediation</bdi></a>' in text_of(client, "/tags/law/")
    listed = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", text_of(client, "/tags/").split("<h1")[1].split("</main")[0]))
    assert "law 7 mediation 6 peace talks: see mediation talks 4" in listed
    assert "secret" not in html + listed


def test_a_tag_page_costs_at_most_eleven_queries_however_many_texts_carry_it(client, library):
    named("mediation", Name("peace talks"), broader=["law"])
    addresses = ("/tags/mediation/", "/fr/tags/mediation/?role=mediator", "/tags/mediation+talks/", "/tags/")

    def cost(address: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            text_of(client, address)
        return len(queries)

    def publish_more(numbers: range) -> None:
        for number in numbers:
            published_article(title=f"More {number}", tags=["mediation", "talks", f"t{number}"], source="The mediator.")

    publish_more(range(2))
    few = [cost(address) for address in addresses]
    publish_more(range(2, 12))
    assert [cost(address) for address in addresses] == few
    assert max(few) <= 11


# --- editors -----------------------------------------------------------------------------------------------------


def test_an_editor_writes_names_synonyms_and_broader_tags(client, editor):
    published_article(title="Guns fall silent", tags=["ceasefire", "law"])
    one = tag("ceasefire")
    changed = form_of(one, name_fr="cessez-le-feu", also_en="truce\r\ncease-fire", also_ar="هدنة", broader="law")
    editor.post(f"/admin/taggit/tag/{one.pk}/change/", changed)
    rows = {(name.text, name.language, name.kind) for name in one.other_names.all()}
    assert rows == {
        ("cessez-le-feu", "fr", "pref"), ("truce", "en", "alt"), ("cease-fire", "en", "alt"), ("هدنة", "ar", "alt"),
    }  # fmt: skip
    assert 'see <a href="/tags/ceasefire/">' in text_of(client, "/tags/")
    html = editor.get(f"/admin/taggit/tag/{one.pk}/change/").text
    assert 'value="cessez-le-feu"' in html
    assert "truce" in html
    assert 'value="law"' in html
    editor.post(f"/admin/taggit/tag/{one.pk}/change/", form_of(one, also_en="cease-fire"))
    assert [name.text for name in one.other_names.all()] == ["cease-fire"]
    assert not TagBroader.objects.exists()
    assert client.get("/tags/truce/").status_code == 404


def test_a_circle_of_broader_tags_is_refused_with_a_sentence(editor):
    published_article(tags=["a", "b", "c"])
    named("a", broader=["b"])
    named("b", broader=["c"])
    one = tag("c")
    response = editor.post(f"/admin/taggit/tag/{one.pk}/change/", form_of(one, broader="a"))
    assert "“a” is narrower than “c” already, so it cannot be broader as well." in response.text
    assert "cannot be broader than itself" in editor.post(
        f"/admin/taggit/tag/{one.pk}/change/", form_of(one, broader="c")
    ).text  # fmt: skip
    assert "There is no tag “zebra”" in editor.post(
        f"/admin/taggit/tag/{one.pk}/change/", form_of(one, broader="zebra")
    ).text  # fmt: skip
    assert TagBroader.objects.count() == 2


def test_a_page_that_is_given_a_synonym_gets_the_tag():
    published_article(tags=["ceasefire"])
    named("ceasefire", Name("truce"))
    essay = published_article(tags=["Truce", "ceasefire", "new"])
    assert sorted(essay.tags.names()) == ["ceasefire", "new"]
    assert not Tag.objects.filter(name__iexact="truce").exists()


def test_a_tag_in_use_is_not_deleted_and_the_way_out_is_said(publisher):
    published_article(title="Guns fall silent", tags=["ceasefire"])
    one = tag("ceasefire")
    response = publisher.post(f"/admin/taggit/tag/{one.pk}/delete/", {"post": "yes"})
    assert f'<a href="/admin/taggit/tag/{one.pk}/merge/">Merge “ceasefire” into another tag</a>' in response.text
    assert Tag.objects.filter(pk=one.pk).exists()


# --- merging -----------------------------------------------------------------------------------------------------


def merge(browser: Client, gone: str, kept: str):
    """Choose, look at what is shown, and confirm."""
    address = f"/admin/taggit/tag/{tag(gone).pk}/merge/"
    look = browser.post(address, {"into": tag(kept).pk})
    sent = dict(re.findall(r'type="hidden" name="(into|seen)" value="([^"]*)"', look.text))
    return look, lambda: browser.post(address, {**sent, "_confirmed": "Merge the tags"})


def test_two_tags_are_merged_after_a_look_at_the_pages(client, publisher):
    one = published_article(title="One", tags=["truce", "law"])
    both = published_article(title="Both", tags=["ceasefire", "truce"])
    draft = draft_article(title="Draft", tags=["truce"])
    named("truce", Name("trêve", "fr", "pref"), Name("lull"), broader=["law"])
    named("ceasefire", Name("cessez-le-feu", "fr", "pref"))
    edition = Edition.objects.get().number
    look, confirm = merge(publisher, "truce", "ceasefire")
    for said in ("“<bdi>truce</bdi>” becomes “<bdi>ceasefire</bdi>”", "3 pages get", "One", "Both", "(article, draft)"):
        assert said in look.text
    assert Tag.objects.filter(name="truce").exists()
    confirm()
    assert {page.title: sorted(page.tags.names()) for page in (one, both, draft)} == {
        "One": ["ceasefire", "law"],
        "Both": ["ceasefire"],
        "Draft": ["ceasefire"],
    }
    for name in ("truce", "lull", "trêve"):
        assert client.get(f"/tags/{name}/").headers["Location"] == "/tags/ceasefire/"
    assert TagName.objects.get(kind="pref").text == "cessez-le-feu"
    assert list(TagBroader.objects.values_list("narrower__name", "broader__name")) == [("ceasefire", "law")]
    assert "One" in text_of(client, "/search/?tag=ceasefire")
    assert "One" in text_of(client, "/search/?q=ceasefire")
    assert Edition.objects.get().number > edition
    assert not Tag.objects.filter(name="truce").exists()


def test_a_merge_asks_again_when_other_pages_carry_the_tag_by_then(publisher):
    published_article(title="One", tags=["truce", "ceasefire"])
    _look, confirm = merge(publisher, "truce", "ceasefire")
    published_article(title="Two", tags=["truce"])
    assert "The pages are others than those you looked at." in confirm().text
    assert Tag.objects.filter(name="truce").exists()


def test_who_may_not_delete_a_tag_may_not_merge_it(editor):
    published_article(tags=["truce", "ceasefire"])
    one = tag("truce")
    assert editor.get(f"/admin/taggit/tag/{one.pk}/merge/").status_code == 403
    assert "Merge …" not in editor.get(f"/admin/taggit/tag/{one.pk}/change/").text


def test_a_merge_closes_no_circle(publisher):
    published_article(tags=["a", "b", "c", "d"])
    named("a", broader=["b"])
    named("b", broader=["c"])
    named("c", broader=["d"])
    merge_tags(tag("a"), tag("c"))
    assert sorted(TagBroader.objects.values_list("narrower__name", "broader__name")) == [("b", "c"), ("c", "d")]


def test_an_old_version_comes_back_with_the_tag_that_was_kept():
    essay = published_article(title="One", tags=["truce"])
    old = essay.revisions.get()
    published_article(title="Two", tags=["ceasefire"])
    merge_tags(tag("truce"), tag("ceasefire"))
    publishing.restore(old)
    assert list(essay.tags.names()) == ["ceasefire"]


# --- files -------------------------------------------------------------------------------------------------------


def put(folder, name: str, text: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


TAGS = """tags:
- name: ceasefire
  names:
  - {text: cessez-le-feu, language: fr, kind: pref}
  - {text: truce}
  broader: [law]
- name: law
"""


def test_seeding_neither_undoes_a_merge_nor_overwrites_what_editors_say_of_a_tag(tmp_path):
    put(tmp_path, "essays/a.md", "---\ntitle: A\nslug: a\ntags: [armistice]\n---\n\nText.\n")
    put(tmp_path, "essays/b.md", "---\ntitle: B\nslug: b\ntags: [truce]\n---\n\nText.\n")
    put(tmp_path, "tags.yaml", TAGS)
    assert len(bring_in([tmp_path], seeding=True).created) == 4
    assert list(Page.objects.get(slug="b").tags.names()) == ["ceasefire"]
    assert len(bring_in([tmp_path], seeding=True).unchanged) == 4
    merge_tags(tag("armistice"), tag("ceasefire"))
    named("ceasefire", Name("pause"), Name("truce"), Name("armistice"))
    report = bring_in([tmp_path], seeding=True)
    assert len(report.unchanged) == 3
    assert [line.rpartition(": ")[2] for line in report.kept] == ["left alone, it differs from the starter library"]
    assert list(Page.objects.get(slug="a").tags.names()) == ["ceasefire"]
    put(tmp_path, "essays/a.md", "---\ntitle: A\nslug: a\ntags: [armistice]\n---\n\nNew text.\n")
    assert len(bring_in([tmp_path], seeding=True).updated) == 1
    named("law", Name("statutes"))
    merge_tags(tag("ceasefire"), tag("law"))
    assert "it is a name of the tag “law” now" in " ".join(bring_in([tmp_path], seeding=True).kept)


def test_seeding_fills_in_tags_that_pages_brought_before(tmp_path):
    published_article(tags=["ceasefire"])
    put(tmp_path, "tags.yaml", TAGS)
    report = bring_in([tmp_path], seeding=True)
    assert (len(report.created), len(report.updated)) == (1, 1)
    assert tag("ceasefire").other_names.count() == 2


def test_tags_come_back_from_an_export_as_they_were(tmp_path):
    published_article(title="A", tags=["ceasefire", "law"], published_at="2026-01-01")
    draft_article(title="Draft", tags=["secret"])
    named("ceasefire", Name("cessez-le-feu", "fr", "pref"), Name("truce"), broader=["law", "secret"])
    save_tag(Tag(pk=tag("law").pk, name="laws", slug="legal"), (), ())
    list(export(tmp_path / "one"))
    assert "secret" not in (tmp_path / "one" / "tags.yaml").read_text()
    Page.objects.all().delete()
    Tag.objects.all().delete()
    assert not bring_in([tmp_path / "one"]).refused
    list(export(tmp_path / "two"))
    for name in ("tags.yaml", "essays/a.md"):
        assert (tmp_path / "two" / name).read_bytes() == (tmp_path / "one" / name).read_bytes()
    assert not bring_in([tmp_path / "one"]).updated


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("tags: no", 1, "the key “tags” with a list of tags is missing"),
        ("tags:\n- name: a\n- 5", 3, "each tag must have keys and values"),
        ("tags:\n- name: a\n  colour: red", 2, "“colour” is not known"),
        ("tags:\n- name: '!'", 2, "must hold letters or digits"),
        ("tags:\n- name: a\n- name: A", 3, "another tag of this file has it"),
        ("tags:\n- name: a\n  names: [{text: b, language: xx}]", 2, "“xx” is not one of en, fr, ar"),
        ("tags:\n- name: a\n  names: [{text: b, kind: x}]", 2, "“x” is not one of pref, alt, former"),
        ("tags:\n- name: a\n  names: [{text: b, kind: pref}]", 2, "the English one is its own"),
        ("tags:\n- name: a\n  names: [b]", 2, "each name must have a text"),
        ("tags:\n- name: a\n  slug: a/b", 2, "must be words of letters and digits"),
        ("tags:\n- name: a\n  broader: [zebra]", 2, "there is no tag “zebra”"),
        ("tags:\n- name: a\n  broader: [b]\n- name: b\n  broader: [a]", 4, "“a” is narrower than “b” already"),
        ("tags:\n- name: a\n  names: [{text: x}]\n- name: b\n  names: [{text: x}]", 4, "is a name of the tag “a”"),
    ],
)
def test_what_a_file_of_tags_may_not_say_is_refused_with_its_line(tmp_path, text, line, message):
    put(tmp_path, "tags.yaml", text)
    refused = bring_in([tmp_path / "tags.yaml"]).refused
    assert [(one.line, message in one.message) for one in refused] == [(line, True)], refused
