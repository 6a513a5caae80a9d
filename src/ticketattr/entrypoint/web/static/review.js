// Keys for the review. Without this script, every choice is a button all the same.
"use strict";

const tickets = [...document.querySelectorAll(".ticket")];
const NEXT = "ticketattr-next-ticket";

function place(element) {
  return tickets.indexOf(element.closest(".ticket"));
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.target.matches("input, select, textarea")) return;
  const step = { j: 1, k: -1 }[event.key];
  const current = place(document.activeElement);
  if (step) {
    const next = tickets[current < 0 ? 0 : current + step];
    if (next) next.focus();
  } else if (/^[1-9]$/.test(event.key) && current >= 0) {
    const button = tickets[current].querySelectorAll("button[name=entry]")[Number(event.key) - 1];
    if (button) button.click();
  }
});

// A choice loads the page again: the next ticket has the focus then, so that the keys go on.
document.addEventListener("submit", (event) => {
  const current = place(event.target);
  if (current < 0) return;
  const next = tickets[current + 1] || tickets[current - 1];
  sessionStorage.setItem(NEXT, next ? next.id : "");
});

const next = document.getElementById(sessionStorage.getItem(NEXT) || "");
sessionStorage.removeItem(NEXT);
if (next) next.focus();
