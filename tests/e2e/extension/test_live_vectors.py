"""The key exchange of live transfers with the X25519 of each browser, in a page of the extension."""

from __future__ import annotations

from tests.e2e.extension.driver import Driver
from tests.support.live_vectors import DRAFT, VECTORS

RUN = """async (draft, { exchanges, refused }) => {
    const core = new URL("core/", location.href);
    const module = (name) => import(new URL(name, core).href);
    const [cpace, live, bytes] = await Promise.all(["cpace.js", "liveExchange.js", "bytes.js"].map(module));
    const { fromBase64url: read, toBase64url: show } = bytes;
    const hex = (given) => Uint8Array.from(given.match(/../g) ?? [], (digits) => parseInt(digits, 16));
    const isRefused = (work) => work.then(() => false, (error) => error instanceof cpace.BadShareError);
    const found = { has: await live.canTransferLive(), wrong: [], run: 0 };
    const check = (name, holds) => { found.run += 1; if (!holds) found.wrong.push(name); };
    const G = Object.fromEntries(Object.entries(draft.G_25519).map(([name, value]) => [name, hex(value)]));
    const scalar = await cpace.scalarOf(G.ya);
    check("g", show(await cpace.generator(G.PRS, G.CI, G.sid)) === show(G.g));
    check("Ya", show(await cpace.multiply(scalar, G.g)) === show(G.Ya));
    check("K", show(await cpace.multiply(scalar, G.Yb)) === show(G.K));
    for (const name of draft.must_be_refused)
        check(name, await isRefused(cpace.multiply(scalar, hex(draft.X25519_points[name]))));
    for (const { name, share } of refused.shares)
        check(name, await isRefused(cpace.multiply(scalar, read(share))));
    for (const each of exchanges) {
        const { letters, service, number, maker_role: makerRole } = each;
        const secret = { letters, service, number, makerRole };
        const offer = await live.makeOffer(secret, read(each.session), read(each.scalar_a));
        const given = { session: read(each.session), share: offer.share };
        const answer = await live.answerOffer(secret, given, read(each.scalar_b));
        const agreement = await offer.agree(answer.share);
        check(each.name, show(answer.share) === each.share_b && show(agreement.tag) === each.tag_a);
        check(each.name, show(agreement.expected) === each.tag_b && answer.agreement.proof === each.proof);
        check(each.name, show(agreement.key) === each.key && show(answer.agreement.key) === each.key);
    }
    return found;
}"""


def test_the_vectors_hold_in_the_browser(driver: Driver) -> None:
    driver.open("popup.html")
    shares, exchanges = len(VECTORS["refused"]["shares"]), len(VECTORS["exchanges"])
    run = 3 + 7 + shares + 3 * exchanges
    assert driver.evaluate(RUN, DRAFT, VECTORS) == {"has": True, "wrong": [], "run": run}
