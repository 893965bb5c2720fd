// The lines of a log and the groups they form. Knows nothing of the page.
import { plainText } from "./ansi.js";

const ERROR = /\b(error|errors|failed|failure|fatal|panic|traceback|exception)\b/i;
const NO_ERROR = /\b(0|no) (errors?|failed|failures?)\b/i;
const GROUP = /^::group::(.*)/s;
const GROUP_END = /^::endgroup::\s*$/;

export class LogLines {
  constructor() {
    this.all = []; // { number, time, container, text, plain, isError, group, heads }
    this.openGroup = null;
    this.nextNumber = 1;
  }

  // Takes a line as the stream sends it. `group` is the group it lies in, `heads` the one it begins.
  // A group ends at ::endgroup::, at the next group or the next container; one that has not ended is a group too.
  append({ time, container, text }) {
    const plain = plainText(text);
    const line = { number: this.nextNumber, time, container, text, plain, isError: false, isEnd: false, group: null, heads: null };
    this.nextNumber += 1;
    const title = container === "step" && GROUP.exec(plain);
    if (title) this.beginGroup(line, title[1].trim());
    else if (container === "step" && GROUP_END.test(plain)) { line.isEnd = true; this.endGroup(); }
    else if (container === "step") this.addToGroup(line);
    else if (container !== "c8s") this.endGroup();
    line.isError = container !== "c8s" && ERROR.test(plain) && !NO_ERROR.test(plain);
    if (line.isError && line.group) line.group.hasError = true;
    this.all.push(line);
    return line;
  }

  beginGroup(line, title) {
    this.endGroup();
    this.openGroup = { title: title || "Group", count: 0, first: line.number, last: line.number, hasError: false, hasEnded: false, isCollapsed: false };
    line.heads = this.openGroup;
  }

  addToGroup(line) {
    if (!this.openGroup) return;
    line.group = this.openGroup;
    line.group.count += 1;
    line.group.last = line.number;
  }

  endGroup() {
    if (this.openGroup) this.openGroup.hasEnded = true;
    this.openGroup = null;
  }

  get(number) {
    return this.all[number - this.firstNumber];
  }

  get firstNumber() {
    return this.nextNumber - this.all.length;
  }

  dropOldest(count) {
    this.all.splice(0, count);
  }
}

export function isVisible(line) {
  return !line.isEnd && !line.group?.isCollapsed;
}
