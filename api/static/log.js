// The log of one step: follows the stream of events, searches, jumps, folds groups.
import { LogLines } from "./log_lines.js";
import { LogView, isFound } from "./log_view.js";

// What a browser keeps without getting slow; the whole log is a click on "Raw" away.
const MAX_LINES = 300_000;
const MAX_CHARACTERS = 100_000_000;

const element = (id) => document.getElementById(id);
const root = element("lines");
const state = element("log-state");
const lines = new LogLines();
const view = new LogView(root, lines, () => isFollowing && toEnd());
let characters = 0;
let pending = [];
let matches = []; // numbers of lines
let matchAt = -1;
let isFollowing = true;
let firstError = 0;
let wanted = numberInAddress();

function append(batch) {
  for (const data of batch) {
    const before = lines.openGroup;
    const line = lines.append(data);
    characters += data.text.length;
    view.append(line);
    if (line.isError && !firstError) noteFirstError(line.number);
    if (view.query && isFound(line, view.query)) matches.push(line.number);
    // A group that went well folds by itself, but not under the eyes of someone who reads it.
    if (before?.hasEnded && !before.hasError && (isFollowing || isFinished())) view.toggle(before, true);
  }
  dropOldest();
  tellMatches();
}

function dropOldest() {
  while (lines.all.length > MAX_LINES || characters > MAX_CHARACTERS) {
    const count = view.dropBlock();
    for (const line of lines.all.slice(0, count)) characters -= line.text.length;
    lines.dropOldest(count);
    element("dropped").hidden = false;
    element("dropped-count").textContent = (lines.firstNumber - 1).toLocaleString("en");
  }
}

function noteFirstError(number) {
  firstError = number;
  element("first-error").disabled = false;
}

function flush() {
  if (!pending.length) return;
  const batch = pending;
  pending = [];
  append(batch);
  if (wanted && lines.get(wanted)) { setFollowing(false); view.reveal(wanted); wanted = 0; }
  else if (isFollowing) toEnd();
}

function take(data) {
  if (!pending.length) (document.hidden ? (act) => setTimeout(act, 200) : requestAnimationFrame)(flush);
  pending.push(data);
}

function toEnd() {
  scrollTo(0, document.documentElement.scrollHeight);
}

function say(text, isLive = false) {
  state.textContent = text;
  state.classList.toggle("live", isLive);
}

function setFollowing(on) {
  isFollowing = on;
  element("follow").setAttribute("aria-pressed", String(on));
}

function isFinished() {
  return "finished" in element("state").dataset;
}

function show(number) {
  setFollowing(false);
  view.reveal(number);
}

function search() {
  view.mark(element("query").value.toLowerCase());
  matches = view.query ? lines.all.filter((line) => isFound(line, view.query)).map((line) => line.number) : [];
  matchAt = -1;
  if (matches.length) step(1);
  tellMatches();
}

function step(by) {
  matches = matches.filter((number) => number >= lines.firstNumber);
  if (!matches.length) return;
  matchAt = (matchAt + by + matches.length) % matches.length;
  show(matches[matchAt]);
  tellMatches();
}

function tellMatches() {
  element("matches").value = view.query ? `${matches.length ? matchAt + 1 : 0} of ${matches.length}` : "";
  element("previous").disabled = element("next").disabled = !matches.length;
}

function numberInAddress() {
  return Number(/^#L(\d{1,9})$/.exec(location.hash)?.[1] ?? 0);
}

function follow() {
  const source = new EventSource(root.dataset.log);
  source.addEventListener("open", () => say("Waiting for the first line…", true));
  source.addEventListener("line", (event) => {
    take(JSON.parse(event.data));
    if (!state.classList.contains("said")) { state.classList.add("said"); say("Following the log as it is written", true); }
  });
  source.addEventListener("end", (event) => {
    source.close();
    flush();
    say(endText(JSON.parse(event.data)));
    refreshState();
  });
  source.addEventListener("error", () => {
    state.classList.remove("said");
    say(source.readyState === EventSource.CLOSED
      ? "The log can't be read now. Load the page again to try once more." : "The connection broke off, trying again…");
  });
}

function endText({ archived }) {
  if (lines.all.length) return archived ? "End of the log" : "End of the log; it is not in the archive yet";
  return archived ? "The log is empty: the step wrote nothing" : "This step never ran, so it has no log";
}

// The step's state above the log, until it has ended.
async function refreshState() {
  const answer = await fetch(location.href, { redirect: "error" });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById("state");
  if (fresh && !fresh.isEqualNode(element("state"))) element("state").replaceWith(document.adoptNode(fresh));
  document.title = page.title;
}

async function keepStateFresh() {
  while (!isFinished()) {
    await new Promise((wake) => setTimeout(wake, 3000));
    if (!document.hidden) await refreshState().catch(() => undefined); // the next try may do better
  }
}

element("query").addEventListener("input", search);
element("query").addEventListener("keydown", (event) => {
  if (event.key === "Enter") { event.preventDefault(); step(event.shiftKey ? -1 : 1); }
});
element("previous").addEventListener("click", () => step(-1));
element("next").addEventListener("click", () => step(1));
element("first-error").addEventListener("click", () => firstError && show(firstError));
element("follow").addEventListener("click", () => {
  setFollowing(!isFollowing);
  if (isFollowing) toEnd();
});
element("times").addEventListener("click", (event) => {
  const on = root.classList.toggle("times");
  event.currentTarget.setAttribute("aria-pressed", String(on));
});
root.addEventListener("click", (event) => event.target.closest?.("button.group-title") && setFollowing(false));
addEventListener("hashchange", () => {
  const number = numberInAddress();
  if (number) show(number);
});
addEventListener("wheel", (event) => { view.soughtUntil = 0; if (event.deltaY < 0) setFollowing(false); }, { passive: true });
addEventListener("keydown", (event) => {
  if (event.key === "/" && document.activeElement?.tagName !== "INPUT") { event.preventDefault(); element("query").focus(); }
  if (["PageUp", "Home", "ArrowUp"].includes(event.key)) setFollowing(false);
});

if (isFinished()) setFollowing(false);
follow();
keepStateFresh();
