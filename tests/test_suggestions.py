"""The lists of the admin that tell editors which names wait for a decision, and which names links teach."""

import re

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from peacekb import suggestions
from peacekb.models import Concept, DismissedName, Page, Revision, Status
from peacekb.publishing import withdraw
from peacekb.text.learning import WrittenLink, learn
from peacekb.text.vocabulary import Name, Vocabulary

from .factories import draft_article, published_article, published_concept
from .test_admin import sent_by

UNRESOLVED = "/admin/peacekb/mention/"
SENTENCES = "/admin/peacekb/mention/sentences/"
SUGGESTED = "/admin/peacekb/dismissedname/"
DECIDE = "/admin/peacekb/dismissedname/decide/"

CALM = suggestions.NewName("calm", "en")

database = pytest.mark.django_db


def browser_of(name, *groups):
    user = User.objects.create_user(name, is_staff=True)
    user.groups.set(Group.objects.filter(name__in=groups))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def editor(db):
    return browser_of("hala", "Editors")


@pytest.fixture
def publisher(db):
    return browser_of("paul", "Publishers")


def words_of(response):
    """Give what a reader of a page reads, in one line."""
    assert response.status_code == 200
    text = re.sub(r"<[^>]+>", " ", response.text.partition('id="content"')[2])
    return " ".join(re.sub(r"\s+([.,:;])", r"\1", " ".join(text.split())).split())


def everyday_consent():
    return published_concept(
        "Consent of the parties", label_rows=[{"text": "consent", "ambiguous": True}], slug="consent-of-the-parties"
    )


# --- learning, without a database ---------------------------------------------------------------------------------

CEASEFIRE, TALKS = 1, 2
NAMES = [Name(CEASEFIRE, "ceasefire", "/c/"), Name(TALKS, "talks", "/t/"), Name(TALKS, "parley", "/t/")]


def links(*rows):
    """Give links from (words, target) or (words, target, language), each in an essay and a section of its own."""
    return [
        WrittenLink(number, words, target, section=number, essay=number, language=(*other, "en")[0])
        for number, (words, target, *other) in enumerate(rows)
    ]


def learnt(*rows):
    return learn(links(*rows), Vocabulary(NAMES))


def test_what_links_in_two_essays_call_a_page_is_learnt():
    (name,) = learnt(("silence of the guns", CEASEFIRE), ("silence of the guns", CEASEFIRE))
    assert (name.target, name.text, name.language, name.why) == (CEASEFIRE, "silence of the guns", "en", "")
    assert (name.links, name.sections, name.essays, name.mentions) == (2, 2, 2, (0, 1))


def test_two_links_in_one_essay_are_too_few():
    pair = [one._replace(essay=7) for one in links(("lull", CEASEFIRE), ("lull", CEASEFIRE))]
    (name,) = learn(pair, Vocabulary(NAMES))
    assert name.why == "2 links in 1 text; it takes 2 links in 2 texts."
    (name,) = learnt(("lull", CEASEFIRE))
    assert name.why == "1 link in 1 text; it takes 2 links in 2 texts."


@pytest.mark.parametrize("known", ["ceasefire", "Ceasefires", "cease\u00adfire", "CEASEFIRE"])
def test_a_name_that_the_linker_finds_already_is_not_learnt(known):
    assert learnt((known, CEASEFIRE), (known, CEASEFIRE)) == []


def test_spellings_of_one_name_are_counted_together_and_the_short_one_is_kept():
    (name,) = learnt(("Lulls", CEASEFIRE), ("lull", CEASEFIRE), ("Lull", CEASEFIRE), ("the lull", CEASEFIRE))
    assert (name.text, name.links) == ("lull", 4)


@pytest.mark.parametrize(
    ("words", "language", "name"),
    [("The lull", "en", "lull"), ("l’accalmie", "fr", "accalmie"), ("une trêve", "fr", "trêve"), ("the", "en", "the")],
)
def test_an_article_is_no_part_of_a_name(words, language, name):
    (found,) = learnt((words, CEASEFIRE, language), (words, CEASEFIRE, language))
    assert (found.text, found.language) == (name, language)


