// Shows the lines of a log in blocks. Only blocks near the window have nodes; the others keep their height.
import { parseAnsi } from "./ansi.js";
import { isVisible } from "./log_lines.js";

const BLOCK_LINES = 200;
const LINE_PIXELS = 20; // until a block has been measured
const MARGIN_PIXELS = 1500;
const SETTLE_MILLISECONDS = 400;

export class LogView {
  // `onDraw` is called when heights may have changed.
  constructor(root, lines, onDraw) {
    this.root = root;
    this.lines = lines;
    this.onDraw = onDraw;
    this.blocks = [];
    this.query = "";
    this.current = 0;
    this.soughtUntil = 0; // what is drawn around a revealed line moves it; until then it is brought back
    this.observer = new IntersectionObserver((entries) => this.see(entries), { rootMargin: `${MARGIN_PIXELS}px 0px` });
    root.addEventListener("click", (event) => {
      const head = event.target.closest?.("button.group-title");
      if (head) this.toggle(this.lines.get(Number(head.dataset.line)).heads);
    });
  }

  append(line) {
    let block = this.blocks.at(-1);
    if (!block || line.number >= block.first + BLOCK_LINES) block = this.addBlock(line.number);
    block.last = line.number;
    if (block.isDrawn && isVisible(line)) block.node.append(this.buildLine(line));
    else if (!block.isDrawn) this.reserve(block);
  }

  addBlock(first) {
    const node = Object.assign(document.createElement("div"), { className: "block" });
    const block = { first, last: first, node, isDrawn: false };
    node.block = block;
    this.blocks.push(block);
    this.root.append(node);
    this.observer.observe(node);
    return block;
  }

  // Forgets the oldest block; returns how many lines that were.
  dropBlock() {
    const block = this.blocks.shift();
    this.observer.unobserve(block.node);
    block.node.remove();
    return block.last - block.first + 1;
  }

  see(entries) {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting && !target.block.isDrawn) this.draw(target.block);
      else if (!isIntersecting && target.block.isDrawn) this.clear(target.block);
    }
    if (performance.now() < this.soughtUntil) this.nodeOf(this.current)?.scrollIntoView({ block: "center" });
    this.onDraw();
  }

  draw(block) {
    block.isDrawn = true;
    block.node.style.height = "";
    block.node.replaceChildren(...this.visibleLines(block).map((line) => this.buildLine(line)));
  }

  clear(block) {
    const height = block.node.offsetHeight;
    block.isDrawn = false;
    block.node.style.height = `${height}px`;
    block.node.replaceChildren();
  }

  reserve(block) {
    block.node.style.height = `${this.visibleLines(block).length * LINE_PIXELS}px`;
  }

  visibleLines(block) {
    const from = block.first - this.lines.firstNumber;
    return this.lines.all.slice(from, from + block.last - block.first + 1).filter(isVisible);
  }

  toggle(group, isCollapsed = !group.isCollapsed) {
    group.isCollapsed = isCollapsed;
    const focused = document.activeElement?.dataset?.line;
    for (const block of this.blocks) {
      if (block.last < group.first || block.first > group.last) continue;
      if (block.isDrawn) this.draw(block);
      else this.reserve(block);
    }
    if (focused) this.root.querySelector(`button[data-line="${focused}"]`)?.focus({ preventScroll: true });
  }

  // Brings a line into the middle of the window and marks it.
  reveal(number) {
    const line = this.lines.get(number);
    if (!line) return false;
    if (line.group?.isCollapsed) this.toggle(line.group, false);
    const block = this.blocks.find(({ last }) => number <= last);
    if (!block.isDrawn) this.draw(block);
    this.setCurrent(number);
    this.soughtUntil = performance.now() + SETTLE_MILLISECONDS;
    this.nodeOf(number)?.scrollIntoView({ block: "center" });
    return true;
  }

  setCurrent(number) {
    this.nodeOf(this.current)?.classList.remove("current");
    this.current = number;
    this.nodeOf(number)?.classList.add("current");
  }

  // Marks the lines that contain `query` (lower case).
  mark(query) {
    this.query = query;
    for (const node of this.root.querySelectorAll(".line")) {
      node.classList.toggle("match", this.matches(this.lines.get(Number(node.id.slice(1)))));
    }
  }

  matches(line) {
    return Boolean(this.query) && isFound(line, this.query);
  }

  nodeOf(number) {
    return document.getElementById(`L${number}`);
  }

  buildLine(line) {
    const node = document.createElement("div");
    node.id = `L${line.number}`;
    node.className = `line ${["step", "checkout", "c8s"].includes(line.container) ? line.container : "step"}`;
    node.classList.toggle("grouped", line.group !== null);
    node.classList.toggle("error", line.isError);
    node.classList.toggle("match", this.matches(line));
    node.classList.toggle("current", line.number === this.current);
    const link = Object.assign(document.createElement("a"), { className: "number", href: `#${node.id}`, textContent: line.number });
    const clock = Object.assign(document.createElement("time"), { dateTime: line.time, textContent: line.time.slice(11, 23) });
    node.append(link, clock, line.heads ? buildTitle(line) : buildText(line));
    return node;
  }
}

export function isFound(line, query) {
  return !line.isEnd && line.plain.toLowerCase().includes(query);
}

function buildTitle({ number, heads }) {
  const button = Object.assign(document.createElement("button"), { type: "button", className: "group-title", textContent: heads.title });
  button.dataset.line = number;
  button.setAttribute("aria-expanded", String(!heads.isCollapsed));
  const count = `${heads.count} ${heads.count === 1 ? "line" : "lines"}`;
  if (heads.isCollapsed) button.append(Object.assign(document.createElement("span"), { className: "count", textContent: count }));
  return button;
}

function buildText({ text }) {
  const body = Object.assign(document.createElement("span"), { className: "text" });
  for (const piece of parseAnsi(text)) {
    if (piece.classes) body.append(Object.assign(document.createElement("span"), { className: piece.classes, textContent: piece.text }));
    else body.append(piece.text);
  }
  return body;
}
