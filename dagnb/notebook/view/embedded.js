// A page of its own: what a kernel would answer is in the page.

class Embedded {
  constructor(data) {
    this.data = data;
    this.handlers = {};
  }

  get(key) {
    return this.data[key];
  }

  on(name, handler) {
    (this.handlers[name] ??= new Set()).add(handler);
  }

  off(name, handler) {
    this.handlers[name]?.delete(handler);
  }

  // All folded and all open were laid out beforehand. What lies between is drawn from all open: a
  // folded group is a box in the middle of where its nodes were, and nothing else moves.
  look(folded) {
    const { opened, folded: shut } = this.data;
    this.data.graph = !folded.size ? opened : folded.size === shut.folds.length ? shut : foldedInPlace(opened, shut, folded);
    this.handlers["change:graph"]?.forEach((handler) => handler());
  }

  // Which groups are folded after a click: one more or one less, or all or none for no name.
  after({ kind, name, folded }) {
    const all = this.data.folded.folds.map(([group]) => group);
    const now = new Set(this.data.graph.folds.map(([group]) => group));
    const group = kind === "reveal" ? this.data.opened.nodes.find(([node]) => node === name)?.[2] : name;
    for (const each of group ? [group] : all) if (folded && all.includes(each)) now.add(each); else now.delete(each);
    return now;
  }

  send({ kind, name, folded }) {
    if (kind === "fold" || kind === "reveal") this.look(this.after({ kind, name, folded }));
    const answer = { details: () => ({ name, ...this.data.details[name] }), recording: () => this.data.recording }[kind]?.();
    if (answer) queueMicrotask(() => this.handlers["msg:custom"]?.forEach((handler) => handler({ kind, ...answer })));
  }
}

// The geometry of a drawing in which these groups are folded, and all else is where it was.
function foldedInPlace(opened, shut, folded) {
  const down = opened.direction !== "LR";
  const nodes = opened.nodes.filter(([, , group]) => !folded.has(group));
  const folds = shut.folds.filter(([group]) => folded.has(group)).map(([group, label, count, , , w, h]) => {
    const inside = opened.nodes.filter((node) => node[2] === group);
    const middle = (at, size) => (Math.min(...inside.map((node) => node[at])) + Math.max(...inside.map((node) => node[at] + node[size]))) / 2;
    return [group, label, count, middle(3, 5) - w / 2, middle(4, 6) - h / 2, w, h];
  });
  const items = [...nodes, ...folds];
  const place = opened.nodes.map((node) => (folded.has(node[2]) ? nodes.length + folds.findIndex(([group]) => group === node[2]) : nodes.indexOf(node)));
  const edges = new Map();
  for (const [from, to, d, ...back] of opened.edges) {
    const [a, b] = [place[from], place[to]];
    if (a === b || edges.has(`${a} ${b}`)) continue;
    edges.set(`${a} ${b}`, [a, b, a < nodes.length && b < nodes.length ? d : curve(items[a].slice(-4), items[b].slice(-4), down), ...back]);
  }
  const hidden = folds.flatMap(([group], i) => opened.nodes.filter((node) => node[2] === group).map(([name]) => [name, i]));
  return { ...opened, nodes, folds, hidden, edges: [...edges.values()], groups: opened.groups.filter(([group]) => !folded.has(group)) };
}

// From the end of one box to the beginning of another, as edges run.
function curve([x, y, w, h], [u, v, p, q], down) {
  const [a, b, c, e] = down ? [x + w / 2, y + h, u + p / 2, v - 7] : [x + w, y + h / 2, u - 7, v + q / 2];
  return down ? `M${a},${b}C${a},${(b + e) / 2} ${c},${(b + e) / 2} ${c},${e}` : `M${a},${b}C${(a + c) / 2},${b} ${(a + c) / 2},${e} ${c},${e}`;
}

const shown = new Graph(new Embedded(JSON.parse(document.getElementById("dagnb-data").textContent)), document.querySelector("main"));
const replay = shown.replay;
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => shown.page.theme());
replay.open();

// Where nothing else listens, keys go to the replay.
window.addEventListener("keydown", (event) => {
  if (event.target !== document.body || event.ctrlKey || event.metaKey || event.altKey || !replay.frames) return;
  const known = event.key === " " ? (replay.play(), true) : replay.step(event.key);
  if (known) event.preventDefault();
});