def test_words_that_mean_two_pages_are_dropped():
    (name,) = learnt(("the process", TALKS), ("the process", TALKS), ("process", CEASEFIRE))
    assert (name.target, name.others) == (TALKS, (CEASEFIRE,))
    assert name.why == "2 links mean this page by it and 1 link another one, so a name would be a guess:"


def test_the_name_of_another_page_is_dropped():
    (name,) = learnt(("parleys", CEASEFIRE), ("parley", CEASEFIRE))
    assert name.others == (TALKS,)
    assert name.why == "It is a name of another page already; texts would then link neither:"


def test_words_that_stand_in_every_sentence_are_dropped():
    (name,) = learnt(("this", CEASEFIRE), ("this", CEASEFIRE))
    assert name.why == "It holds very common words only."


def test_a_stretch_too_long_for_a_name_is_dropped():
    long = "calm " * 50
    (name,) = learnt((long, CEASEFIRE), (long, CEASEFIRE))
    assert name.why == "It has 249 characters; a name has at most 200."


def test_what_holds_no_word_teaches_nothing():
    assert learnt(("…", CEASEFIRE), ("…", CEASEFIRE)) == []


def test_a_name_has_the_language_of_most_texts_in_which_it_was_learnt():
    (name,) = learnt(("accalmie", CEASEFIRE, "fr"), ("accalmie", CEASEFIRE, "en"), ("accalmie", CEASEFIRE, "fr"))
    assert name.language == "fr"


# --- what is suggested ---------------------------------------------------------------------------------------------


def calm_in(*titles, source="They kept [[Ceasefire|the calm]] for a week.", **values):
    return [published_article(title=title, source=source, **values) for title in titles]


@database
def test_a_learnt_name_is_offered_with_its_sentences_and_counts(editor):
    ceasefire = published_concept("Ceasefire")
    calm_in("First", "Second")
    published_article(title="Third", source="A calm sea.")
    said = words_of(editor.get(SUGGESTED))
    assert "calm for Ceasefire" in said
    assert "2 links in 2 texts; it stands in 3 sections. Language: English." in said
    assert "They kept the calm for a week." in said
    shown = editor.get(SUGGESTED).text
    assert "kept <mark>the calm</mark> for" in shown
    assert 'href="/articles/first/#p1"' in shown
    assert reverse("admin:peacekb_concept_change", args=[ceasefire.pk]) in shown


@database
def test_an_everyday_word_is_dropped_with_its_numbers(editor):
    published_concept("Ceasefire")
    calm_in("First", "Second")
    published_article(source="\n\n".join(f"## Part {number}\n\nA calm sea." for number in range(19)))
    assert "calm for Ceasefire" not in words_of(editor.get(SUGGESTED))
    said = words_of(editor.get(SUGGESTED, {"show": "dropped"}))
    assert "It stands in at least 21 sections and is linked in 2 of them, fewer than 1 in 10: an everyday word." in said


@database
def test_a_word_linked_in_one_section_of_ten_is_offered(editor):
    published_concept("Ceasefire")
    calm_in("First", "Second")
    published_article(source="\n\n".join(f"## Part {number}\n\nA calm sea." for number in range(18)))
    assert "2 links in 2 texts; it stands in 20 sections." in words_of(editor.get(SUGGESTED))


@database
def test_what_was_dropped_names_the_pages_that_stand_in_the_way(editor):
    published_concept("Ceasefire")
    talks = published_concept("Talks")
    calm_in("First", "Second")
    calm_in("Third", source="The [[Talks|calm]].")
    shown = editor.get(SUGGESTED, {"show": "dropped"})
    assert "2 links mean this page by it and 1 link another one, so a name would be a guess: Talks" in words_of(shown)
    assert reverse("admin:peacekb_concept_change", args=[talks.pk]) in shown.text


