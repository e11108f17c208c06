"""The pages for people, in a real browser: what they show, and that they ask nobody else for anything."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import sync_playwright

from e2e.one_machine import OneMachine
from e2e.services import Services
from e2e.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import NoReturn

    from playwright.sync_api import Browser, ConsoleMessage, Page, Request

    from e2e.services import Service

SCHEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")
# Every text's contrast with what is behind it (WCAG 2.2, 1.4.3), and the texts where it is less than 4.5.
FAINT: Final = """() => {
  const parse = (color) => color.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
    .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const color = parse(getComputedStyle(each).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const ratio = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  return [...document.querySelectorAll("body *")]
    .filter((each) => !each.closest("svg") && each.checkVisibility()
      && [...each.childNodes].some((node) => node.nodeType === 3 && node.data.trim()))
    .map((each) => [each.innerText, ratio(light(parse(getComputedStyle(each).color)), light(behind(each)))])
    .filter(([, contrast]) => contrast < 4.5);
}"""


class Watched:
    """A page, and what went wrong on it."""

    def __init__(self, page: Page, host: str) -> None:
        self.page = page
        self.wrong: list[str] = []
        self._host = host
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        page.on("requestfailed", lambda request: self.wrong.append(f"failed: {request.url}"))
        page.on("request", self._requested)

    def _said(self, message: ConsoleMessage) -> None:
        # A violation of the policy is one of these, too.
        if message.type in ("error", "warning"):
            self.wrong.append(f"console: {message.text}")

    def _requested(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme != "data" and address.netloc != self._host:
            self.wrong.append(f"another host: {request.url}")


@pytest.fixture(scope="module")
def browser(cannot_run: Callable[[str], NoReturn]) -> Iterator[Browser]:
    program = shutil.which("chromium")
    if program is None:
        cannot_run("There is no chromium (Debian's package of that name) to show the pages.")
    with sync_playwright() as playwright:
        # Without a sandbox: it cannot be had as root, and what is shown is our own.
        started = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        try:
            yield started
        finally:
            started.close()


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("services")


@pytest.fixture(scope="module")
def services(browser: Browser, directory: Path) -> Iterator[Services]:  # noqa: ARG001  without a browser nothing is started
    started = Services(OneMachine(directory).environment, directory)
    try:
        yield started
    finally:
        started.kill_all()


@pytest.fixture(scope="module")
def intake(services: Services) -> Service:
    """With several workers, whose parent has the private port."""
    return services.intake(WORKERS="2")


@pytest.fixture(scope="module")
def broker(services: Services) -> Service:
    return services.broker()


@contextmanager
def shown(browser: Browser, port: int, path: str, **options: Any) -> Iterator[Page]:
    """A page that has loaded; nothing may have gone wrong on it until the end of the body."""
    context = browser.new_context(viewport={"width": 1200, "height": 900}, **options)
    context.set_default_timeout(20_000)
    try:
        watched = Watched(context.new_page(), f"127.0.0.1:{port}")
        watched.page.goto(f"http://127.0.0.1:{port}{path}")
        yield watched.page
        assert watched.wrong == []
    finally:
        context.close()


def is_dark(page: Page) -> bool:
    color: str = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return sum(int(part) for part in color.removeprefix("rgb(").removesuffix(")").split(",")) < 3 * 128


def fits(page: Page) -> bool:
    """Whether nothing has to be scrolled sideways on a phone."""
    page.set_viewport_size({"width": 360, "height": 740})
    fitting: bool = page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    return fitting


def dark_as_asked(page: Page) -> bool:
    """Whether the page is light or dark as the reader's system is, also when that changes, and all text to be seen."""
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        if is_dark(page) is not (scheme == "dark"):
            return False
        assert page.evaluate(FAINT) == []
    return True


def test_an_email_can_be_posted_from_the_page_of_the_description(
    browser: Browser, intake: Service, broker: Service, directory: Path
) -> None:
    assert broker.is_ready()
    with shown(browser, intake.port, "/docs", color_scheme="dark") as page:
        operation = page.locator(".opblock-post")
        operation.wait_for()
        assert page.locator("html.dark-mode").count() == 1
        assert "/process_request" in operation.inner_text()
        assert page.locator(".plain").count() == 0
        page.get_by_role("button", name="Try it out").click()
        page.get_by_role("button", name="Execute").click()
        answer = page.locator(".live-responses-table tbody tr").first
        answer.wait_for()
        assert answer.locator(".response-col_status").inner_text().strip() == "200"
        assert "Request processed successfully" in answer.inner_text()
        for scheme in SCHEMES:  # it changes while the page is open
            page.emulate_media(color_scheme=scheme)
            page.locator(f"html{'.dark-mode' if scheme == 'dark' else ':not(.dark-mode)'}").wait_for()
            assert is_dark(page) is (scheme == "dark")
    until(lambda: "sqs_message_1706213694.json" in OneMachine(directory).objects(), "the e-mail is archived")


def test_without_javascript_there_is_a_plain_page(browser: Browser, intake: Service) -> None:
    with shown(browser, intake.port, "/docs", java_script_enabled=False) as page:
        assert "Queue an e-mail durably" in page.locator(".plain").inner_text()
        assert page.locator("table").count() > 3
        assert dark_as_asked(page)
        assert fits(page)


@pytest.mark.parametrize("service", ["intake", "broker"])
def test_the_private_page_shows_the_service_and_its_plots_to_every_eye_and_to_none(
    browser: Browser, service: str, request: pytest.FixtureRequest
) -> None:
    running: Service = request.getfixturevalue(service)
    with shown(browser, running.private_port, "/") as page:
        assert page.locator("h1").inner_text() == running.program
        assert page.locator(".state").inner_text() == "Ready"
        plots = page.get_by_role("img")
        assert plots.count() >= 5
        for plot in plots.all():
            assert " in the last " in (plot.locator("title").text_content() or "")
        assert dark_as_asked(page)
        assert page.locator(".state").evaluate("each => getComputedStyle(each).display") == "flex"  # it has its style
        assert fits(page)
        page.get_by_role("link", name="Refresh every 30 s").click()
        page.get_by_role("link", name="Refresh no more").wait_for()
        assert page.locator('meta[http-equiv="refresh"]').count() == 1
