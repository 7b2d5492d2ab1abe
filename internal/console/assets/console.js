// What the pages do by themselves: renew parts of themselves without getting in
// the way of who reads, say when the process can't be reached, and stop on request.
// Everything works without it, by links and forms.
"use strict";
document.documentElement.classList.add("js");

const pause = document.getElementById("pause");
const offline = document.getElementById("offline");
const paused = document.getElementById("paused");
const announce = document.getElementById("announce");
const live = document.querySelector("[hx-trigger]");
const clock = (at) => at.toISOString().slice(11, 19) + " UTC";
const stopped = () => pause.getAttribute("aria-pressed") === "true";

// Nothing is replaced under a text that is being selected.
function selecting(target) {
  const selection = document.getSelection();
  return selection && !selection.isCollapsed && target.contains(selection.anchorNode);
}

if (live) {
  pause.hidden = false;
  pause.addEventListener("click", () => {
    pause.setAttribute("aria-pressed", String(!stopped()));
    paused.hidden = !stopped();
    paused.textContent = "Paused: what you see is from " + clock(new Date()) + ".";
  });
}

document.addEventListener("htmx:beforeRequest", (event) => {
  if (stopped() || document.hidden || selecting(event.target)) event.preventDefault();
});

// A screen reader is told a state when it changes, not every few seconds.
let told = document.querySelector("[data-announce]")?.textContent;
document.addEventListener("htmx:afterSwap", () => {
  const now = document.querySelector("[data-announce]")?.textContent;
  if (now && now !== told) announce.textContent = told = now;
  trim();
});

// A list that grows at its head is cut at its foot.
function trim() {
  for (const list of document.querySelectorAll("[data-keep]")) {
    while (list.children.length > Number(list.dataset.keep)) list.lastElementChild.remove();
  }
}

let reached = new Date();
function unreachable() {
  offline.textContent = "The process can't be reached: what you see is from " + clock(reached) + ".";
  offline.hidden = false;
}
document.addEventListener("htmx:sendError", unreachable);
document.addEventListener("htmx:timeout", unreachable);
document.addEventListener("htmx:afterOnLoad", () => {
  reached = new Date();
  offline.hidden = true;
});

// One box ticks all of them.
document.addEventListener("change", (event) => {
  const all = event.target.closest("[data-all]");
  if (!all) return;
  for (const box of all.closest("form").querySelectorAll("input[name='" + all.dataset.all + "']")) box.checked = all.checked;
});