@database
def test_an_address_between_brackets_teaches_no_name(editor):
    published_concept("Ceasefire", slug="cessation-of-hostilities")
    source = "See [[concept:cessation-of-hostilities]]."
    calm_in("First", "Second", source=source)
    for show in ("offered", "dropped"):
        assert "concept:cessation" not in words_of(editor.get(SUGGESTED, {"show": show}))


@database
def test_drafts_teach_nothing(editor):
    published_concept("Ceasefire")
    calm_in("First")
    draft_article(title="Second", source="They kept [[Ceasefire|the calm]].")
    assert "calm for" not in words_of(editor.get(SUGGESTED))
    assert "1 link in 1 text" in words_of(editor.get(SUGGESTED, {"show": "dropped"}))


# --- deciding ------------------------------------------------------------------------------------------------------


def decide(client, deed, page, key="calm"):
    return client.post(DECIDE, {"deed": deed, "page": page.pk, "key": key}, follow=True)


@database
def test_a_publisher_accepts_a_name_and_texts_link_it(publisher):
    ceasefire = published_concept("Ceasefire")
    calm_in("First", "Second")
    third = published_article(title="Third", source="A calm sea.")
    asked = decide(publisher, "accept", ceasefire)
    assert "A <mark>calm</mark> sea." in asked.text
    assert not ceasefire.labels.filter(text="calm").exists()
    said = words_of_messages(publisher.post(DECIDE, sent_by(asked, "_names_confirmed"), follow=True))
    assert said == [
        "“calm” becomes a name of “Ceasefire”. In other pages 1 link appeared, 0 changed and 0 vanished. "
        "See the change, or take it back."
    ]
    assert list(ceasefire.labels.filter(kind="alt").values_list("text", "language")) == [("calm", "en")]
    assert '<a class="concept" href="/concepts/ceasefire/">calm</a>' in third.sections.get().html
    newest = ceasefire.revisions.order_by("-number")[0]
    assert (newest.state, newest.editor_name, newest.note) == (
        "published",
        "paul",
        "The name “calm”, learnt from links",
    )
    assert "calm for Ceasefire" not in words_of(publisher.get(SUGGESTED))


def words_of_messages(response):
    found = re.findall(r'<li class="(?:success|warning|error|info)">(.*?)</li>', response.text, re.S)
    return [" ".join(re.sub(r"<[^>]+>", "", one).split()) for one in found]


@database
def test_an_accepted_name_has_the_language_of_the_texts(publisher):
    ceasefire = published_concept("Ceasefire")
    calm_in("Un", "Deux", source="Ils ont tenu [[Ceasefire|l’accalmie]].", language="fr")
    decide(publisher, "accept", ceasefire, "accalmie")
    assert list(ceasefire.labels.filter(kind="alt").values_list("text", "language")) == [("accalmie", "fr")]


@database
def test_an_editor_offers_a_name_as_a_draft_that_readers_do_not_see(editor, client):
    ceasefire = published_concept("Ceasefire")
    calm_in("First", "Second")
    before = client.get("/concepts/ceasefire/").text
    said = words_of_messages(decide(editor, "accept", ceasefire))
    assert said == ["“calm” is kept as a name in a draft, version 2. Readers see nothing of it until it is published."]
    assert not ceasefire.labels.filter(text="calm").exists()
    assert ceasefire.revisions.get(number=2).content["labels"] == [{"text": "calm"}]
    assert client.get("/concepts/ceasefire/").text == before
    assert "It waits in version 2." in words_of(editor.get(SUGGESTED))


@database
def test_an_editor_collects_names_in_one_draft(editor):
    ceasefire = published_concept("Ceasefire")
    calm_in("First", "Second", source="[[Ceasefire|the calm]] and [[Ceasefire|the lull]].")
    decide(editor, "accept", ceasefire)
    decide(editor, "accept", ceasefire, "lull")
    newest = ceasefire.revisions.order_by("-number")[0]
    assert [label["text"] for label in newest.content["labels"]] == ["calm", "lull"]
    decide(editor, "accept", ceasefire, "lull")
    assert ceasefire.revisions.count() == newest.number


