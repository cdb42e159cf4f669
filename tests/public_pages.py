"""One address of every page type in the starter library; a new type is covered everywhere once it stands here."""

ESSAY = "/articles/diplomacy-in-peacekeeping/"
HOME, CONCEPT, SEARCH = "/", "/concepts/ceasefire/", "/search/?q=ceasefire"
PAGES = [
    HOME,
    "/about/",
    "/display/",
    "/articles/",
    ESSAY,
    f"{ESSAY}introduction/",
    f"{ESSAY}history/",
    f"{ESSAY}cite/",
    f"{ESSAY}mentions/",
    "/concepts/",
    "/concepts/?by=phase",
    CONCEPT,
    "/concepts/sulh/",
    f"{CONCEPT}mentions/",
    f"{CONCEPT}mentions/?sort=before",
    f"{CONCEPT}cite/",
    "/roles/",
    "/roles/mediator/",
    "/tasks/",
    "/tasks/building-institutions/",
    "/phases/ceasefire/",
    "/phases/any/",
    "/tags/",
    "/tags/mediation/",
    "/tags/mediation+negotiation/",
    "/tags/mediation,negotiation/",
    "/tags/peacekeeping+reconciliation/",
    "/tags/mediation/?kind=concept&role=mediator&year=2026",
    "/tags/mediation,negotiation,law/",
    "/sources/",
    "/sources/un-charter/",
    "/search/",
    SEARCH,
    "/search/?q=truce",
    "/search/?q=zanzibarine",
]
#: What answers with an error, and how.
ERRORS = {
    "/articles/diplomacy-in-peacekeping/": 404,
    "/nowhere/": 404,
    "/search/?kind=planet": 400,
}
