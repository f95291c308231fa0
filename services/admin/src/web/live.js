// Keeps the parts of a page that are marked data-live up to date; everything works without it.
"use strict";
const EVERY = 3000;
for (const part of document.querySelectorAll("[data-live]")) {
  setInterval(async () => {
    // What somebody is typing in or has opened is left alone.
    if (document.hidden || part.contains(document.activeElement)) return;
    try {
      // The header says that nobody has asked: a page that stands open keeps no session alive.
      const answer = await fetch(part.dataset.live, { credentials: "same-origin", headers: { "x-live": "1" } });
      if (!answer.ok || answer.redirected) return;
      const news = new DOMParser().parseFromString(await answer.text(), "text/html");
      const inner = news.getElementById("live") ?? news.body;
      part.replaceChildren(...(inner.id === "live" ? [inner] : inner.childNodes));
    } catch {
      // The next time.
    }
  }, EVERY);
}