@database
def test_accepting_tells_of_a_draft_that_lacks_the_name(editor, publisher):
    ceasefire = published_concept("Ceasefire")
    calm_in("First", "Second", source="[[Ceasefire|the calm]] and [[Ceasefire|the lull]].")
    decide(editor, "accept", ceasefire)
    said = words_of_messages(decide(publisher, "accept", ceasefire, "lull"))
    assert said[1:] == ["Version 2 of the page, a draft, lacks the name: add it before publishing that draft."]


@database
def test_a_dismissed_name_is_not_offered_again_until_that_is_undone(editor):
    ceasefire = published_concept("Ceasefire")
    calm_in("First", "Second")
    assert words_of_messages(decide(editor, "dismiss", ceasefire)) == [
        "“calm” is dismissed and will not be suggested for “Ceasefire” again."
    ]
    decide(editor, "dismiss", ceasefire)
    calm_in("Third", source="[[Ceasefire|Calms]]")
    assert "calm for Ceasefire" not in words_of(editor.get(SUGGESTED))
    assert "calm for Ceasefire" in words_of(editor.get(SUGGESTED, {"show": "dismissed"}))
    dismissed = DismissedName.objects.get()
    undo = reverse("admin:peacekb_dismissedname_undo", args=[dismissed.pk])
    assert editor.get(undo).status_code == 405
    assert words_of_messages(editor.post(undo, follow=True)) == ["“calm” may be suggested for “Ceasefire” again."]
    assert "calm for Ceasefire" in words_of(editor.get(SUGGESTED))
    assert editor.post(undo, follow=True).status_code == 404


@database
def test_what_is_no_longer_offered_is_not_accepted(publisher):
    ceasefire = published_concept("Ceasefire")
    calm_in("First", "Second")
    withdraw(ceasefire)
    said = words_of_messages(decide(publisher, "accept", ceasefire))
    assert said == ["This name is not suggested any more. Here is what is suggested now."]
    ceasefire.refresh_from_db()
    assert ceasefire.status == Status.WITHDRAWN
    assert not ceasefire.labels.filter(text="calm").exists()


@database
def test_a_page_that_is_full_of_names_takes_no_more(publisher):
    ceasefire = published_concept("Ceasefire", *(f"name {number}" for number in range(149)))
    calm_in("First", "Second")
    said = words_of_messages(decide(publisher, "accept", ceasefire))
    assert said == ["“Ceasefire” has 150 names, the most that its form holds. Take one away first."]
    assert ceasefire.labels.count() == 150


@database
@pytest.mark.parametrize(
    "posted",
    [
        {},
        {"deed": "accept"},
        {"deed": "accept", "page": "x", "key": "calm"},
        {"deed": "accept", "page": "9" * 30, "key": "calm"},
        {"deed": "dismiss", "page": "1", "key": "\x00"},
        {"deed": "\x00", "page": "1", "key": "calm"},
    ],
)
def test_what_no_form_sends_changes_nothing(publisher, posted):
    published_concept("Ceasefire")
    calm_in("First", "Second")
    revisions = Revision.objects.count()
    assert publisher.post(DECIDE, posted).status_code in (302, 400)
    assert (Revision.objects.count(), DismissedName.objects.count()) == (revisions, 0)


@database
def test_only_posts_decide_and_only_with_a_token(editor):
    ceasefire = published_concept("Ceasefire")
    calm_in("First", "Second")
    assert editor.get(DECIDE).status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.get(username="hala"))
    assert decide(strict, "dismiss", ceasefire).status_code == 403
    assert not DismissedName.objects.exists()


# --- who may ------------------------------------------------------------------------------------------------------


