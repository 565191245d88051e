// What of the graph is where, by squares: what is in a part is found without a look at the rest.

const TILE = 512;

class Tiles {
  constructor(items) {
    this.squares = new Map();
    for (const item of items) {
      for (const at of squares(item.x, item.y, item.x + item.w, item.y + item.h)) {
        if (this.squares.has(at)) this.squares.get(at).push(item);
        else this.squares.set(at, [item]);
      }
    }
  }

  // All items of this part, and some around it.
  within({ left, top, right, bottom }) {
    return new Set([...squares(left, top, right, bottom)].flatMap((at) => this.squares.get(at) ?? []));
  }
}

function* squares(left, top, right, bottom) {
  for (let column = Math.floor(left / TILE); column <= right / TILE; column++) {
    for (let row = Math.floor(top / TILE); row <= bottom / TILE; row++) yield `${column} ${row}`;
  }
}
