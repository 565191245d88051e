// The drawing as a file. Python makes it from the same picture; a PNG is made of its SVG here.

const FORMS = { svg: "image/svg+xml", png: "image/png", dot: "text/vnd.graphviz", mmd: "text/plain" };

class Saving {
  constructor(graph) {
    this.graph = graph;
    const option = (value, text) => make("option", { value }, text);
    this.choice = make("select", { class: "dagnb-save", "aria-label": "Save the drawing as", onchange: () => this.ask() },
      option("", "Save"), option("svg", "SVG"), option("png", "PNG"), option("dot", "DOT"), option("mmd", "Mermaid"));
  }

  ask() {
    const form = this.choice.value;
    this.choice.value = "";
    if (form) this.graph.model.send({ kind: "save", form, theme: this.graph.root.dataset.theme });
  }

  async received({ form, text }) {
    const file = new Blob([text], { type: form === "png" ? FORMS.svg : FORMS[form] });
    this.offer(form === "png" ? await this.png(file) : file, form);
  }

  offer(file, form) {
    const url = URL.createObjectURL(file);
    const title = (this.graph.title.textContent || "graph").replace(/[^\p{L}\p{N}._-]+/gu, "-");
    make("a", { href: url, download: `${title}.${form}` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
  }

  async png(svg) {
    const image = new Image();
    const url = URL.createObjectURL(svg);
    await new Promise((resolve, reject) => { image.onload = resolve; image.onerror = reject; image.src = url; });
    const scale = clamp(4000 / Math.max(image.width, image.height), 0.2, 2); // browsers refuse larger canvases
    const canvas = make("canvas", { width: Math.round(image.width * scale), height: Math.round(image.height * scale) });
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    URL.revokeObjectURL(url);
    return new Promise((resolve) => canvas.toBlob(resolve, FORMS.png));
  }
}