@database
def test_only_those_who_may_change_pages_see_the_lists():
    ceasefire = published_concept("Ceasefire")
    calm_in("First", "Second")
    reader = browser_of("rosa")
    index = reader.get("/admin/").text
    for address in (UNRESOLVED, f"{SENTENCES}?name=calm", SUGGESTED):
        assert reader.get(address).status_code == 403
        assert address not in index
        assert Client().get(address).status_code == 302
    assert decide(reader, "accept", ceasefire).status_code == 403
    assert decide(reader, "dismiss", ceasefire).status_code == 403


@database
def test_the_index_leads_to_both_lists(editor):
    index = editor.get("/admin/").text
    assert f'href="{UNRESOLVED}"' in index
    assert f'href="{SUGGESTED}"' in index


@database
def test_who_may_change_another_kind_reads_but_does_not_decide():
    ceasefire = published_concept("Ceasefire")
    calm_in("First", "Second")
    writer = browser_of("ines")
    User.objects.get(username="ines").user_permissions.add(Permission.objects.get(codename="change_article"))
    shown = writer.get(SUGGESTED)
    assert "calm for Ceasefire" in words_of(shown)
    assert "Accept" not in shown.text
    assert decide(writer, "accept", ceasefire).status_code == 403
    assert decide(writer, "dismiss", ceasefire).status_code == 403
    dismissed = DismissedName.objects.create(page=ceasefire, key="calm", text="calm")
    assert "Undo" not in writer.get(SUGGESTED, {"show": "dismissed"}).text
    assert writer.post(reverse("admin:peacekb_dismissedname_undo", args=[dismissed.pk])).status_code == 403


# --- unresolved mentions ------------------------------------------------------------------------------------------


@database
def test_an_everyday_word_waits_with_what_to_write(editor):
    consent = everyday_consent()
    published_article(title="First", source="Consent matters. Without consent there is nothing.")
    published_article(title="Second", source="They gave consent.")
    shown = editor.get(UNRESOLVED)
    assert "everyday word 3 2" in words_of(shown)
    assert "[[consent]]" in shown.text
    assert reverse("admin:peacekb_concept_change", args=[consent.pk]) in shown.text


@database
def test_a_name_of_two_pages_waits_with_a_link_to_write_for_each(editor):
    published_concept("Consent of the parties", "consent", slug="consent-of-the-parties")
    published_concept("Informed consent", "consent", slug="informed-consent")
    published_article(source="They gave consent.")
    shown = editor.get(UNRESOLVED)
    assert "name of 2 pages 1 1" in words_of(shown)
    assert "[[concept:consent-of-the-parties|consent]]" in shown.text
    assert "[[concept:informed-consent|consent]]" in shown.text


@database
def test_what_to_write_is_a_link_that_leads_to_the_page(editor):
    parties = published_concept("Consent of the parties", "consent", slug="consent-of-the-parties")
    informed = published_concept("Informed consent", "consent", slug="informed-consent")
    published_article(source="They gave consent.")
    written = re.findall(r"write <code>(\[\[.*?\]\])</code>", editor.get(UNRESOLVED).text)
    article = published_article(source=" and ".join(written))
    targets = set(article.sections.get().mentions.values_list("target", flat=True))
    assert targets == {parties.pk, informed.pk}


@database
def test_a_link_without_a_page_waits_and_a_draft_that_will_take_it_is_named(editor):
    published_article(title="First", source="See [[Buffer strip]] and [[buffer strips|the strip]].")
    said = words_of(editor.get(UNRESOLVED))
    assert "Buffer strip No page has this name." in said
    assert "link without a page 2 1" in said
    concept = Concept.objects.create(title="Buffer strip", slug="buffer-strip")
    concept.labels.create(text="Buffer strip", kind="pref")
    assert "Buffer strip (draft): linked once it is published" in words_of(editor.get(UNRESOLVED))


