// Shows how a run goes on, without loading the page again: that would move the focus of a keyboard or a screen reader.
"use strict";

const PAUSE = 3000;

async function refresh() {
  try {
    const answer = await fetch(location.href, { redirect: "error" });
    if (answer.ok) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const shown of document.querySelectorAll("[data-live]")) {
        const next = page.getElementById(shown.id);
        if (next && !shown.querySelector(":focus")) show(next, shown);
      }
    }
  } catch {
    // The service restarts, or the network is gone: the next attempt tells.
  }
  follow();
}

function show(next, shown) {
  if (next.innerHTML !== shown.innerHTML) shown.replaceChildren(...next.childNodes);
  shown.dataset.live = next.dataset.live;
}

function follow() {
  if (document.querySelector("[data-live=going]")) setTimeout(refresh, PAUSE);
}

follow();
