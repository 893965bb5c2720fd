// Terminal output as styled pieces of plain text. Colours and weights (SGR) become classes; every other control is dropped:
// cursor movement, titles and links (OSC), bells. Nothing a log contains can become markup or a link.

const CONTROL = new RegExp(
  "\\x1b\\[([0-9;:]*)m" + // SGR, the only one with a meaning here
    "|\\x1b\\[[0-?]*[ -/]*[@-~]" + // other CSI
    "|\\x1b[\\]PX^_][^\\x07\\x1b\\x9c]*(?:\\x07|\\x1b\\\\|\\x9c|$)" + // OSC, DCS, SOS, PM, APC, with what they carry
    "|\\x1b[ -/]*[0-~]|\\x1b|\\x9b[0-?]*[ -/]*[@-~]" +
    "|[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\u202a-\\u202e\\u2066-\\u2069]",
  "g",
);
const NEEDS_CARE = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/;
const FLAGS = { 1: "bold", 2: "faint", 3: "italic", 4: "underline", 7: "inverse", 9: "strike" };
const FLAG_ENDS = { 22: ["bold", "faint"], 23: ["italic"], 24: ["underline"], 27: ["inverse"], 29: ["strike"] };

// "text" → [{ text, classes: "bold fg1" }, …]. A carriage return starts the line anew, as a progress bar does.
export function parseAnsi(line) {
  const shown = line.replace(/\r+$/, "");
  const style = { flags: new Set(), fg: null, bg: null };
  const pieces = [];
  let from = 0;
  const push = (text) => text && pieces.push({ text, classes: classesOf(style) });
  for (const match of shown.matchAll(CONTROL)) {
    push(shown.slice(from, match.index));
    from = match.index + match[0].length;
    if (match[1] !== undefined) applySgr(style, match[1]);
    else if (match[0] === "\r") pieces.length = 0;
  }
  push(shown.slice(from));
  return pieces;
}

// The same text without its styles.
export function plainText(line) {
  return NEEDS_CARE.test(line) ? parseAnsi(line).map((piece) => piece.text).join("") : line;
}

function classesOf({ flags, fg, bg }) {
  return [...flags, fg === null ? "" : `fg${fg}`, bg === null ? "" : `bg${bg}`].filter(Boolean).join(" ");
}

function applySgr(style, parameters) {
  const codes = parameters.split(/[;:]/).map(Number);
  for (let at = 0; at < codes.length; at += 1) {
    const code = codes[at];
    if (code === 0) { style.flags.clear(); style.fg = null; style.bg = null; }
    else if (FLAGS[code]) style.flags.add(FLAGS[code]);
    else if (FLAG_ENDS[code]) FLAG_ENDS[code].forEach((flag) => style.flags.delete(flag));
    else if (code === 38 || code === 48) at += applyExtended(style, code === 38 ? "fg" : "bg", codes.slice(at + 1));
    else if (code === 39) style.fg = null;
    else if (code === 49) style.bg = null;
    else if (code >= 30 && code <= 37) style.fg = code - 30;
    else if (code >= 90 && code <= 97) style.fg = code - 90;
    else if (code >= 40 && code <= 47) style.bg = code - 40;
    else if (code >= 100 && code <= 107) style.bg = code - 100;
  }
}

// 256 and true colours are brought to the nearest of the eight, which fit both themes. Returns how many codes were used.
function applyExtended(style, plane, rest) {
  if (rest[0] === 5) { style[plane] = nearestOfPalette(rest[1] ?? 0); return 2; }
  if (rest[0] === 2) { style[plane] = nearest(rest.slice(1, 4)); return 4; }
  return rest.length;
}

function nearestOfPalette(index) {
  if (index < 16) return index % 8;
  if (index >= 232) return index > 243 ? 7 : 0;
  const cube = index - 16;
  return nearest([Math.floor(cube / 36) * 51, (Math.floor(cube / 6) % 6) * 51, (cube % 6) * 51]);
}

function nearest([red = 0, green = 0, blue = 0]) {
  const half = Math.max(red, green, blue) / 2;
  return (red > half ? 1 : 0) + (green > half ? 2 : 0) + (blue > half ? 4 : 0);
}