@database
def test_all_sentences_of_a_group_are_shown_with_their_places(editor):
    everyday_consent()
    article = published_article(title="First", source="Talks.\n\nThey gave their consent in 1995.")
    shown = editor.get(SENTENCES, {"name": "consent"})
    assert "They gave their <mark>consent</mark> in 1995." in shown.text
    assert 'href="/articles/first/#p2"' in shown.text
    assert reverse("admin:peacekb_article_change", args=[article.pk]) in shown.text
    assert "[[consent]]" in shown.text


@database
def test_sentences_of_a_link_are_found_by_what_it_names(editor):
    published_article(source="See [[Buffer strip|the strip]]. Then [[buffer strip]].\n\nAnd [[other]].")
    assert words_of(editor.get(SENTENCES, {"link": "buffer strip"})).count("See the strip.") == 1
    assert editor.get(SENTENCES, {"link": "buffer strip"}).text.count("<mark>") == 2
    assert editor.get(SENTENCES, {"link": "no such"}).status_code == 404
    assert editor.get(SENTENCES).status_code == 404


@database
def test_sentences_come_in_pages_of_fifty(editor):
    everyday_consent()
    published_article(source="\n\n".join(["They gave consent."] * 60))
    assert editor.get(SENTENCES, {"name": "consent"}).text.count("<mark>") == 50
    assert editor.get(SENTENCES, {"name": "consent", "page": "2"}).text.count("<mark>") == 10


@database
def test_the_list_is_narrowed_by_kind_and_language_of_the_texts(editor):
    published_article(source="[[Une trêve]]", language="fr")
    published_concept("Truce", source="[[A lull]]")
    assert "Une trêve" in words_of(editor.get(UNRESOLVED, {"language": "fr"}))
    assert "A lull" not in words_of(editor.get(UNRESOLVED, {"language": "fr"}))
    assert "A lull" in words_of(editor.get(UNRESOLVED, {"kind": "concept"}))
    assert "Une trêve" not in words_of(editor.get(UNRESOLVED, {"kind": "concept"}))
    everyday_consent()
    published_article(source="They gave consent.")
    assert "[[consent]]" in words_of(editor.get(UNRESOLVED, {"what": "name"}))
    assert "[[consent]]" not in words_of(editor.get(UNRESOLVED, {"what": "link"}))
    assert "A lull" not in words_of(editor.get(UNRESOLVED, {"what": "name"}))


@database
@pytest.mark.parametrize("value", ["\x00", "9" * 5000, "x'", "-1", "٣"])
def test_addresses_that_nobody_was_given_fail_on_neither_list(editor, value):
    everyday_consent()
    published_article(source="They gave consent.")
    for name in ("kind", "language", "what", "page", "show", "other"):
        assert editor.get(UNRESOLVED, {name: value}).status_code == 200
        assert editor.get(SUGGESTED, {name: value}).status_code == 200
    for name in ("name", "link"):
        assert editor.get(SENTENCES, {name: value}).status_code == 404
    assert editor.get(SENTENCES, {"name": "consent", "page": value}).status_code == 200


@database
def test_lists_refuse_lookups_as_other_lists_do(editor):
    for address in (UNRESOLVED, SENTENCES, SUGGESTED):
        assert editor.get(address, {"section__page__title__regex": "(.*)*X"}).status_code == 400


@database
def test_nothing_waits_in_pages_that_readers_do_not_have(editor):
    draft_article(source="See [[Buffer strip]].")
    gone = published_article(source="See [[Demarcation]].")
    withdraw(gone)
    said = words_of(editor.get(UNRESOLVED))
    assert "Buffer strip" not in said
    assert "Demarcation" not in said


@database
def test_empty_lists_say_what_will_appear(editor):
    assert "Nothing waits." in words_of(editor.get(UNRESOLVED))
    assert "No text waits like this." in words_of(editor.get(UNRESOLVED, {"language": "fr"}))
    assert "No name is suggested." in words_of(editor.get(SUGGESTED))
    assert "Nothing was dropped." in words_of(editor.get(SUGGESTED, {"show": "dropped"}))
    assert "No name is dismissed." in words_of(editor.get(SUGGESTED, {"show": "dismissed"}))


