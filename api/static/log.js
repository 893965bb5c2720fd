// The log of one step: follows the stream of events, keeps the newest lines, searches, jumps.
import { parseAnsi } from "./ansi.js";

const MAX_LINES = 50000;
const BLOCK_LINES = 200; // blocks out of sight are not laid out
const ERROR = /\b(error|errors|failed|failure|fatal|panic|traceback|exception)\b/i;
const NO_ERROR = /\b(0|no) (errors?|failed|failures?)\b/i;

const element = (id) => document.getElementById(id);
const lines = element("lines");
const state = element("log-state");
const shown = []; // one { node, text } a line
let firstNumber = 1;
let pending = [];
let matches = [];
let matchAt = -1;
let isFollowing = true;
let firstError = null;

function buildLine(number, { time, container, text }) {
  const node = document.createElement("div");
  node.className = `line ${["step", "checkout", "c8s"].includes(container) ? container : "step"}`;
  node.id = `L${number}`;
  const link = Object.assign(document.createElement("a"), { className: "number", href: `#L${number}`, textContent: number });
  const clock = Object.assign(document.createElement("time"), { dateTime: time, textContent: time.slice(11, 23) });
  const body = Object.assign(document.createElement("span"), { className: "text" });
  const pieces = parseAnsi(text);
  for (const piece of pieces) {
    if (piece.classes) body.append(Object.assign(document.createElement("span"), { className: piece.classes, textContent: piece.text }));
    else body.append(piece.text);
  }
  node.append(link, clock, body);
  return { node, text: pieces.map((piece) => piece.text).join("") };
}

function append(batch) {
  for (const data of batch) {
    const line = buildLine(firstNumber + shown.length, data);
    let block = lines.lastElementChild;
    if (!block || block.childElementCount >= BLOCK_LINES) {
      block = Object.assign(document.createElement("div"), { className: "block" });
      lines.append(block);
    }
    block.append(line.node);
    shown.push(line);
    if (data.container !== "c8s" && ERROR.test(line.text) && !NO_ERROR.test(line.text)) markError(line);
    if (query() && line.text.toLowerCase().includes(query())) addMatch(line);
  }
  dropOldest();
  tellMatches();
}

function dropOldest() {
  while (shown.length > MAX_LINES) {
    const block = lines.firstElementChild;
    shown.splice(0, block.childElementCount);
    firstNumber += block.childElementCount;
    block.remove();
  }
}

function markError(line) {
  line.node.classList.add("error");
  if (firstError) return;
  firstError = line.node;
  element("first-error").disabled = false;
}

function flush() {
  if (!pending.length) return;
  const batch = pending;
  pending = [];
  const hadTarget = location.hash && document.querySelector(":target");
  append(batch);
  const target = /^#L\d+$/.test(location.hash) && element(location.hash.slice(1));
  if (target && !hadTarget) { setFollowing(false); location.replace(location.hash); target.scrollIntoView({ block: "center" }); }
  else if (isFollowing) scrollTo(0, document.documentElement.scrollHeight);
}

function take(data) {
  if (!pending.length) (document.hidden ? (act) => setTimeout(act, 200) : requestAnimationFrame)(flush);
  pending.push(data);
}

function say(text, isLive = false) {
  state.textContent = text;
  state.classList.toggle("live", isLive);
}

function setFollowing(on) {
  isFollowing = on;
  element("follow").setAttribute("aria-pressed", String(on));
}

function show(node) {
  document.querySelector(".line.current")?.classList.remove("current");
  node.classList.add("current");
  setFollowing(false);
  node.scrollIntoView({ block: "center" });
}

function query() {
  return element("query").value.toLowerCase();
}

function addMatch(line) {
  line.node.classList.add("match");
  matches.push(line.node);
}

function search() {
  matches.forEach((node) => node.classList.remove("match"));
  matches = [];
  matchAt = -1;
  if (query()) shown.filter((line) => line.text.toLowerCase().includes(query())).forEach(addMatch);
  if (matches.length) step(1);
  tellMatches();
}

function step(by) {
  matches = matches.filter((node) => node.isConnected);
  if (!matches.length) return;
  matchAt = (matchAt + by + matches.length) % matches.length;
  show(matches[matchAt]);
  tellMatches();
}

function tellMatches() {
  element("matches").value = query() ? `${matches.length ? matchAt + 1 : 0} of ${matches.length}` : "";
  element("previous").disabled = element("next").disabled = !matches.length;
}

function follow() {
  const source = new EventSource(lines.dataset.log);
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
  if (shown.length) return archived ? "End of the log" : "End of the log; it is not in the archive yet";
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
  while (!("finished" in element("state").dataset)) {
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
  if (isFollowing) scrollTo(0, document.documentElement.scrollHeight);
});
element("times").addEventListener("click", (event) => {
  const on = lines.classList.toggle("times");
  event.currentTarget.setAttribute("aria-pressed", String(on));
});
addEventListener("wheel", (event) => event.deltaY < 0 && setFollowing(false), { passive: true });
addEventListener("keydown", (event) => {
  if (event.key === "/" && document.activeElement?.tagName !== "INPUT") { event.preventDefault(); element("query").focus(); }
  if (["PageUp", "Home", "ArrowUp"].includes(event.key)) setFollowing(false);
});

if ("finished" in element("state").dataset) setFollowing(false);
follow();
keepStateFresh();
