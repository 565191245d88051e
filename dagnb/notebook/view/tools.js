// What all parts use. LOOK (icons, words, colours) is put before this file by widget.py.

const FAR = 0.42; // below this zoom: no text, no icons, boxes filled with their status colour
const FLOOR = 0.72; // a small graph starts no smaller than this: pan instead
const SMALL = 150;
const MANY = 300;
const MANY_EDGES = 2500;
const TALLEST = 720;
const SVG = "http://www.w3.org/2000/svg";
const FRESH = new Set(["completed", "cached", "reused", "cutoff"]);
const WAITING = new Set(["pending", "stale"]);

function make(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

function draw(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(node, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value === false || value == null) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child != null));
  return node;
}

function icon(status) {
  const image = draw("svg", { class: "dagnb-icon", "data-status": status, viewBox: "-7.5 -7.5 15 15", "aria-hidden": "true" });
  image.innerHTML = LOOK.icons[status];
  return image;
}

function duration(seconds) {
  if (seconds == null) return "";
  if (seconds < 0.0995) return `${Math.round(Math.max(seconds, 0) * 1000)}ms`;
  if (seconds < 9.95) return `${seconds.toFixed(1)}s`;
  const whole = Math.round(seconds);
  const two = (n) => String(n).padStart(2, "0");
  if (whole < 60) return `${whole}s`;
  if (whole < 3600) return `${Math.floor(whole / 60)}m${two(whole % 60)}`;
  return `${Math.floor(whole / 3600)}h${two(Math.floor((whole % 3600) / 60))}`;
}

function flow(source, target) {
  if (target === "running") return "live";
  if (target === "skipped" || target === "cancelled") return "dead";
  return FRESH.has(source) && FRESH.has(target) ? "done" : "wait";
}

function clamp(value, low, high) {
  return Math.min(Math.max(value, low), Math.max(low, high));
}

const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches || document.body.classList.contains("vscode-reduce-motion");