@database
def test_words_of_texts_are_escaped(editor):
    published_article(source="[[<b>bold</b>]]")
    shown = editor.get(UNRESOLVED).text
    assert "&lt;b&gt;bold" in shown
    assert "<b>bold" not in shown


@database
def test_longer_lists_take_no_more_queries(editor):
    everyday_consent()
    published_concept("Ceasefire")
    addresses = (UNRESOLVED, f"{SENTENCES}?name=consent", SUGGESTED, f"{SUGGESTED}?show=dropped")
    counts = []
    for number in range(2):
        for other in range(3 * number + 2):
            source = f"Consent. [[No {other}]] [[Ceasefire|the calm]] [[Ceasefire|lull {number}]] [[Ceasefire|pause]]"
            published_article(source=source)
        for address in addresses:
            editor.get(address)
        found = []
        for address in addresses:
            with CaptureQueriesContext(connection) as queries:
                editor.get(address)
            found.append(len(queries))
        counts.append(found)
    assert counts[0] == counts[1]
    assert max(counts[0]) <= 12


@database
def test_accepting_is_one_function_that_works_for_a_base_page():
    ceasefire = published_concept("Ceasefire")
    paul = User.objects.create_user("paul")
    paul.user_permissions.add(Permission.objects.get(codename="publish_page"))
    accepted = suggestions.accept(Page.objects.get(pk=ceasefire.pk), CALM, paul, note="")
    assert accepted.published
    assert ceasefire.labels.filter(text="calm", language="en", kind="alt").exists()


@database
def test_accepting_does_not_publish_a_page_that_was_withdrawn_meanwhile():
    ceasefire = published_concept("Ceasefire")
    withdraw(Page.objects.get(pk=ceasefire.pk))
    paul = User.objects.create_superuser("paul")
    assert suggestions.accept(ceasefire, CALM, paul, note="") is None
    ceasefire.refresh_from_db()
    assert ceasefire.status == Status.WITHDRAWN


@database
def test_a_page_that_cannot_be_published_keeps_its_names(publisher):
    ceasefire = published_concept("Ceasefire")
    calm_in("First", "Second")
    Concept.objects.filter(pk=ceasefire.pk).update(source="[" * 700)
    said = words_of_messages(decide(publisher, "accept", ceasefire))
    assert said[0].startswith("The name is not added: the page cannot be published as it is. Line 1:")
    assert not ceasefire.labels.filter(text="calm").exists()


@database
def test_where_there_is_too_much_to_read_the_numbers_are_the_least_there_are(editor, monkeypatch):
    monkeypatch.setattr(suggestions, "_SECTIONS_READ", 10)
    published_concept("Ceasefire")
    source = "[[Ceasefire|the calm]] and [[Ceasefire|the lull]]"
    calm_in("First", "Second", source=source)
    published_article(source="\n\n".join(f"## Part {number}\n\nA calm lull." for number in range(15)))
    said = words_of(editor.get(SUGGESTED))
    assert said.count("it stands in at least 10 sections") == 2


@database
def test_common_words_do_not_keep_others_from_being_counted(editor, monkeypatch):
    monkeypatch.setattr(suggestions, "_SECTIONS_READ", 22)
    published_concept("Ceasefire")
    published_article(source="\n\n".join(f"## Part {number}\n\nA calm sea." for number in range(30)))
    calm_in("First", "Second", source="[[Ceasefire|the calm]] and [[Ceasefire|the lull]]")
    published_article(source="\n\n".join(f"## Part {number}\n\nA lull." for number in range(5)))
    said = words_of(editor.get(SUGGESTED))
    assert "lull for Ceasefire 2 links in 2 texts; it stands in 7 sections." in said
    assert "calm for" not in said
